"""From a species and a pose to limbs: chains of circles (x, y, radius), whose hull is the animal.

Body coordinates: x forward from the middle of the torso, y upward from the ground, in the species'
own unit.
"""

from dataclasses import dataclass
from math import cos, radians, sin

from varbook.world.species import Species

Circle = tuple[float, float, float]
Chain = list[Circle]


@dataclass(frozen=True)
class Body:
    """Limbs of one animal, each a chain of circles (x, y, radius).

    `layers` is the drawing order: (role, chains).
    """

    torso: Chain
    neck: Chain
    head: Chain
    legs: list[Chain]  # far hind, far fore, near hind, near fore
    layers: list[tuple[str, list[Chain]]]
    eye: Circle

    def chains(self) -> list[Chain]:
        """Return every chain of every layer: their union is the silhouette."""
        return [chain for _, chains in self.layers for chain in chains]


def _toward(start: tuple[float, float], length: float, angle: float) -> tuple[float, float]:
    return start[0] + length * cos(radians(angle)), start[1] + length * sin(radians(angle))


def _torso(row: Species) -> Chain:
    half = row.length / 2
    back = row.height - row.slope / 2
    front = row.height + row.slope / 2
    middle = row.height - 0.02 + (0.06 if row.belly > row.hip else 0)
    return [
        (-half, back, row.hip),
        (-half * 0.5, (back + middle) / 2, (row.hip + row.belly) / 2),
        (0.0, middle, row.belly),
        (half * 0.5, (front + middle) / 2, (row.chest + row.belly) / 2),
        (half, front, row.chest),
    ]


def _legs(row: Species, torso: Chain, stride: float) -> list[Chain]:
    # Four columns at even distances: each is seen on its own, however the animal stands.
    (hip, hip_y, hip_r), (chest, chest_y, chest_r) = torso[0], torso[-1]
    outer_back = hip - hip_r + row.leg * 1.25
    outer_front = chest + chest_r - row.leg * 1.25
    reach = outer_front - outer_back
    gap = min(max(3.3 * row.foot, 0.28 * reach), reach / 3)
    legs = []
    for x, top, swing, hind in (
        (outer_back + gap, hip_y, -1, True),
        (outer_front - gap, chest_y, 1, False),
        (outer_back, hip_y, 1, True),
        (outer_front, chest_y, -1, False),
    ):
        foot = x + 0.035 * swing * stride
        bend = -0.045 if hind else 0.02
        start = top - 0.10 * top
        legs.append(
            [
                (x, start, row.leg * 1.1),
                (x + bend, start * 0.5, (row.leg + row.foot) / 2),
                (foot, row.foot, row.foot),
            ]
        )
    return legs


def _ears(row: Species, head: Chain, angle: float) -> list[Chain]:
    x, y, r = head[0]
    up = angle + 100
    root = _toward((x, y), r * 0.75, up + 15)
    if row.ear == "pointed":
        size = 1.15 * r + 0.03
        far = _toward((x, y), r * 0.70, up - 32)
        return [
            [(*spot, 0.42 * r), (*_toward(spot, size, up + lean), 0.022)]
            for spot, lean in ((root, 8), (far, -10))
        ]
    if row.ear in ("long", "upright"):
        size = 2.5 * r
        lean = 20 if row.ear == "long" else 28
        far = _toward((x, y), r * 0.7, up - 25)
        ears = []
        for spot, tilt in ((root, lean), (far, lean - 26)):
            middle, tip = _toward(spot, size * 0.55, up + tilt), _toward(spot, size, up + tilt)
            ears.append([(*spot, 0.30 * r), (*middle, 0.40 * r), (*tip, 0.16 * r)])
        return ears
    if row.ear == "floppy":
        root = _toward((x, y), r * 0.75, up + 35)
        return [[(*root, 0.42 * r), (*_toward(root, 1.15 * r, up + 130), 0.42 * r)]]
    if row.ear == "fan":
        return []
    root = _toward((x, y), r * 0.9, up + 20)
    return [[(*root, 0.40 * r), (*_toward(root, 0.35 * r, up + 20), 0.40 * r)]]


