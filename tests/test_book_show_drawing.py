"""Every drawing, at the sizes of every profile: nothing hides a text, and no text leaves its box."""

import io
import itertools
import warnings
from dataclasses import replace

import matplotlib
import matplotlib.style
import pytest
import torch
from PIL import Image

from varbook.book.chapters import CHAPTERS
from varbook.book.models import profiles
from varbook.book.show.drawing import (
    adaln,
    attention,
    bits,
    book_map,
    mamba,
    measures,
    modes,
    predictions,
    pyramids,
    quantization,
    relaxations,
    schedules,
    step,
    weighted_mean,
)
from varbook.book.show.drawing.canvas import Box, Canvas, few
from varbook.book.show.drawing.palette import SMALL, WIDTH
from varbook.book.show.style import use_style
from varbook.errors import VarbookError
from varbook.features.judge import Judge, JudgeConfig
from varbook.tokenizer.bits import BinaryCodes
from varbook.tokenizer.codebook import Codebook
from varbook.tokenizer.schedule import VAR_256, square
from varbook.tokenizer.tokenizer import TokenizerConfig
from varbook.train.fit_cyclevar import CycleVARTraining
from varbook.transformer.block import Block
from varbook.transformer.model import NextScaleConfig

LOGITS = torch.tensor([1.2, 0.8, -0.5, 0.1])
JUDGE = Judge(JudgeConfig(("horse", "zebra", "cat")))
SCHEDULES = sorted({p.chains["toy"].tokenizer.schedule for p in profiles.PROFILES.values()})


