"""`load("var-d16")`: a published checkpoint, fetched or from a file of yours, in our modules."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from varbook.errors import VarbookError
from varbook.pretrained.catalogue import PUBLISHED, Published
from varbook.pretrained.files import blob_checksum, check, checksum, fetch, read
from varbook.pretrained.layouts import Layout, convert
from varbook.tokenizer.tokenizer import Tokenizer, TokenizerConfig
from varbook.transformer.model import NextScaleModel
from varbook.transformer.text_model import make_next_scale

Model = TypeVar("Model", bound=nn.Module)


def find(name: str) -> Published:
    """Return the entry of the catalogue; VarbookError lists the names where there is none."""
    if name not in PUBLISHED:
        raise VarbookError(
            f"There is no published model {name!r}; use one of {', '.join(PUBLISHED)}."
        )
    return PUBLISHED[name]


def build(name: str, device: str = "cpu") -> Tokenizer | NextScaleModel:
    """Return the module of a published model with arbitrary weights.

    On the device "meta" it costs no memory.
    """
    config = find(name).config
    # The weights come from the file: nothing is drawn at random for two billion parameters first.
    with torch.device("meta"):
        model = (
            Tokenizer(config) if isinstance(config, TokenizerConfig) else make_next_scale(config)
        )
    return model if device == "meta" else model.to_empty(device=device)


def fill(model: Model, path: str | Path, layout: Layout, part: str = "") -> Model:
    """Load the published checkpoint at `path` into `model` and return it in evaluation mode.

    Where the file holds the model more than once (its moving average beside it), `part` names which.
    Strict: raises VarbookError that names file or tensor, and then `model` is as it was before.
    """
    state = convert(read(Path(path)), model, layout, str(path), part)
    model.load_state_dict(state)
    return model.eval()


def load(
    name: str,
    path: str | Path | None = None,
    *,
    sha256: str | None = None,
    part: str = "",
    say: Callable[[str], None] = print,
) -> Tokenizer | NextScaleModel:
    """Return the published model `name` (see PUBLISHED) on the CPU, in float32 and evaluation mode.

    Without a `path` its file is fetched with huggingface_hub; with one (.pth, .pt or .safetensors)
    the network is not used. `part` names the weights in a file that holds several. `say` is told
    which checksum the file has; `sha256` demands one. Raises VarbookError for an unknown name, a
    file that cannot be had, is damaged, is another one, holds code, or does not fit the model to
    the last tensor.
    """
    entry = find(name)
    if path is None:
        file = fetch(name, entry.repository, entry.file, entry.revision)
        expected = sha256 or entry.sha256 or blob_checksum(file)
    else:
        # A file of the reader's own may hold the same tensors in another form: no checksum is known.
        file = Path(path).expanduser()
        expected = sha256
    digest = checksum(file)
    check(file, digest, expected)
    newest = ", the newest of its repository" if path is None and not entry.revision else ""
    say(
        f"{name}: {file}{newest}, {file.stat().st_size / 1e6:.0f} MB, sha256 {digest} "
        f"({_verdict(digest, expected, entry.sha256)})"
    )
    return fill(build(name), file, entry.layout, part)


def _verdict(digest: str, expected: str | None, recorded: str | None) -> str:
    if expected or digest == recorded:
        return "as it should be"
    return (
        "not the file that was published"
        if recorded
        else "none is on record: keep this one and pass it as sha256 next time"
    )


def load_pair(
    name: str,
    path: str | Path | None = None,
    tokenizer_path: str | Path | None = None,
    *,
    say: Callable[[str], None] = print,
) -> tuple[NextScaleModel, Tokenizer]:
    """Return the published next-scale model `name` and the tokenizer that it was trained with.

    Raises VarbookError as `load` does.
    """
    entry = find(name)
    if not entry.tokenizer:
        models = ", ".join(other for other, row in PUBLISHED.items() if row.tokenizer)
        raise VarbookError(f"{name} is a tokenizer alone; next-scale models are {models}.")
    model = load(name, path, say=say)
    tokenizer = load(entry.tokenizer, tokenizer_path, say=say)
    # An entry of the catalogue that names a tokenizer is a next-scale model.
    assert isinstance(model, NextScaleModel) and isinstance(tokenizer, Tokenizer)
    return model, tokenizer