def _tail(row: Species, torso: Chain, swing: float) -> tuple[list[Chain], list[Chain]]:
    """Return (chains in the coat's colour, chains in the hair's colour)."""
    x, y, r = torso[0]
    root = _toward((x, y), r * 0.85, 152)
    lean = 8 * swing
    if row.tail == "flowing":
        a, b = _toward(root, 0.20, 200 + lean), _toward(root, 0.55, 238 + lean)
        return [], [
            [(*root, 0.075), (*a, 0.095), (*b, 0.10), (*_toward(b, 0.26, 262 + lean), 0.04)]
        ]
    if row.tail == "tuft":
        a, b = _toward(root, 0.16, 205 + lean), _toward(root, 0.52, 244 + lean)
        return [[(*root, 0.06), (*a, 0.055), (*b, 0.05)]], [
            [(*b, 0.06), (*_toward(b, 0.14, 262 + lean), 0.085)]
        ]
    if row.tail in ("raised", "swan"):
        long = 0.30 if row.tail == "raised" else 0.42
        a = _toward(root, long, 148 + lean)
        b = _toward(a, long, 88 + lean)
        return [
            [(*root, 0.085), (*a, 0.078), (*b, 0.07)]
            + ([(*_toward(b, 0.16, 30), 0.06)] if row.tail == "swan" else [])
        ], []
    if row.tail == "curl":
        a = _toward(root, 0.16, 140)
        return [[(*root, 0.055), (*a, 0.055)], [(*a, 0.055), (*_toward(a, 0.12, 30), 0.05)]], []
    size = 0.15 if row.tail == "puff" else 0.085
    return [], [[(*_toward(root, 0.05, 160), size), (*_toward(root, 0.11, 170), size * 0.9)]]


def _mane(neck: Chain, head: Chain) -> list[Chain]:
    (x0, y0, r0), (x1, y1, r1) = neck[0], neck[-1]
    along = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
    back = (-(y1 - y0) / along, (x1 - x0) / along)
    spots = []
    for t in (0.15, 0.6, 1.0):
        radius = r0 + t * (r1 - r0)
        spots.append(
            (x0 + t * (x1 - x0) + back[0] * radius, y0 + t * (y1 - y0) + back[1] * radius, 0.062)
        )
    hx, hy, hr = head[0]
    return [spots + [(hx + 0.35 * hr, hy + hr * 0.92, 0.055)]]


def _horns(row: Species, head: Chain, angle: float) -> list[Chain]:
    x, y, r = head[0]
    top = _toward((x, y), r * 0.8, angle + 95)
    if "horns" in row.extras:
        a = _toward(top, 0.17, angle + 85)
        return [[(*top, 0.05), (*a, 0.045), (*_toward(a, 0.11, angle + 40), 0.025)]]
    if "ossicones" in row.extras:
        return [[(*top, 0.035), (*_toward(top, 0.17, angle + 118), 0.045)]]
    if "antlers" in row.extras:
        a = _toward(top, 0.24, 112)
        b = _toward(a, 0.24, 72)
        return [
            [(*top, 0.042), (*a, 0.04), (*b, 0.032)],
            [(*a, 0.038), (*_toward(a, 0.20, 28), 0.03)],
        ]
    return []


def _trunk(head: Chain) -> list[Chain]:
    x, y, r = head[-1]
    a, b = (x + 0.13, y - 0.30), (x + 0.13, y - 0.58)
    return [[(x, y, r), (*a, 0.145), (*b, 0.115), (b[0] + 0.12, b[1] - 0.14, 0.09)]]


def _coat(
    row: Species, torso: Chain, legs: list[Chain], neck: Chain, head: Chain, ears: list[Chain]
) -> list[Chain]:
    coat = [torso, *legs[2:], neck, head, *ears]
    if "hump" in row.extras:
        top = torso[2][1] + torso[2][2]
        peak = (-0.02, top + 0.13, 0.16)
        coat += [[(-0.22, top - 0.10, 0.2), peak], [peak, (0.20, top - 0.10, 0.2)]]
    return coat + (_trunk(head) if "trunk" in row.extras else [])