def picture(side: int) -> torch.Tensor:
    return torch.rand(3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1


def at_work(schedule) -> Canvas:
    row = torch.stack([picture(32)] * len(schedule))
    return modes.modes_at_work(schedule, row, row, row[-1], row)


def vectors(count: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(count)
    keys, values = -9 * torch.rand(
        2, count, 2, generator=generator
    )  # with signs: the widest numbers
    return keys[0], keys, values


def drawings():
    yield "block_causal", lambda: attention.block_causal(square(1, 2, 3))
    yield "block_causal of four", lambda: attention.block_causal(square(1, 2, 3, 4))
    yield "adaln_block", lambda: adaln.adaln_block(Block(192, 6))
    yield "adaln_block of d24", lambda: adaln.adaln_block(_on_meta(1536, 24))
    for seed in range(3):
        yield (
            f"four_relaxations {seed}",
            lambda seed=seed: relaxations.four_relaxations(LOGITS, 2.0, seed),
        )
    ours = CycleVARTraining()
    yield "cyclevar_step", lambda: step.cyclevar_step(ours)
    plain = replace(ours, keep_l1=0.0, cycle_noise=0.0, cycle_l1=1.0, gan=0.5)
    yield "cyclevar_step of the paper", lambda: step.cyclevar_step(plain)
    for d in (1, 8, 16, 32):
        yield f"sign_bits {d}", lambda d=d: bits.sign_bits(BinaryCodes(d))
    for size in ((64, 2), (4096, 32)):
        yield f"quantization {size}", lambda s=size: quantization.quantization(Codebook(*s))
    for path in range(8):
        sizes = NextScaleConfig(width=64 * (path + 1))
        yield f"mamba_layer {path}", lambda s=sizes, p=path: mamba.mamba_layer(s, p)
    yield "book_map", lambda: book_map.book_map()
    for side in (32, 64, 128):
        yield f"measures {side}", lambda s=side: measures.measures(JUDGE, s)
    for count in (1, 3, weighted_mean.MOST):
        yield f"weighted_mean {count}", lambda n=count: weighted_mean.weighted_mean(*vectors(n))
    for scales in (*SCHEDULES, VAR_256):
        size = f"{len(scales)} scales"
        side = 8 * scales[-1][0]
        yield (
            f"two_pyramids {size}",
            lambda s=scales, n=side: pyramids.two_pyramids(picture(n), TokenizerConfig(schedule=s)),
        )
        yield (
            f"two_predictions {size}",
            lambda s=scales, n=side: predictions.two_predictions(picture(n), s),
        )
        yield f"kv_cache {size}", lambda s=scales: attention.kv_cache(NextScaleConfig(schedule=s))
        yield f"any_schedule {size}", lambda s=scales: schedules.any_schedule(s)
        yield f"serial_and_parallel {size}", lambda s=scales: modes.serial_and_parallel(s)
        yield f"modes_at_work {size}", lambda s=scales: at_work(s)


def _on_meta(width: int, heads: int) -> Block:
    with torch.device("meta"):
        return Block(width, heads)


DRAWINGS = dict(drawings())
every_drawing = pytest.mark.parametrize("name", DRAWINGS)


def sides(canvas: Canvas, text) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of a text, in the drawing's pixels."""
    extent = text.get_window_extent(canvas.figure.canvas.get_renderer())
    height = canvas.size[1]
    return extent.x0, height - extent.y1, extent.x1, height - extent.y0


def of_box(box: Box) -> tuple[float, float, float, float]:
    return box.left[0], box.top[1], box.right[0], box.bottom[1]


def inside(inner, outer, slack: float = 1.0) -> bool:
    return (
        inner[0] >= outer[0] - slack
        and inner[1] >= outer[1] - slack
        and inner[2] <= outer[2] + slack
        and inner[3] <= outer[3] + slack
    )


def apart(a, b, slack: float = 1.0) -> bool:
    return (
        a[2] <= b[0] + slack or b[2] <= a[0] + slack or a[3] <= b[1] + slack or b[3] <= a[1] + slack
    )


def crosses(line, area, slack: float) -> bool:
    """Whether a straight line passes through an area made smaller by `slack` on each side."""
    (ax, ay), (bx, by) = line
    low, high = 0.0, 1.0
    for start, move, least, most in (
        (ax, bx - ax, area[0] + slack, area[2] - slack),
        (ay, by - ay, area[1] + slack, area[3] - slack),
    ):
        if least >= most:
            return False
        if move == 0:
            if not least < start < most:
                return False
            continue
        first, last = sorted(((least - start) / move, (most - start) / move))
        low, high = max(low, first), min(high, last)
    return low < high


def faults(canvas: Canvas) -> list[str]:
    """What a reader would stumble over, one sentence each."""
    found = []
    page = (8, 8, canvas.size[0] - 8, canvas.size[1] - 8)
    areas = [(text.get_text(), sides(canvas, text), box) for text, box in canvas.texts]
    for (a, first, _), (b, second, _) in itertools.combinations(areas, 2):
        if not apart(first, second):
            found.append(f"{a!r} and {b!r} overlap")
    for words, area, box in areas:
        if not inside(area, page, 0):
            found.append(f"{words!r} leaves the drawing")
        if box is not None and not inside(area, of_box(box), 0):
            found.append(f"{words!r} leaves its box")
        for other in canvas.boxes:
            if not (apart(area, of_box(other)) or inside(area, of_box(other))):
                found.append(f"{words!r} crosses the border of {other}")
        for line in canvas.lines:
            if crosses(line, area, 3):
                found.append(f"{words!r} is crossed by the line {line}")
    for box in canvas.boxes:
        for line in canvas.lines:
            ends = [inside((x, y, x, y), of_box(box), 12) for x, y in line]
            if not any(ends) and crosses(line, of_box(box), 3):
                found.append(f"the line {line} runs through {box}")
    return found


@every_drawing
def test_is_drawn_without_a_warning_and_nothing_hides_a_text(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        canvas = DRAWINGS[name]()
        canvas.figure.draw_without_rendering()
    assert not faults(canvas)
    assert all(text.get_fontsize() * 100 / 72 >= SMALL - 1e-6 for text, _ in canvas.texts)
    assert len(canvas.alt) > 60


def test_the_file_is_wide_small_and_clear_at_its_corners():
    data = attention.block_causal(square(1, 2, 3)).picture_file()
    shown = Image.open(io.BytesIO(data))
    assert shown.width == WIDTH >= 1200
    assert len(data) < 60_000
    seen = shown.convert("RGBA")
    assert seen.getpixel((0, 0))[3] == 0  # a dark page is seen there
    middle = seen.getpixel((WIDTH // 2, 20))
    assert middle[3] == 255 and min(middle) > 230  # and light everywhere else, under dark letters
    assert data == attention.block_causal(square(1, 2, 3)).picture_file()


@pytest.mark.parametrize("name", ["sign_bits 8", "cyclevar_step", "mamba_layer 0", "book_map"])
def test_the_style_of_plots_changes_no_drawing(name):
    with matplotlib.style.context("default"):
        plain = DRAWINGS[name]().picture_file()
    with matplotlib.rc_context():
        use_style()
        assert DRAWINGS[name]().picture_file() == plain


def test_a_drawing_with_pictures_is_saved_in_all_its_colours():
    drawn = at_work(square(1, 2, 3)).image()
    assert drawn.mode == "RGB" and drawn.width == WIDTH
    assert drawn.getpixel((0, 0)) == (255, 255, 255)
    assert len(drawn.getcolors(1_000_000)) > 1000


def test_the_faults_of_a_bad_drawing_are_found():
    canvas = Canvas(300, "bad")
    box = canvas.box(300, 100, 60, 40, "too long for it")
    canvas.text(700, 100, "one")
    canvas.text(710, 105, "two")
    canvas.text(1395, 200, "far out")
    canvas.text(330, 200, "on the way")
    canvas.arrow(box.bottom, (300, 280))
    canvas.box(1000, 100, 60, 40)
    canvas.arrow((900, 100), (1100, 100))
    told = " ".join(faults(canvas))
    for words in ("leaves its box", "overlap", "leaves the drawing", "crossed by", "runs through"):
        assert words in told


def test_a_mask_too_fine_to_draw_is_refused():
    with pytest.raises(VarbookError, match="at most 30"):
        attention.block_causal(VAR_256)


def test_a_query_with_too_many_keys_or_numbers_is_refused():
    with pytest.raises(VarbookError, match="at most 6"):
        weighted_mean.weighted_mean(*vectors(weighted_mean.MOST + 1))
    with pytest.raises(VarbookError, match="two numbers each"):
        weighted_mean.weighted_mean(torch.zeros(3), torch.zeros(2, 3), torch.zeros(2, 3))


def test_numbers_come_from_what_is_drawn():
    def words(canvas):
        return " ".join(text.get_text() for text, _ in canvas.texts)

    assert "147 scores" in words(attention.block_causal(square(1, 2, 3)))
    assert "(B, L, 64)" in words(adaln.adaln_block(Block(64, 4)))
    assert "weight 0.25" in words(step.cyclevar_step(CycleVARTraining(gan=0.25)))
    assert "9 passes" in words(modes.serial_and_parallel(square(*range(1, 10))))
    assert "7 passes" in words(at_work(square(*range(1, 8))))
    assert "weights are those\nof parallel mode" in words(at_work(square(1, 2, 3)))
    assert "2 to 3" in words(at_work(square(*range(1, 8)))) and "pass 3" in words(
        at_work(square(1, 2, 3))
    )
    assert "155" in words(schedules.any_schedule(square(1, 2, 3, 4, 5, 6, 8)))
    assert "(B, 192, 4)" in words(mamba.mamba_layer(NextScaleConfig(width=96, mamba_state=4)))
    assert "(N, 144)" in words(measures.measures(JUDGE, 64))
    assert "(96, 4, 4)" in words(measures.measures(JUDGE, 32))
    even = weighted_mean.weighted_mean(torch.zeros(2), torch.ones(2, 2), torch.eye(2))
    assert "0.50" in words(even) and "(0.50, 0.50)" in words(even)
    assert "(100, 3)" in words(quantization.quantization(Codebook(100, 3)))
    assert "keep" not in words(step.cyclevar_step(CycleVARTraining(keep_l1=0.0)))


def test_drawing_takes_no_random_number_from_a_notebook():
    book, before = Codebook(8, 2), torch.get_rng_state()
    mamba.mamba_layer(NextScaleConfig())
    quantization.quantization(book)
    relaxations.four_relaxations(LOGITS)
    schedules.any_schedule(square(1, 2, 4))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("seed", range(3))
def test_only_the_row_of_argmax_says_that_no_gradient_comes_back(seed):
    canvas = relaxations.four_relaxations(LOGITS, 2.0, seed)
    assert [text.get_text() for text, _ in canvas.texts].count("none") == 1


def test_every_chapter_is_named_on_the_map():
    told = [text.get_text() for text, _ in book_map.book_map().texts]
    for one in CHAPTERS.values():
        assert one.title in told and one.number in told


def test_few_are_spread_from_end_to_end():
    assert few(3, 4) == [0, 1, 2]
    assert few(7, 4) == [0, 2, 4, 6]
    assert few(10, 3)[::2] == [0, 9]
