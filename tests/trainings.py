"""Six small trainings, one for each `fit_*`, through the store, in processes that can be stopped and
killed: each takes a second or two.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from at_work import FORKS
from tiny import CPU, MODEL, noise, tiny_cyclevar, tiny_tokenizer, uint8_pictures
from torch import nn

from varbook.errors import ended
from varbook.features.judge import Judge, JudgeConfig
from varbook.train.fit_cyclevar import CycleVARTraining, fit_cyclevar
from varbook.train.fit_judge import fit_judge
from varbook.train.fit_next_scale import NextScaleTraining, fit_next_scale
from varbook.train.fit_rival_generator import fit_rival_generator
from varbook.train.fit_rival_translator import RivalTraining, fit_rival_translator
from varbook.train.fit_tokenizer import TokenizerTraining, fit_tokenizer
from varbook.train.keeper import Curve, Keeper
from varbook.train.store import Run, train_or_load
from varbook.transformer.model import NextScaleModel
from varbook.transformer.rival_generators import make_rival
from varbook.translate.rival_translators import PixelTranslator
from varbook.world.scene import SPECIES

STEPS = 24
LABELS = torch.arange(12) % 3
SETS = (uint8_pictures(6, seed=1), uint8_pictures(4, seed=2))
WHERE: dict = {"seed": 3, "device": CPU}  # of every training
Made = tuple[nn.Module, Callable[[Keeper], Curve]]  # what is kept, and how it is trained


def tokenizer() -> Made:
    """Every part at work: start and cure of the codebook, and the discriminator."""
    model, training = (
        tiny_tokenizer(),
        TokenizerTraining(steps=STEPS, batch=4, warmup=4, revive_every=5, gan_start=0.5),
    )
    return model, lambda keeper: fit_tokenizer(
        model, uint8_pictures(8), training, **WHERE, keeper=keeper
    )


def next_scale() -> Made:
    """FlexVAR's steps, drawn anew each time."""
    model, training = NextScaleModel(MODEL), NextScaleTraining(steps=STEPS, batch=4, max_steps=4)
    return model, lambda keeper: fit_next_scale(
        model, tiny_tokenizer(), noise(12, 8, 4, 4), LABELS, training, **WHERE, keeper=keeper
    )


def cyclevar() -> Made:
    """Copying first, then both directions with their discriminators."""
    translator = tiny_cyclevar()
    training = CycleVARTraining(
        steps=STEPS, batch=2, identity_steps=4, warmup=2, discriminator_channels=(8,)
    )
    return translator.model, lambda keeper: fit_cyclevar(
        translator, SETS, (0, 2), training, **WHERE, keeper=keeper
    )


def judge() -> Made:
    """The judge of species and silhouettes."""
    model = Judge(JudgeConfig(SPECIES, widths=(8, 8, 8), neck=8))
    silhouettes = noise(8, 16, 16) > 0
    return model, lambda keeper: fit_judge(
        model,
        uint8_pictures(8),
        LABELS[:8],
        silhouettes,
        steps=STEPS,
        batch=3,
        **WHERE,
        keeper=keeper,
    )


def rival_generator() -> Made:
    """The masked rival."""
    model, training = make_rival("masked", MODEL), NextScaleTraining(steps=STEPS, batch=4)
    codec = tiny_tokenizer("ground_truth")
    features = noise(12, 8, 4, 4)
    return model, lambda keeper: fit_rival_generator(
        "masked", model, codec, features, LABELS, training, **WHERE, keeper=keeper
    )


def rival_translator() -> Made:
    """CycleGAN with a pool of old fakes that is soon full."""
    training = RivalTraining("cyclegan", steps=STEPS, batch=2, channels=8, blocks=1, pool=4)
    model = PixelTranslator((0, 2), "cyclegan", training.channels, training.blocks)
    return model, lambda keeper: fit_rival_translator(model, SETS, training, **WHERE, keeper=keeper)


TRAININGS: dict[str, Callable[[], Made]] = {
    "fit_tokenizer": tokenizer,
    "fit_next_scale": next_scale,
    "fit_cyclevar": cyclevar,
    "fit_judge": judge,
    "fit_rival_generator": rival_generator,
    "fit_rival_translator": rival_translator,
}
# What is called after each step with its number and the model, and how often is saved in seconds.
After = Callable[[int, nn.Module], None]


def trained(name: str, after: After | None = None, seconds: float = 60.0) -> Run:
    """Train or find the small model of a `fit_*` below VARBOOK_HOME, and return its run."""
    torch.manual_seed(1)
    model, fit = TRAININGS[name]()

    def watched(keeper: Keeper) -> Curve:
        keeper.seconds = seconds
        if after:
            keeper.watch = lambda step: after(step, model)
        torch.manual_seed(2)  # of the discriminators
        return fit(keeper)

    return train_or_load(f"tiny-{name[4:]}", model, {"of": name}, watched, seed=3)


def outcome(run: Run) -> tuple:
    """Return what must be equal to the bit: weights (their digest) and curve."""
    return run.record["sha256"], run.curve


class Held:
    """Stands still after step `step` until it is let go, so that something can be done to the
    process at a known moment.
    """

    def __init__(self, folder: Path, step: int):
        self.folder, self.step = folder, step

    def __call__(self, step: int, model: nn.Module) -> None:
        """Say that the moment is there, and wait."""
        if step != self.step:
            return
        (self.folder / "there").touch()
        _wait_for(self.folder / "go on")

    def wait(self) -> None:
        """Wait for the moment, in another process."""
        _wait_for(self.folder / "there")

    def go_on(self) -> None:
        """Let it go on, from another process."""
        (self.folder / "go on").touch()


def _wait_for(file: Path) -> None:
    end = time.monotonic() + 120
    while not file.exists():
        if time.monotonic() > end:
            raise TimeoutError(file)
        time.sleep(0.005)


def begun(home: Path, name: str, after: After | None = None, *, command: bool = True, **saves):
    """Start a process that trains below `home`, as a command ends (else as a plain script)."""
    process = FORKS.Process(target=_train, args=(home, name, after, command, saves))
    process.start()
    return process


def _train(home: Path, name: str, after: After | None, command: bool, saves: dict) -> None:
    os.environ.update(VARBOOK_HOME=str(home), VARBOOK_DEVICE="cpu", VARBOOK_PRECISION="float32")
    torch.set_num_threads(1)
    sys.stderr = (home / "said").open("w", buffering=1)

    def work() -> int:
        trained(name, after, **saves)
        return 0

    sys.exit(ended(work) if command else work())
