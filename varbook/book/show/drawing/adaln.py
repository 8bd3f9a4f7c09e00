"""The block of the transformer, and how the condition steers it."""

from varbook.book.show.drawing.canvas import Box, Canvas, shape_text
from varbook.book.show.drawing.palette import CONDITION, FROZEN, SMALL, TRAINED
from varbook.transformer.block import Block

_STREAM, _OVER, _CHIPS, _SOURCE = 240, 80, 450, 620  # heights of the drawing's four rows


def adaln_block(block: Block) -> Canvas:
    """Return the drawing of one block with adaptive layer norm: two branches, each with a scale, a
    shift and a gate that the condition sets. Sizes are those of `block`.
    """
    width = block.ffn.fc1.in_features
    canvas = Canvas(
        720,
        "One transformer block. Two branches leave the stream and are added to it again: norm, "
        "scale and shift, attention, gate; then the same with a feed-forward layer. A linear layer "
        "makes the six vectors of scales, shifts and gates from the condition.",
    )
    shape = shape_text("B", "L", width)
    canvas.text(24, _STREAM - 34, "tokens", size=SMALL, align="left")
    canvas.text(24, _STREAM + 34, shape, size=SMALL, align="left")
    heads = getattr(block.attn, "heads", None)
    inside = block.ffn.fc1.out_features
    first = f"{heads} heads" if heads else ""
    middle, one = _branch(canvas, (24, _STREAM), 170, 1, ("attention", first))
    hidden = f"{width} - {inside} - {width}"
    end, two = _branch(canvas, middle, middle[0], 2, ("feed-\nforward", hidden))
    canvas.arrow(end, (1384, _STREAM))
    _condition(canvas, width, [*one, *two])
    return canvas


def _branch(
    canvas: Canvas, come: tuple[float, float], fork: float, number: int, inner: tuple[str, str]
) -> tuple[tuple[float, float], list[tuple[str, Box]]]:
    """Draw one branch from `come`, which leaves the stream at x = `fork`; return where it ends, and
    the boxes that the condition sets, each with its letter.
    """
    y, x = _STREAM, fork
    norm = canvas.box(x + 72, y, 76, 76, "LN", fill=FROZEN)
    steer = canvas.box(
        x + 192, y, 112, 76, f"$(1+s_{number})$\n$+\\,b_{number}$", fill=CONDITION, size=SMALL
    )
    layer = canvas.box(x + 346, y, 144, 90, inner[0], fill=TRAINED)
    gate = canvas.box(x + 480, y, 76, 76, f"$\\times g_{number}$", fill=CONDITION, size=SMALL)
    plus = canvas.sign(x + 564, y, "+")
    for start, stop in ((come, norm.left), (norm.right, steer.left), (steer.right, layer.left)):
        canvas.arrow(start, stop)
    canvas.arrow(layer.right, gate.left)
    canvas.arrow(gate.right, plus.left)
    canvas.arrow((x + 10, y), (x + 10, _OVER), (plus.x, _OVER), plus.top)
    canvas.text(layer.x, y + 68, inner[1], size=SMALL)
    return plus.right, [("s", steer), ("b", steer), ("g", gate)]


def _condition(canvas: Canvas, width: int, steered: list[tuple[str, Box]]) -> None:
    names = [f"${letter}_{1 + i // 3}$" for i, (letter, _) in enumerate(steered)]
    chips = []
    for (letter, box), name in zip(steered, names, strict=True):
        x = box.x + {"s": -40, "b": 40, "g": 0}[letter]
        chip = canvas.box(x, _CHIPS, 64, 56, name, fill=CONDITION)
        canvas.arrow(chip.top, (x, box.bottom[1]))
        chips.append(chip)
    linear = canvas.box(700, _SOURCE, 330, 76, "SiLU, linear layer", fill=TRAINED)
    rail = _CHIPS + 76
    canvas.arrow(linear.top, (linear.x, rail), head=False)
    canvas.line((chips[0].x, rail), (chips[-1].x, rail))
    for chip in chips:
        canvas.arrow((chip.x, rail), chip.bottom)
    source = canvas.box(250, _SOURCE, 200, 76, "condition", fill=CONDITION)
    canvas.arrow(source.right, linear.left, words=shape_text("B", width))
    words = f"six vectors {shape_text('B', 1, width)}"
    canvas.text(890, _SOURCE - 18, words, size=SMALL, align="left")
    canvas.text(890, _SOURCE + 18, "$s$ scale, $b$ shift, $g$ gate", size=SMALL, align="left")
