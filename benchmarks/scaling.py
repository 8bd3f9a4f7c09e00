"""Cost against size: `make bench-scaling`.

Tokens, depth, batch and resolution grow over a decade, one at a time, for a training step and for a
generation. Every point is measured in a process of its own: the median time, the peak memory beyond
what the process held before (weights and optimiser excluded), and the floating-point operations. The
exponents are slopes of a straight line through the logarithms; the exponent of the operations is
what the time's should be.
"""

import argparse
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from benchmarks import settings
from benchmarks.fresh import in_fresh_process
from benchmarks.machine import machine_facts
from benchmarks.memory import peak_of
from benchmarks.question import FlopCounter
from benchmarks.scaling_document import write_document
from benchmarks.stepper import Stepper, one_step
from varbook.cores import cores
from varbook.device import autocast, pick_device, precision, setup
from varbook.errors import ended
from varbook.generate.loop import generate
from varbook.generate.sampling import Drawing
from varbook.paths import repository
from varbook.tokenizer.schedule import make_schedule, token_count
from varbook.tokenizer.tokenizer import Tokenizer, TokenizerConfig
from varbook.train.fit_next_scale import NextScaleTraining, fit_next_scale
from varbook.train.fit_tokenizer import TokenizerTraining, fit_tokenizer
from varbook.train.keeper import Keeper
from varbook.transformer.model import NextScaleConfig, NextScaleModel, flexvar

ROUNDS, LEAST_SECONDS = 3, 0.5
# What does not grow: 16 x 16 latent, 8 scales, 3 blocks of 128 channels, 2 images.
BASE = {"side": 16, "depth": 3, "batch": 2}
CODES = {"vocab_size": 1024, "code_dim": 16}
STRIDE = 4  # pixels to a token

# Axis -> the setting that grows and its values. The last ones ask for ten times as much as the first.
AXES: dict[str, tuple[str, tuple[int, ...]]] = {
    "tokens": ("side", (8, 12, 18, 26, 36)),
    "depth": ("depth", (1, 2, 4, 7, 10)),
    "batch": ("batch", (1, 2, 4, 7, 10)),
    "resolution": ("side", (8, 14, 25, 45, 80)),
}


def sizes(setting: str, value: int) -> dict[str, int]:
    """Return BASE with one setting replaced."""
    return BASE | {setting: value}


def along(axis: str, size: dict[str, int]) -> float:
    """Return where a size stands on its axis: tokens of a picture, or pixels of a side."""
    if axis == "tokens":
        return token_count(schedule_of(size))
    return size["side"] * STRIDE if axis == "resolution" else size[AXES[axis][0]]


def schedule_of(size: dict[str, int]):
    """Return the eight scales up to the side of `size`."""
    return make_schedule((size["side"], size["side"]), min(8, size["side"]))


def models(size: dict[str, int]) -> tuple[Tokenizer, NextScaleModel]:
    """Return tokenizer and FlexVAR's transformer of a size, which take any schedule."""
    torch.manual_seed(0)
    schedule = schedule_of(size)
    tokenizer = Tokenizer(
        TokenizerConfig(
            schedule=schedule, **CODES, channels=(32, 64), pyramid="ground_truth", normalise=True
        )
    )
    config = NextScaleConfig(schedule, **CODES, depth=size["depth"], width=128, heads=4)
    device = pick_device()
    return tokenizer.to(device).eval(), NextScaleModel(flexvar(config)).to(device).eval()


def training(axis: str, size: dict[str, int]) -> Callable[[Keeper], object]:
    """Return the loop whose step is timed: the tokenizer's for resolution, else the next-scale
    model's.
    """
    (tokenizer, model), batch, device = models(size), size["batch"], pick_device()
    if axis == "resolution":
        pixels = STRIDE * size["side"]
        images = torch.randint(0, 256, (8, 3, pixels, pixels), dtype=torch.uint8)
        settings = TokenizerTraining(
            steps=10_000, batch=batch, warmup=0, gan=0.0, perceptual=0.0, single_scale=True
        )
        return lambda keeper: fit_tokenizer(
            tokenizer, images, settings, seed=0, device=device, keeper=keeper
        )
    features = torch.randn(16, CODES["code_dim"], size["side"], size["side"])
    labels = torch.zeros(16, dtype=torch.long)
    loop = NextScaleTraining(steps=10_000, batch=batch)
    return lambda keeper: fit_next_scale(
        model, tokenizer, features, labels, loop, seed=0, device=device, keeper=keeper
    )


