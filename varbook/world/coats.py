"""Patterns of coats: stripes, patches, nets and spots, fixed to the body they move with."""

from math import hypot

from varbook.world.skeleton import Body, Chain
from varbook.world.species import Species

Polygon = list[tuple[float, float]]
# Wide enough for a tokenizer of stride 8 at 64 pixels: six to seven pixels from one dark stripe to
# the next.
PERIOD = 0.30
WIDE = 0.5 * PERIOD


def _across(chain: Chain, start: float, stop: float, extra: float = 0.03) -> Polygon:
    """Return a band across a limb, from `start` to `stop` along its axis, in body units.

    It is a little wider than the limb.
    """
    (x0, y0, r0), (x1, y1, r1) = chain[0], chain[-1]
    long = hypot(x1 - x0, y1 - y0)
    ax, ay = (x1 - x0) / long, (y1 - y0) / long
    corners = []
    for along, side in ((start, -1), (start, 1), (stop, 1), (stop, -1)):
        reach = side * (extra + r0 + (r1 - r0) * min(1.0, max(0.0, along / long)))
        corners.append((x0 + ax * along - ay * reach, y0 + ay * along + ax * reach))
    return corners


def limb_stripes(body: Body) -> list[Polygon]:
    """Return a zebra's dark bands on legs, neck and head; they reach a little over the limb's edge."""
    bands = []
    for leg in body.legs:
        top = leg[0]
        down = [(top[0], top[1], top[2] + 0.03), leg[-1]]
        reach = top[1] - leg[-1][1]
        bands += [
            _across(down, reach - low - WIDE * 0.95, reach - low) for low in (0.15, 0.15 + PERIOD)
        ]
    bands += [
        _across(body.neck, start * PERIOD + 0.13, start * PERIOD + 0.13 + WIDE)
        for start in range(-1, 3)
    ]
    return bands + [_across(body.head, 0.13, 0.13 + WIDE * 0.85), _across(body.head, 0.43, 0.9)]


def _half_thickness(torso: Chain, x: float) -> tuple[float, float]:
    """Return (middle, half thickness) of the torso at x."""
    if x <= torso[0][0] or x >= torso[-1][0]:
        end = torso[0] if x <= torso[0][0] else torso[-1]
        return end[1], max(0.0, end[2] ** 2 - (x - end[0]) ** 2) ** 0.5
    for (x0, y0, r0), (x1, y1, r1) in zip(torso, torso[1:], strict=False):
        if x <= x1:
            share = (x - x0) / (x1 - x0)
            return y0 + share * (y1 - y0), r0 + share * (r1 - r0)
    raise AssertionError("x lies between the ends")


def trunk_stripes(body: Body) -> list[Polygon]:
    """Return a zebra's dark bands on the torso, from a little above the back to the belly's line."""
    torso = body.torso
    front = torso[-1][0] + torso[-1][2]
    half = (torso[-1][0] - torso[0][0]) / 2
    bands = []
    for band in range(-3, 4):
        x = band * PERIOD
        if x + WIDE / 2 > front:
            continue
        middle, thick = _half_thickness(torso, x)
        # Toward the rump a zebra's stripes lean backward.
        lean = 0.12 * max(0.0, -x / half)
        top = middle + thick + 0.05
        low = middle - thick + 0.005
        bands.append(
            [
                (x - WIDE / 2 - lean, top),
                (x + WIDE / 2 - lean, top),
                (x + WIDE / 2 + lean * 0.4, low),
                (x - WIDE / 2 + lean * 0.4, low),
            ]
        )
    return bands


def spots(row: Species, body: Body, phase: float) -> list[Chain]:
    """Return the circles of a coat's pattern as chains; `phase` (0 to 1) moves them along the body."""
    back, middle = body.torso[0], body.torso[2]
    shift = phase - 0.5
    if row.pattern == "patches":
        x = 0.35 * shift
        return [
            [
                (back[0] + 0.02 + x, back[1] + 0.14, 0.20),
                (back[0] + 0.18 + x, back[1] - 0.02, 0.15),
            ],
            [
                (middle[0] + 0.16 + x, middle[1] - 0.02, 0.17),
                (middle[0] + 0.24 + x, middle[1] + 0.2, 0.2),
            ],
            [(*body.head[0][:2], body.head[0][2] * 0.9), (*body.neck[1][:2], 0.16)],
        ]
    if row.pattern == "net":
        return _net(body, phase)
    if row.pattern == "dots":
        return [
            [(back[0] + 0.26 * i + 0.1 * shift, back[1] + (0.13, 0.0)[i % 2], 0.06)]
            for i in range(4)
        ]
    if row.pattern == "collar":
        x, y, r = body.neck[1]
        (x0, y0, _), (x1, y1, _) = body.neck[0], body.neck[-1]
        long = hypot(x1 - x0, y1 - y0)
        ax, ay = (y1 - y0) / long * r, -(x1 - x0) / long * r
        return [[(x - ax, y - ay, 0.05), (x + ax, y + ay, 0.05)]]
    return [[body.head[-1]]] if row.pattern == "muzzle" else []


def _net(body: Body, phase: float) -> list[Chain]:
    middle, (x0, y0, _), (x1, y1, _) = body.torso[2], body.neck[0], body.neck[-1]
    chains = []
    for row in range(2):
        for column in range(-3, 4):
            x = column * 0.27 + 0.13 * row + 0.1 * phase
            chains.append([(x - 0.03, middle[1] + 0.17 - 0.27 * row + 0.2 * x, 0.088)])
    for step in range(4):
        along, aside = 0.20 + 0.22 * step, 0.055 * (-1) ** step
        chains.append([(x0 + along * (x1 - x0) + aside, y0 + along * (y1 - y0), 0.09)])
    return chains
