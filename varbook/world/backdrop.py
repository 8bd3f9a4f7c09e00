"""Drawing the landscape of a scene, from far to near: sky, light, clouds, hills, ground and trees."""

from varbook.world.canvas import Canvas, solid, wave
from varbook.world.landscape import Palette, mix, palette_of, toned
from varbook.world.scene import Scene


def backdrop(canvas: Canvas, scene: Scene):
    """Draw everything but the animal; it depends on the scene's land, time and style alone."""
    palette = palette_of(scene.land.palette, scene.night, scene.flat)
    _sky(canvas, scene, palette)
    _clouds(canvas, scene, palette)
    _hills(canvas, scene, palette)
    canvas.gradient(0.55, 1.0, scene.land.horizon, 10.0, *palette.ground)
    _trees(canvas, scene, palette)


def _sky(canvas: Canvas, scene: Scene, palette: Palette):
    x, y, radius = scene.land.light
    canvas.gradient(0.0, 0.55, canvas.upper, scene.land.horizon, *palette.sky)
    if not scene.flat:
        canvas.glow(x, y, 1.9 * radius, palette.light, 0.5 if scene.night else 0.75)
    if not scene.night:
        canvas.disc(x, y, radius, radius, solid(palette.light))
        return
    star = solid(mix(palette.sky[0], (236, 240, 252), 0.8))
    for sx, sy, size in scene.land.stars():
        if abs(sx) < canvas.right + 0.02:
            canvas.disc(sx, sy, size, size, star)
    # A crescent: a smaller disc is cut out of the moon.
    moon, corner = canvas.part((x - radius, y - radius, x + radius, y + radius))
    moon.disc(x, y, radius, radius, 255)
    moon.disc(x + 0.5 * radius, y - 0.22 * radius, 0.82 * radius, 0.82 * radius, 0)
    canvas.lay(palette.light, moon, corner)


def _clouds(canvas: Canvas, scene: Scene, palette: Palette):
    white = solid(mix(palette.cloud, palette.sky[0], 0.0 if scene.flat else 0.22))
    under = solid(mix(palette.cloud, palette.sky[0], 0.30))
    for x, y, size in scene.land.clouds:
        if abs(x) > canvas.right + 2 * size:
            continue
        for drop, ink in ((0.25, under), (0.0, white)) if scene.flat else ((0.0, white),):
            for dx, dy, share in (
                (-1.0, 0.15, 0.55),
                (-0.3, -0.15, 0.8),
                (0.5, 0.0, 0.7),
                (1.15, 0.2, 0.45),
            ):
                canvas.disc(
                    x + dx * size, y + (dy + drop) * size, share * size, share * size * 0.62, ink
                )


def _hills(canvas: Canvas, scene: Scene, palette: Palette):
    horizon, right = scene.land.horizon, canvas.right
    count = round(18 * 2 * right)
    steps = [right * (2 * i / count - 1) for i in range(count + 1)]
    near = palette.hills[3 - len(scene.land.hills) :]
    for hill, colour in zip(scene.land.hills, near, strict=True):
        ridge = [(x, horizon - max(0.0, wave(x, hill))) for x in steps]
        canvas.polygon([*ridge, (right, horizon + 0.02), (-right, horizon + 0.02)], solid(colour))
    if not scene.flat:
        # Mist gathers at the foot of the hills.
        canvas.haze(horizon - 0.13, horizon, palette.sky[1], 0.45)


def _trees(canvas: Canvas, scene: Scene, palette: Palette):
    bark = solid(toned((104, 78, 62), scene.night, scene.flat))
    leaves = solid(palette.tree if scene.flat else mix(palette.tree, palette.hills[1], 0.12))
    for x, y, height, kind in scene.land.trees:
        if abs(x) > canvas.right + 0.3 * height:
            continue
        middle = y - 0.5 * height
        canvas.polygon(
            [(x - 0.014, y), (x + 0.014, y), (x + 0.011, middle), (x - 0.011, middle)], bark
        )
        if kind < 0.5:
            for dx, dy, share in ((-0.2, 0.52, 0.24), (0.2, 0.52, 0.24), (0.0, 0.72, 0.29)):
                canvas.disc(
                    x + dx * height, y - dy * height, share * height, share * height, leaves
                )
            continue
        for low, high, half in ((0.18, 0.66, 0.27), (0.48, 1.0, 0.20)):
            foot, half = y - low * height, half * height
            corners = [(x - half, foot), (x, y - high * height), (x + half, foot)]
            canvas.polygon(corners, leaves)
            canvas.chain([(*corner, 0.012) for corner in (*corners, corners[0])], leaves)