def generation(size: dict[str, int]) -> Callable[[], Tensor]:
    """Return what draws a batch of pictures with guidance."""
    tokenizer, model = models(size)
    labels = torch.zeros(size["batch"], dtype=torch.long, device=pick_device())

    def run() -> Tensor:
        with autocast(pick_device()):
            drawing = Drawing(guidance=1.5, top_k=900, top_p=0.95)
            return generate(model, tokenizer, labels, drawing=drawing).images

    return run


def point(kind: str, axis: str, value: int) -> dict[str, float]:
    """Return `seconds`, `peak` (MiB) and `gflop` of one size, measured in this process.

    `kind` is "training" or "generation".
    """
    size = sizes(AXES[axis][0], value)
    if kind == "training":
        run: Callable[[], Tensor] = Stepper(training(axis, size))
        counted: Callable[[], object] = lambda: one_step(training(axis, size))  # noqa: E731
    else:
        run = counted = generation(size)
    run()
    times: list[float] = []
    while len(times) < ROUNDS or sum(times) < LEAST_SECONDS:
        began = time.perf_counter()
        run()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        times.append(time.perf_counter() - began)
    peak = peak_of(run)
    with FlopCounter() as counter:
        counted()
    gflop = (counter.products + counter.convolutions) / 1e9
    where = along(axis, size)
    return {"x": where, "seconds": statistics.median(times), "peak": peak, "gflop": gflop}


def exponent(points: Sequence[dict], name: str) -> float:
    """Return the slope of log(`name`) over log(x): the exponent of a power law, by least squares."""
    logs = [(math.log(one["x"]), math.log(max(one[name], 1e-9))) for one in points]
    middle = [statistics.mean(values) for values in zip(*logs, strict=True)]
    above = sum((x - middle[0]) * (y - middle[1]) for x, y in logs)
    return above / sum((x - middle[0]) ** 2 for x, _ in logs)


def measure(kind: str, axis: str, value: int, threads: int) -> dict[str, float]:
    """Return a point, measured in a process of its own; VarbookError where that fails."""
    asked = (kind, axis, value, threads)
    return in_fresh_process(_point_alone, asked, f"{axis} {value} of {kind}")


def _point_alone(kind: str, axis: str, value: int, threads: int) -> dict[str, float]:
    os.environ["VARBOOK_BATCH"] = "1"  # no bars
    settings.one_arena()
    setup(0, threads)
    return point(kind, axis, value)


def curve(kind: str, axis: str, values: Sequence[int], threads: int) -> dict:
    """Return the points of one axis and the fitted exponents of time, operations and memory."""
    points = [measure(kind, axis, value, threads) for value in values]
    fitted = {name: exponent(points, name) for name in ("seconds", "gflop", "peak")}
    return {"kind": kind, "axis": axis, "points": points, "exponents": fitted}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure every axis, print the exponents and write the documents."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=cores(), help="(default: all cores)")
    parser.add_argument("--only", default="", help=f"axes, with commas, of {', '.join(AXES)}")
    parser.add_argument("--docs", type=Path, help="folder for scaling.json, .md and .png")
    chosen = parser.parse_args(arguments)
    settings.one_arena()
    device = setup(0, chosen.threads)
    print(f"{'':<14}{'axis':<14}{'range':>14}{'time':>8}{'operations':>12}{'memory':>8}")
    curves = []
    for kind in ("training", "generation"):
        for axis in chosen.only.split(",") if chosen.only else AXES:
            curves.append(curve(kind, axis, AXES[axis][1], chosen.threads))
            found, points = curves[-1]["exponents"], curves[-1]["points"]
            span = f"{points[0]['x']:g} to {points[-1]['x']:g}"
            print(
                f"{kind:<14}{axis:<14}{span:>14}{found['seconds']:>8.2f}{found['gflop']:>12.2f}{found['peak']:>8.2f}",
                flush=True,
            )
    folder = chosen.docs or (None if chosen.only else repository() / "docs")
    if folder:
        facts = machine_facts(device, chosen.threads)
        facts["precision"] = str(precision(device)).removeprefix("torch.")
        write_document({"machine": facts, "curves": curves}, folder)
    return 0


if __name__ == "__main__":
    sys.exit(ended(main))
