"""The animals of the toy world: one quadruped with many proportions, one row per species.

Lengths are in the animal's own unit, roughly the distance from hip to chest of a horse; angles in
degrees above the horizontal.
"""

from dataclasses import dataclass, field

Colour = tuple[int, int, int]

# The plain coats of a horse, far apart from each other and from every landscape: (red, green, blue)
# in [0, 255].
COATS: dict[str, Colour] = {
    "chestnut": (158, 74, 38),
    "black": (44, 40, 48),
    "white": (238, 234, 228),
    "palomino": (224, 168, 84),
}
HAIR: dict[str, Colour] = {
    "chestnut": (98, 42, 24),
    "black": (24, 22, 28),
    "white": (198, 192, 188),
    "palomino": (246, 226, 176),
}
STRIPE_LIGHT: Colour = (244, 242, 236)
STRIPE_DARK: Colour = (30, 28, 34)


@dataclass(frozen=True)
class Species:
    """Proportions and colours of one species; the defaults are a horse's."""

    name: str
    coats: dict[str, Colour] = field(default_factory=lambda: COATS)
    length: float = 1.0  # hip centre to chest centre
    height: float = 1.0  # ground to the middle of the torso
    slope: float = 0.0  # how much higher the chest is than the hip
    hip: float = 0.30
    belly: float = 0.285
    chest: float = 0.305
    leg: float = 0.125  # radius at the top
    foot: float = 0.105  # radius at the ground
    neck: float = 0.74
    neck_angle: float = 52.0
    neck_base: float = 0.25
    neck_top: float = 0.150
    head: float = 0.46
    head_angle: float = -36.0
    skull: float = 0.165
    muzzle: float = 0.115
    ear: str = "pointed"  # pointed, long, floppy, round or fan
    tail: str = "flowing"  # flowing, tuft, raised, bushy, stub or curl
    extras: tuple[str, ...] = ("mane",)
    pattern: str = "plain"  # plain, stripes, patches, net, dots, muzzle, collar or wool
    hair: Colour | None = None  # mane and tail; None: darker than the coat
    second: Colour = (240, 234, 222)  # the pattern's colour


