"""Where a training step spends its time, loop by loop: `make bench-profile`.

Each loop runs once. Hooks at the networks, at backward and at the optimisers give the shares of the
parts of a step; torch's profiler, which is on for the last of the steps alone, gives the operators.
Nothing in the loops is changed for it.
"""

import argparse
import math
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)
from torch.profiler import ProfilerActivity, profile

from benchmarks.cases import LOOPS, SIZES, case
from benchmarks.machine import machine_facts
from benchmarks.worker import loop
from varbook.cores import cores
from varbook.device import precision, setup
from varbook.errors import ended
from varbook.features.perceptual import Perceptual
from varbook.paths import repository
from varbook.tokenizer.autoencoder import Decoder, Encoder
from varbook.tokenizer.pyramid import Pyramid
from varbook.train.keeper import Keeper, State
from varbook.transformer.model import NextScaleModel
from varbook.translate.discriminator import FeatureDiscriminator, PatchDiscriminator

WARM, STEPS, OPERATORS = 2, 6, 10

# The outermost of these networks that is at work gets the time.
PARTS: dict[type[nn.Module], str] = {
    Encoder: "encoder, forward",
    Decoder: "decoder, forward",
    Pyramid: "pyramid, forward",
    NextScaleModel: "transformer, forward",
    Perceptual: "perceptual network, forward",
    PatchDiscriminator: "discriminators, forward",
    FeatureDiscriminator: "discriminators, forward",
}
REST = "everything else"


class Stopwatch:
    """Seconds by part of a step; of a part within a part only the outer one counts."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self.depth, self.started = 0, 0.0

    def enter(self) -> None:
        """A part begins."""
        if self.depth == 0:
            self.started = time.perf_counter()
        self.depth += 1

    def leave(self, part: str) -> None:
        """The part that began last ends."""
        self.depth -= 1
        if self.depth == 0:
            self.seconds[part] += time.perf_counter() - self.started


@contextmanager
def hooks(watch: Stopwatch, backwards: Sequence[str]) -> Iterator[None]:
    """Let `watch` see every network, backward pass and optimiser within this context.

    `backwards` names the backward passes of a step in their order.
    """

    def part_of(module: nn.Module) -> str | None:
        return next((part for kind, part in PARTS.items() if isinstance(module, kind)), None)

    def before(module: nn.Module, inputs: Any) -> None:
        if part_of(module):
            watch.enter()

    def after(module: nn.Module, inputs: Any, outputs: Any) -> None:
        part = part_of(module)
        if part:
            watch.leave(part)

    original, done = Tensor.backward, 0

    def backward(self: Tensor, *arguments: Any, **options: Any) -> None:
        nonlocal done
        watch.enter()
        original(self, *arguments, **options)
        watch.leave(backwards[done % len(backwards)])
        done += 1

    handles = [
        register_module_forward_pre_hook(before),
        register_module_forward_hook(after),
        register_optimizer_step_pre_hook(lambda *unused: watch.enter()),
        register_optimizer_step_post_hook(lambda *unused: watch.leave("optimisers")),
    ]
    Tensor.backward = backward  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        Tensor.backward = original  # type: ignore[method-assign]
        for handle in handles:
            handle.remove()


class _Over(Exception):
    """Ends a loop after its last step."""


class Watched(Keeper):
    """Runs a loop from step `first` on: WARM steps, STEPS under the watch, one under the profiler."""

    def __init__(self, first: int, watch: Stopwatch):
        super().__init__(Path("unused"), seconds=math.inf)
        self.first, self.watched = first, watch
        self.profiler = profile(activities=[ProfilerActivity.CPU], acc_events=True)
        self.total = self.since = 0.0

    def resume(self, state: State) -> int:
        """Begin at the first step."""
        return self.first

    def step_done(self, step: int, state: State) -> None:
        """Count the steps, and say where the time of a step begins."""
        done = step + 1 - self.first
        if done == WARM:
            self.watched.seconds.clear()
            self.since = time.perf_counter()
        if done == WARM + STEPS:
            self.total = time.perf_counter() - self.since
            self.parts = Counter(self.watched.seconds)
            self.profiler.start()
        if done == WARM + STEPS + 1:
            self.profiler.stop()
            raise _Over


def profiled(made: dict) -> dict:
    """Return where the steps of a case spend their time: `seconds` of a step, the share of each of
    its `parts`, and of each of its `operators` with its calls, the largest first.
    """
    judged = made["loop"] == "cyclevar" or made["training"].get("gan_start") == 0
    backwards = ["backward"] if not judged else ["backward", "discriminators, backward"]
    watch = Stopwatch()
    keeper = Watched(made["first_step"], watch)
    run = loop(made)
    with hooks(watch, backwards), suppress(_Over):
        run(keeper)
    parts = {name: spent / keeper.total for name, spent in keeper.parts.most_common()}
    parts[REST] = 1.0 - sum(parts.values())
    events = [event for event in keeper.profiler.key_averages() if event.self_cpu_time_total > 0]
    whole = sum(event.self_cpu_time_total for event in events)
    events.sort(key=lambda event: -event.self_cpu_time_total)
    return {
        "name": made["name"],
        "seconds": keeper.total / STEPS,
        "parts": parts,
        "operators": [
            (event.key, event.self_cpu_time_total / whole, event.count)
            for event in events[:OPERATORS]
        ],
    }


TEXT = """# Where a training step spends its time

Measured by `make bench-profile` on {processor} ({class}), {threads} threads, in {precision}, torch {torch}, {date}. The
parts are those of {steps} steps, timed at the networks, at `backward` and at the optimisers; a part within another one
(the perceptual network's share of `backward`, say) belongs to the outer one. The operators are those of one more step
under torch's profiler, by the time that they spend themselves. The sizes are those of
[benchmarks/cases.py](../benchmarks/cases.py): "laptop" is the toy world's chain in that profile, "papers" has a latent of
16 x 16 and the papers' ten scales.
"""


def section(found: dict) -> str:
    """Return a profile as a section in Markdown."""
    lines = [f"## {found['name']}: {1000 * found['seconds']:.0f} ms a step", ""]
    lines += ["| part | share |", "|---|---|"]
    lines += [f"| {name} | {share:.0%} |" for name, share in found["parts"].items()]
    lines += ["", "| operator | share | calls a step |", "|---|---|---|"]
    lines += [f"| `{name}` | {share:.0%} | {count} |" for name, share, count in found["operators"]]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Profile every loop and write the document."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="papers", help=f"of {', '.join(SIZES)}")
    parser.add_argument("--only", default="", help=f"loops whose name has this, of {list(LOOPS)}")
    parser.add_argument("--out", type=Path, help="file (default: docs/where_time_goes.md)")
    chosen = parser.parse_args(arguments)
    device = setup(0, cores())
    facts = machine_facts(device, torch.get_num_threads()) | {"steps": STEPS}
    facts["precision"] = str(precision(device)).removeprefix("torch.")
    sections = [TEXT.format(**facts)]
    for size in chosen.sizes.split(","):
        for name in [name for name in LOOPS if chosen.only.lower() in name.lower()]:
            sections.append(section(profiled(case(size, name))))
            print(sections[-1] + "\n", flush=True)
    whole = repository() / "docs" / "where_time_goes.md" if not chosen.only else None
    file = chosen.out or whole
    if file:
        file.write_text("\n\n".join(part.strip() for part in sections) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(ended(main))
