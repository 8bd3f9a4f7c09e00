"""Runs one training loop of whichever varbook it finds first, one step at a time, as it is told.

A process of its own, so that two commits can take turns: it reads one case (`cases.py`) as a line
of JSON from its input, then trains one step for every line "step" and answers each with a line of
JSON, until its input ends. It imports nothing of this folder and knows both today's names of modules and
fields and those of commit 6a24e5b.
"""

import importlib
import json
import math
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import torch

# Today's module -> the same of commit 6a24e5b.
OLD_MODULES = {
    "varbook.train.fit_tokenizer": "varbook.train.tokenizer",
    "varbook.train.fit_next_scale": "varbook.train.next_scale",
    "varbook.train.fit_cyclevar": "varbook.train.cyclevar",
}
OLD_FIELDS = {"vocab_size": "codes"}
TRAININGS = {
    "tokenizer": "TokenizerTraining",
    "next_scale": "NextScaleTraining",
    "cyclevar": "CycleVARTraining",
}
MANY_STEPS = 1_000_000  # so that the learning rate stays at its plateau
IMAGES = 64  # of a training set; what they show does not change the cost of a step


def module(name: str) -> Any:
    """Return the module `name`, or the one that had its place before."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return importlib.import_module(OLD_MODULES[name])


def configure(config: type, settings: dict) -> Any:
    """Return the configuration of `settings` (JSON), under the field names that `config` has."""
    known = {field.name for field in fields(config)}
    named = {
        name if name in known else OLD_FIELDS.get(name, name): value
        for name, value in settings.items()
    }
    lists = {name: tuple(value) for name, value in named.items() if isinstance(value, list)}
    if "schedule" in lists:
        lists["schedule"] = tuple((side, side) for side in lists["schedule"])
    return config(**named | lists)


def memory() -> float:
    """Return the highest memory use of this process so far in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts in KiB


def turns(out: TextIO, first_step: int) -> Any:
    """Return a keeper that saves nothing: it starts a loop at `first_step`, and after each step
    says to `out` how long it took and waits for the next line of the input.
    """

    class Turns(module("varbook.train.keeper").Keeper):  # type: ignore[misc]
        def resume(self, state: dict) -> int:
            self._wait()
            return first_step

        def step_done(self, step: int, state: dict) -> None:
            self._synchronise()
            seconds = time.perf_counter() - self.since
            busy = time.process_time() - self.busy_since
            row = {"seconds": seconds, "core_seconds": busy, "peak": memory()}
            if step == first_step:
                row["loss"] = self.curve[-1]["loss"]
            print(json.dumps(row), file=out, flush=True)
            self._wait()

        def _wait(self) -> None:
            if not sys.stdin.readline():
                sys.exit(0)
            self._synchronise()
            self.since, self.busy_since = time.perf_counter(), time.process_time()

        def _synchronise(self) -> None:
            if torch.cuda.is_available():
                torch.cuda.synchronize()

    keeper = Turns(Path(tempfile.gettempdir()))
    keeper.seconds = math.inf  # it saves nothing, also where it is asked to end
    return keeper


def loop(case: dict) -> Callable[[Any], object]:
    """Build the models of `case` and return its loop, which waits for a keeper."""
    device = module("varbook.device").pick_device()
    torch.manual_seed(0)
    coder = module("varbook.tokenizer.tokenizer")
    tokenizer = coder.Tokenizer(configure(coder.TokenizerConfig, case["tokenizer"]))
    size, side = case["image_size"], case["tokenizer"]["schedule"][-1]
    images = torch.randint(0, 256, (IMAGES, 3, size, size), dtype=torch.uint8)
    perceptual = module("varbook.features.perceptual").perceptual_distance().to(device)
    fit = module(f"varbook.train.fit_{case['loop']}")
    settings = case["training"] | {"steps": MANY_STEPS}
    training = configure(getattr(fit, TRAININGS[case["loop"]]), settings)
    shared = {"seed": 0, "device": device}
    if case["loop"] == "tokenizer":
        run = partial(fit.fit_tokenizer, tokenizer, images, training, perceptual=perceptual)
    else:
        network = module("varbook.transformer.model")
        model = network.NextScaleModel(configure(network.NextScaleConfig, case["model"]))
        if case["loop"] == "next_scale":
            features = torch.randn(IMAGES, case["tokenizer"]["code_dim"], side, side)
            labels = torch.arange(IMAGES) % case["model"]["classes"]
            run = partial(fit.fit_next_scale, model, tokenizer, features, labels, training)
        else:
            cyclevar = module("varbook.translate.cyclevar").CycleVAR(tokenizer, model)
            sets = (images[: IMAGES // 2], images[IMAGES // 2 :])
            run = partial(fit.fit_cyclevar, cyclevar, sets, (0, 1), training, perceptual=perceptual)
    torch.manual_seed(1)  # of the discriminators, wherever the models' start has left off
    return lambda keeper: run(keeper=keeper, **shared)


def main() -> None:
    """Say which varbook this is, read the case, and train it."""
    out, sys.stdout = sys.stdout, sys.stderr  # what a loop prints must not be taken for an answer
    torch.set_num_threads(int(sys.argv[1]))
    found = str(Path(module("varbook").__file__).resolve().parents[1])
    print(json.dumps({"varbook": found, "torch": torch.__version__}), file=out, flush=True)
    case = json.loads(sys.stdin.readline())
    loop(case)(turns(out, case["first_step"]))


if __name__ == "__main__":
    main()