def _details(
    row: Species, torso: Chain, neck: Chain, head: Chain, angle: float
) -> dict[str, list[Chain]]:
    """Return what only some species have, by the names of `extras`, and "fan": an elephant's ear."""
    (x, y, r), (mx, my, _) = head
    every = {
        "mane": _mane(neck, head),
        "ruff": [[(x - 0.10, y - 0.02, r * 1.5), (x - 0.16, y - 0.26, r * 1.15)]],
        "fan": [[(x - 0.20, y + 0.02, 0.27), (x - 0.16, y - 0.20, 0.20)]],
        "tusk": [[(mx + 0.10, my - 0.16, 0.05), (mx + 0.32, my - 0.20, 0.03)]],
        "snout": [[(mx, my, row.muzzle * 0.86), (mx + 0.05, my - 0.01, row.muzzle * 0.86)]],
        "nose": [[(mx + row.muzzle * 0.72, my + row.muzzle * 0.45, 0.055)]],
        "udder": [[(torso[0][0] + 0.42, torso[1][1] - torso[1][2] + 0.03, 0.10)]],
        "horns": _horns(row, head, angle),
    }
    has = {*row.extras, row.ear} | (
        {"horns"} if {"antlers", "ossicones"} & {*row.extras} else set()
    )
    return {name: chains if name in has else [] for name, chains in every.items()}


def _layers(
    row: Species, torso, legs, neck, head, angle: float, swing: float
) -> list[tuple[str, list[Chain]]]:
    """Return the drawing order as (role, chains), from the far legs to what lies on top."""
    ears = _ears(row, head, angle)
    feet = [[leg[-1]] for leg in legs]
    coat_tail, hair_tail = _tail(row, torso, swing)
    if "wool" in row.extras:
        return _woolly(row, torso, legs, neck, head, ears, hair_tail, feet)
    more = _details(row, torso, neck, head, angle)
    layers = [
        ("far", legs[:2]),
        ("hair", hair_tail),
        ("pink", more["udder"]),
        ("coat", _coat(row, torso, legs, neck, head, ears) + coat_tail),
        ("hair", more["mane"] + more["ruff"]),
        ("face", [head, *ears] if more["ruff"] else []),
        ("shade", more["fan"]),
        ("horn", more["horns"] + more["tusk"]),
        ("pink", more["snout"]),
        ("shade" if "paws" in row.extras else "hoof", feet),
        ("nose", more["nose"]),
    ]
    return [(role, chains) for role, chains in layers if chains]


def _woolly(
    row: Species, torso, legs, neck, head, ears, tail, feet
) -> list[tuple[str, list[Chain]]]:
    """Return the layers of a fleece: a ring of tufts round the torso, with bare legs and face."""
    tufts = []
    for step in range(12):
        x, y = _toward((0.0, 0.0), 1.0, 30.0 * step)
        tufts.append([((0.5 * row.length + 0.26) * x, row.height + 0.04 + 0.33 * y, 0.15)])
    cap = [[(head[0][0] - 0.04, head[0][1] + 0.12, 0.13)]]
    fleece = [torso, neck, *tufts, *tail]
    return [
        ("second", legs),
        ("hoof", feet),
        ("coat", fleece),
        ("second", [head, *ears]),
        ("face", cap),
    ]


def build(row: Species, neck_tilt: float, head_tilt: float, stride: float, swing: float) -> Body:
    """Return the limbs of species `row` in a pose.

    `neck_tilt` and `head_tilt` are degrees; legs and tail swing by -1 to 1.
    """
    torso = _torso(row)
    x, y, r = torso[-1]
    neck_angle = row.neck_angle + neck_tilt
    base = (x + 0.18 * r, y + 0.30 * r)
    middle = _toward(base, row.neck * 0.5, neck_angle - 4)
    poll = _toward(base, row.neck, neck_angle)
    neck = [
        (*base, row.neck_base),
        (*middle, (row.neck_base + row.neck_top) / 2),
        (*poll, row.neck_top),
    ]
    # The head follows half of the neck's turn, as it does in a grazing animal.
    angle = row.head_angle + head_tilt + 0.5 * neck_tilt
    head = [(*poll, row.skull), (*_toward(poll, row.head, angle), row.muzzle)]
    legs = _legs(row, torso, stride)
    eye = (*_toward(poll, row.skull * 0.38, angle + 28), 0.05)
    return Body(torso, neck, head, legs, _layers(row, torso, legs, neck, head, angle, swing), eye)
