"""A colour profile of a space wider than sRGB, as telephones write it into their photographs."""

import io
import struct

from PIL import Image, ImageCms

# The columns of the matrix from RGB to XYZ for the primaries of Display P3, seen under D50.
WHITE = (0.9505, 1.0, 1.0891)
RED, GREEN, BLUE = (0.5151, 0.2412, -0.0011), (0.2919, 0.6922, 0.0419), (0.1572, 0.0666, 0.7841)


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(map(_fixed, values))


def wide_profile(gamma: float = 2.2) -> bytes:
    """An ICC profile (version 2.1) of an RGB space with the primaries of Display P3."""
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))
    title = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"wide\0" + bytes(78)
    tags = [(b"desc", title), (b"cprt", b"text\0\0\0\0none\0"), (b"wtpt", _xyz(WHITE))]
    for letter, primary in zip("rgb", (RED, GREEN, BLUE)):
        name = letter.encode()
        tags += [(name + b"XYZ", _xyz(primary)), (name + b"TRC", curve)]
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags:
        data += bytes(-len(data) % 4)
        table += name + struct.pack(">II", 132 + 12 * len(tags) + len(body), len(data))
        body += data
    head = struct.pack(">I4xI", 128 + len(table) + len(body), 0x02100000) + b"mntrRGB XYZ "
    head += bytes(12) + b"acsp" + bytes(28) + b"".join(map(_fixed, (0.9642, 1.0, 0.8249)))
    return head.ljust(128, b"\0") + table + body


def in_wide_space(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    """The numbers by which the wide space names an sRGB colour, by an independent conversion."""
    profile = ImageCms.ImageCmsProfile(io.BytesIO(wide_profile()))
    one = Image.new("RGB", (1, 1), colour)
    return ImageCms.profileToProfile(one, ImageCms.createProfile("sRGB"), profile).getpixel((0, 0))