# fmt: off
_ROWS = (
    Species("horse"),
    Species("zebra", pattern="stripes", second=STRIPE_DARK, hair=STRIPE_DARK),
    Species("donkey", {"grey": (132, 124, 128), "brown": (118, 84, 62)}, height=0.92, length=0.92, neck=0.58,
            neck_angle=46, head=0.44, skull=0.18, muzzle=0.13, ear="long", tail="tuft", pattern="muzzle",
            second=(232, 222, 206)),
    Species("cow", {"cream": (240, 234, 222), "brown": (150, 88, 52)}, length=1.06, height=0.94, hip=0.36, belly=0.38,
            chest=0.36, leg=0.15, foot=0.11, neck=0.46, neck_angle=24, neck_base=0.28, neck_top=0.2, head=0.40,
            head_angle=-34, skull=0.20, muzzle=0.15, ear="floppy", tail="tuft", extras=("horns", "udder"),
            pattern="patches", second=(52, 44, 44)),
    Species("giraffe", {"golden": (236, 188, 100), "sandy": (228, 206, 150)}, length=0.86, height=1.16, slope=0.22,
            hip=0.27, belly=0.27, chest=0.30, leg=0.14, foot=0.115, neck=1.35, neck_angle=62, neck_base=0.25,
            neck_top=0.135, head=0.38, head_angle=-30, skull=0.15, muzzle=0.115, ear="round", tail="tuft",
            extras=("ossicones",), pattern="net", second=(150, 88, 44)),
    Species("elephant", {"grey": (136, 138, 152), "slate": (104, 108, 126)}, length=0.86, height=0.98, hip=0.46,
            belly=0.48, chest=0.47, leg=0.20, foot=0.165, neck=0.42, neck_angle=28, neck_base=0.38, neck_top=0.34,
            head=0.14, head_angle=-50, skull=0.35, muzzle=0.24, ear="fan", tail="tuft",
            extras=("trunk", "tusk", "paws")),
    Species("camel", {"sandy": (216, 170, 108), "brown": (160, 108, 66)}, length=0.98, height=1.14, hip=0.27,
            belly=0.29, chest=0.31, leg=0.14, foot=0.11, neck=0.82, neck_angle=46, neck_base=0.21, neck_top=0.135,
            head=0.40, head_angle=-16, skull=0.16, muzzle=0.125, ear="round", tail="tuft", extras=("hump",)),
    Species("deer", {"russet": (176, 100, 54), "fawn": (198, 146, 94)}, length=0.88, height=1.04, hip=0.27, belly=0.25,
            chest=0.27, leg=0.125, foot=0.10, neck=0.62, neck_angle=58, neck_base=0.20, neck_top=0.125, head=0.36,
            head_angle=-28, skull=0.15, muzzle=0.09, ear="pointed", tail="stub", extras=("antlers",),
            pattern="dots", second=(246, 232, 206)),
    Species("sheep", {"white": (240, 236, 226), "black": (60, 54, 60)}, length=0.82, height=0.80, hip=0.40, belly=0.43,
            chest=0.40, leg=0.12, foot=0.095, neck=0.40, neck_angle=30, neck_base=0.30, neck_top=0.22, head=0.28,
            head_angle=-42, skull=0.18, muzzle=0.12, ear="floppy", tail="stub", extras=("wool",), pattern="wool",
            second=(64, 56, 60)),
    Species("pig", {"pink": (240, 164, 164), "black": (64, 56, 62)}, length=0.92, height=0.66, hip=0.36, belly=0.39,
            chest=0.37, leg=0.14, foot=0.105, neck=0.34, neck_angle=10, neck_base=0.32, neck_top=0.28, head=0.30,
            head_angle=-18, skull=0.25, muzzle=0.13, ear="pointed", tail="curl", extras=("snout",)),
    Species("dog", {"brown": (142, 88, 50), "white": (238, 232, 222), "black": (50, 46, 52)}, length=0.86, height=0.70,
            hip=0.22, belly=0.21, chest=0.26, leg=0.125, foot=0.095, neck=0.40, neck_angle=54, neck_base=0.20,
            neck_top=0.17, head=0.32, head_angle=-12, skull=0.21, muzzle=0.105, ear="floppy", tail="raised",
            extras=("paws", "nose"), pattern="collar", second=(206, 52, 52)),
    Species("cat", {"ginger": (228, 138, 58), "grey": (128, 128, 142), "black": (46, 44, 52)}, length=0.74, height=0.58,
            hip=0.23, belly=0.215, chest=0.225, leg=0.12, foot=0.09, neck=0.30, neck_angle=48, neck_base=0.19,
            neck_top=0.18, head=0.12, head_angle=-10, skull=0.255, muzzle=0.15, ear="pointed", tail="swan",
            extras=("paws", "nose")),
    Species("rabbit", {"brown": (158, 116, 82), "white": (242, 238, 232)}, length=0.52, height=0.46, slope=-0.06,
            hip=0.36, belly=0.32, chest=0.26, leg=0.13, foot=0.095, neck=0.28, neck_angle=42, neck_base=0.22,
            neck_top=0.19, head=0.14, head_angle=-18, skull=0.235, muzzle=0.15, ear="upright", tail="puff",
            extras=("paws", "nose")),
    Species("lion", {"golden": (222, 166, 84), "tawny": (196, 136, 76)}, length=0.98, height=0.80, hip=0.25, belly=0.24,
            chest=0.29, leg=0.14, foot=0.11, neck=0.36, neck_angle=38, neck_base=0.26, neck_top=0.22, head=0.20,
            head_angle=-22, skull=0.24, muzzle=0.15, ear="round", tail="tuft",
            extras=("ruff", "paws", "nose"), hair=(126, 66, 34)),
)
# fmt: on
TABLE: dict[str, Species] = {row.name: row for row in _ROWS}
SPECIES: tuple[str, ...] = tuple(TABLE)
