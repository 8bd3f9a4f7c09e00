"""What comes with the book as a start for a chain of the reader's own: tokenizer and next-scale
model of photographs.

Measured on data sets that they have never seen: docs/own_pictures.md.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from torch import nn

from varbook import paths
from varbook.book.models.trained import Trained, Watch
from varbook.own.plan import base_chain
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.train.records import read_record
from varbook.train.store import Run, plain
from varbook.train.weights import load_tensors, unpack
from varbook.transformer.model import NextScaleModel
from varbook.transformer.text_model import make_next_scale

Model = TypeVar("Model", bound=nn.Module)


def book_tokenizer() -> Trained[Tokenizer] | None:
    """Return the shipped tokenizer of photographs that fits this machine's chain, or None.

    Only its schedule may differ: no weight depends on it.
    """
    config = base_chain().tokenizer
    return _shipped("photo-tokenizer", "tokenizer", config, lambda: Tokenizer(config))


def book_model() -> Trained[NextScaleModel] | None:
    """Return the shipped next-scale model of photographs that fits this machine's chain, or None."""
    config = base_chain().model
    return _shipped("photo-var", "model", config, lambda: make_next_scale(config))


def _shipped(kind: str, part: str, config, build: Callable[[], Model]) -> Trained[Model] | None:
    fitting = plain(config) | {"schedule": None}
    for file in sorted((paths.shipped() / "records").glob(f"{kind}-*.json")):
        run = Run(file.stem, read_record(file), "shipped")
        if run.record["settings"][part] | {"schedule": None} == fitting and _weights(run).is_file():
            return _trained(run, build)
    return None


def _weights(run: Run) -> Path:
    return paths.shipped() / "checkpoints" / f"{run.name}.safetensors"


def _trained(run: Run, build: Callable[[], Model]) -> Trained[Model]:
    def make(watch: Watch | None) -> tuple[Model, Run]:
        model = build()
        unpack(model, load_tensors(_weights(run), run.sha256), _weights(run))
        return model.eval(), run

    return Trained(run.key, make)
