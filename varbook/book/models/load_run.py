"""A trained model put together again from its record and those of its parents."""

from functools import partial
from pathlib import Path
from typing import TypeVar, cast

from torch import nn

from varbook.book.models.find import Stored, find_run, parent
from varbook.book.models.tasks import TASKS
from varbook.book.models.trained import Trained
from varbook.config import rebuild
from varbook.device import pick_device
from varbook.errors import VarbookError
from varbook.pretrained.published_cyclevar import published_cyclevar
from varbook.tokenizer.tokenizer import Tokenizer, TokenizerConfig
from varbook.train.store import Run
from varbook.train.weights import load_tensors, unpack
from varbook.transformer.model import NextScaleConfig, NextScaleModel
from varbook.transformer.text_model import TextNextScaleConfig, make_next_scale
from varbook.translate.cyclevar import CycleVAR, CycleVARConfig

Model = TypeVar("Model", bound=nn.Module)
# Kinds whose parents are not runs, but published files.
PUBLISHED = {
    task.kind("published"): task.published for task in TASKS.values() if task.published is not None
}


def load(run: str | Path | Stored, role: str = "") -> Trained:
    """Return a trained tokenizer, next-scale model or translator; its weights are read when it is
    first asked for.

    `run` is what `find_run` takes, or returns. A translator's parent is its next-scale model, and
    that one's its tokenizer; both are looked for beside the run first. VarbookError where something
    is missing, damaged, or of another `role`.
    """
    stored = run if isinstance(run, Stored) else find_run(run, role)
    makers = {"tokenizer": _tokenizer, "next-scale": _next_scale, "translator": _translator}
    if stored.role not in makers:
        raise VarbookError(
            f"{stored.name} is neither a tokenizer, nor a next-scale model, nor a translator: "
            "the chapter that trained it loads it."
        )
    above = [parent(key, stored) for key in _parent_keys(stored)]
    parents = tuple(load(entry) for entry in above)
    model = partial(makers[stored.role], stored, above, parents)
    return Trained(stored.record["key"], lambda watch: (model(), stored.run()), parents)


def load_generator(run: str | Path | Stored) -> tuple[NextScaleModel, Tokenizer, Run]:
    """Return a trained next-scale model, its tokenizer, and its run."""
    model, found, (tokenizer,) = load(run, "next-scale")
    return cast(NextScaleModel, model), cast(Tokenizer, tokenizer.model), found


def load_cyclevar(run: str | Path | Stored) -> tuple[CycleVAR, Run]:
    """Return a trained CycleVAR and its run."""
    cyclevar, found, _ = load(run, "translator")
    return cyclevar, found


def _parent_keys(stored: Stored) -> list[str]:
    if stored.role == "tokenizer" or stored.record["kind"] in PUBLISHED:
        return []
    settings = stored.record["settings"]
    return [settings["tokenizer" if stored.role == "next-scale" else "model"]]


def _filled(model: Model, stored: Stored) -> Model:
    """Load the weights of a run into `model`, and return the model where it will run."""
    weights = stored.weights()
    unpack(model, load_tensors(weights, stored.record.get("sha256")), weights)
    return model.to(pick_device()).eval()


def _make_next_scale(stored: Stored) -> NextScaleModel:
    config = TextNextScaleConfig if stored.reads else NextScaleConfig
    return make_next_scale(rebuild(config, stored.record["settings"]["model"]))


def _tokenizer(stored: Stored, above: list[Stored], parents: tuple[Trained, ...]) -> Tokenizer:
    tokenizer = Tokenizer(rebuild(TokenizerConfig, stored.record["settings"]["tokenizer"]))
    return _filled(tokenizer, stored)


def _next_scale(
    stored: Stored, above: list[Stored], parents: tuple[Trained, ...]
) -> NextScaleModel:
    return _filled(_make_next_scale(stored), stored)


def _translator(stored: Stored, above: list[Stored], parents: tuple[Trained, ...]) -> CycleVAR:
    """Return a CycleVAR. Its own weights are those of its whole next-scale model, so that of its
    parent only the shape is needed.
    """
    config = rebuild(CycleVARConfig, stored.record["settings"]["cyclevar"])
    kind = stored.record["kind"]
    if kind in PUBLISHED:
        start = PUBLISHED[kind]
        cyclevar = published_cyclevar(start.checkpoint, config=config, classes=start.classes)
        cyclevar = cyclevar.to(pick_device())
    else:
        tokenizer = cast(Tokenizer, parents[0].parents[0].model)
        cyclevar = CycleVAR(tokenizer, _make_next_scale(above[0]), config)
    _filled(cyclevar.model, stored)
    return cyclevar.eval()
