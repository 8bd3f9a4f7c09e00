"""Small models for the tests: built in milliseconds, yet with every part of the large ones, and
with every part awake.
"""

import math
from dataclasses import replace

import torch
from torch import Tensor, nn

from varbook.features.judge import Judge, JudgeConfig
from varbook.tokenizer.schedule import square
from varbook.tokenizer.tokenizer import Tokenizer, TokenizerConfig
from varbook.train.keeper import Keeper
from varbook.train.store import Run, train_or_load
from varbook.transformer.model import NextScaleConfig, NextScaleModel, flexvar
from varbook.transformer.text_model import TextNextScaleConfig, TextNextScaleModel
from varbook.translate.cyclevar import CycleVAR, CycleVARConfig

CPU = torch.device("cpu")
SCHEDULE = square(1, 2, 3, 4)
SIDE = 16  # pixels; the stride is 4
TOKENIZER = TokenizerConfig(schedule=SCHEDULE, vocab_size=24, code_dim=8, channels=(8, 16), patch=2)
MODEL = NextScaleConfig(
    schedule=SCHEDULE, vocab_size=24, code_dim=8, classes=3, depth=2, width=32, heads=2
)

READER = TextNextScaleConfig(
    schedule=SCHEDULE,
    vocab_size=24,
    code_dim=8,
    classes=0,
    depth=1,
    width=32,
    heads=2,
    words=("a", "horse", "night", "zebra"),
    text_channels=32,
)


def awake(module: nn.Module, seed: int = 0) -> nn.Module:
    """Give every parameter random values of a useful size: fresh models have gates near zero, which
    would hide mistakes.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            fan_in = parameter[0].numel() if parameter.ndim >= 2 and len(parameter) > 1 else 4
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / math.sqrt(fan_in))
    return module


def tiny_tokenizer(pyramid: str = "residual", seed: int = 0) -> Tokenizer:
    """Return a tokenizer of stride 4 with 24 codes, which its features really use."""
    torch.manual_seed(seed)
    tokenizer = Tokenizer(
        replace(TOKENIZER, pyramid=pyramid, normalise=pyramid == "ground_truth")
    ).eval()
    nn.init.normal_(tokenizer.codebook.embedding.weight, std=0.3)
    return tokenizer


def tiny_model(prediction: str = "residual", seed: int = 1) -> NextScaleModel:
    """Return a next-scale model for `tiny_tokenizer`: VAR's ("residual") or FlexVAR's
    ("ground_truth").
    """
    model = awake(
        NextScaleModel(MODEL if prediction == "residual" else flexvar(MODEL)), seed
    ).eval()
    model.word_embed.weight.data *= 5  # what the model sees shall outweigh where it is
    model.head.bias.data.zero_()  # and no token shall be the favourite everywhere
    return model


def tiny_cyclevar(config: CycleVARConfig | None = None) -> CycleVAR:
    """Return CycleVAR over the two, in evaluation mode."""
    return CycleVAR(tiny_tokenizer(), tiny_model(), config).eval()


def tiny_judge(seed: int = 0) -> Judge:
    """Return an untrained judge of two species, whose features stand in for a real network's."""
    torch.manual_seed(seed)
    return Judge(JudgeConfig(("horse", "zebra"))).eval()


def noise(*shape: int, seed: int = 0) -> Tensor:
    """Return seeded normal numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def pictures(count: int, height: int = SIDE, width: int = SIDE, seed: int = 0) -> Tensor:
    """Return smooth random images (N, 3, H, W) in [-1, 1]."""
    coarse = noise(count, 3, 4, 4, seed=seed)
    return torch.nn.functional.interpolate(coarse, size=(height, width), mode="bicubic").tanh()


def uint8_pictures(count: int, seed: int = 0) -> Tensor:
    """Return the same as uint8."""
    return ((pictures(count, seed=seed) + 1) * 127.5).round().to(torch.uint8)


def same_state(a: nn.Module, b: nn.Module) -> bool:
    """Say whether two modules hold the same bits."""
    ours, theirs = a.state_dict(), b.state_dict()
    return ours.keys() == theirs.keys() and all(
        torch.equal(ours[name], theirs[name]) for name in ours
    )


class Killed(Exception):
    """Stands for a kill."""


class KilledKeeper(Keeper):
    """Saves after three steps, and dies one step later."""

    def step_done(self, step, state):
        """Save, or die."""
        if step == 2:
            self.save(3, state)
        if step == 3:
            raise Killed


def finished_run(kind: str, model: nn.Module, settings: dict, profile: str = "smoke") -> Run:
    """Leave a model below VARBOOK_HOME as a finished run of this kind."""
    return train_or_load(kind, model, settings, lambda keeper: [], seed=0, profile=profile)


def tiny_runs(profile: str = "smoke") -> str:
    """Leave a CycleVAR, its model and its tokenizer below VARBOOK_HOME as finished runs; return the
    CycleVAR's name.
    """
    settings = {"tokenizer": TOKENIZER, "size": SIDE}
    tokenizer = finished_run("photo-tokenizer", tiny_tokenizer(), settings, profile)
    settings = {"tokenizer": tokenizer.key, "model": MODEL}
    model = finished_run("photo-var", tiny_model(), settings, profile)
    settings = {"model": model.key, "cyclevar": CycleVARConfig(temperature=1.5)}
    return finished_run("photo-cyclevar", tiny_model(seed=5), settings, profile).name


def tiny_generators(profile: str = "smoke") -> tuple[str, str]:
    """Leave a FlexVAR model of three classes, and one that reads, below VARBOOK_HOME; return their
    names.
    """
    own = replace(TOKENIZER, pyramid="ground_truth", normalise=True)
    settings = {"tokenizer": own, "size": SIDE}
    tokenizer = finished_run(
        "toy-tokenizer-ground_truth", tiny_tokenizer("ground_truth"), settings, profile
    )
    settings = {"tokenizer": tokenizer.key, "model": flexvar(MODEL)}
    drawer = finished_run("toy-flexvar", tiny_model("ground_truth"), settings, profile)
    settings = {"tokenizer": tokenizer.key, "model": READER}
    reader = finished_run("text-var", awake(TextNextScaleModel(READER)).eval(), settings, profile)
    return drawer.name, reader.name
