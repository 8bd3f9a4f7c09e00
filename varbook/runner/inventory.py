"""What this machine has of what varbook can use but does not need, and what is lost without it.

Rows as `machine.machine_check` has them: check, verdict, found, what to do.
"""

import importlib.metadata
import os
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from varbook import paths
from varbook.errors import VarbookError
from varbook.evaluate import fidelity
from varbook.features import clip, dino, flan_t5, mobilenet, perceptual, squeezenet
from varbook.runner.machine import FAIL, NOTE, OK, row
from varbook.train.records import read_record
from varbook.train.store import run_key
from varbook.train.weights import load_tensors

MISSING = "missing"  # a fourth verdict: something that is not needed is not there


class Weights(NamedTuple):
    """Pretrained weights that are used where they are found."""

    name: str
    place: Callable[[], object]  # where they are, false where they are not
    lost: str  # without them


class Package(NamedTuple):
    """An optional package."""

    module: str
    extra: str  # of `pip install "varbook[extra]"`
    lost: str  # without it


def _flan_t5() -> bool:
    if find_spec("huggingface_hub") is None:
        return False
    from huggingface_hub import try_to_load_from_cache

    known = try_to_load_from_cache(flan_t5.NAME, "config.json", revision=flan_t5.REVISION)
    return isinstance(known, str)


def _trunk(name: str) -> Callable[[], bool]:
    return lambda: perceptual.trunk_cached(name)


WEIGHTS = (
    Weights(
        "SqueezeNet (perceptual loss, critic)",
        lambda: paths.weights_file(squeezenet.FILE),
        "losses compare features of a random network, and photographs are translated worse",
    ),
    Weights(
        "MobileNet (distances on photographs)",
        lambda: paths.weights_file(mobilenet.FILE),
        "photographs have no FD-mobilenet and no structure distance",
    ),
    Weights(
        "Inception (FID, KID, IS)",
        fidelity.inception_cached,
        "distances are FD-mobilenet or FD-toy, never FID",
    ),
    Weights(
        "VGG-16 (LPIPS as published)",
        _trunk("lpips-vgg"),
        "LPIPS is computed with SqueezeNet and named so",
    ),
    Weights("CLIP ViT-B/32", clip.clip_at_hand, "no discriminator over CLIP (paper profile)"),
    Weights("DINO ViT-B/8", dino.checkpoint, "no structure distance as published (paper profile)"),
    Weights("Flan-T5-XL", _flan_t5, "Infinity reads no prompts (chapter 11, paper profile)"),
)
PACKAGES = (
    Package("onnx", "export", "no translator as an ONNX file"),
    Package("onnxscript", "export", "no translator as an ONNX file"),
    Package("onnxruntime", "export", "an ONNX file cannot be tried here"),
    Package("open_clip", "clip", "no discriminator over CLIP"),
    Package("transformers", "text", "no Flan-T5, so no published Infinity"),
    Package("huggingface_hub", "hub", "published checkpoints are not fetched, only read"),
    Package("timm", "hub", "nothing but the check of DINO against its published code"),
    Package("mamba_ssm", "mamba", "Mamba's scan runs in plain torch, slower on cards"),
    Package("snakemake_executor_plugin_slurm", "cluster", "no jobs on SLURM"),
    Package("pytest", "dev", "no tests"),
    Package("nbval", "dev", "notebooks are not checked cell by cell"),
)
# Folder below VARBOOK_DATA -> who uses it, and how it is had.
DATA = {
    "horse2zebra": "chapter 09; data_scripts/fetch_horse2zebra.py fetches it",
    "day2night": "chapter 11; data_scripts/prepare_bdd100k.py makes it",
    "imagenet-shards": "the paper profile; data_scripts/prepare_imagenet.py and make_shards.py",
    "openimages-shards": "the paper profile; data_scripts/prepare_openimages.py and make_shards.py",
}


def weights() -> list[dict]:
    """Return a row for each network of pretrained weights: where it is, or what is lost."""
    rows = []
    for entry in WEIGHTS:
        try:
            place = entry.place()
        except VarbookError:
            place = None
        found = str(place) if isinstance(place, Path) else "in the cache"
        rows.append(row(entry.name, OK if place else MISSING, found if place else entry.lost))
    return rows


def optional_packages() -> list[dict]:
    """Return a row for each optional package: its version, or what is lost without it."""
    rows = []
    for package in PACKAGES:
        if find_spec(package.module) is None:
            remedy = f'{package.lost}; pip install "varbook[{package.extra}]"'
            rows.append(row(package.module, MISSING, remedy))
            continue
        names = importlib.metadata.packages_distributions().get(package.module, [])
        rows.append(
            row(package.module, OK, importlib.metadata.version(names[0]) if names else "there")
        )
    return rows


def data_sets() -> list[dict]:
    """Return a row for each data set: where it is, or who misses it; and one for a VARBOOK_DATA
    that leads nowhere.
    """
    rows = []
    try:
        paths.check_data_place()
    except VarbookError as error:
        rows.append(_wrong("VARBOOK_DATA", error))
    for name, use in DATA.items():
        folder = None if rows and rows[0]["verdict"] == FAIL else paths.data_folder(name)
        rows.append(row(name, OK if folder else MISSING, str(folder or f"not here: {use}")))
    return rows


def _wrong(variable: str, error: VarbookError) -> dict:
    """Return the row of a variable that names something wrong: its sentence, cut in two."""
    found, _, todo = str(error).removeprefix(f"{variable} ").rstrip(".").rpartition(": ")
    return row(variable, FAIL, found, todo)


def places() -> list[dict]:
    """Return a row for each place where things are kept: set or default, there or not, writable."""
    rows = []
    for variable, place in (("VARBOOK_HOME", paths.home), ("VARBOOK_FIGURES", paths.figures)):
        how = "set" if os.environ.get(variable) else "default"
        try:
            folder = place()
            paths.check_writable(folder)
            free = shutil.disk_usage(folder).free / 1e9
            rows.append(row(variable, OK, f"{folder} ({how}), {free:.0f} GB free"))
        except VarbookError as error:
            rows.append(row(variable, FAIL, str(error), f"set {variable} to another folder"))
    for variable, look in (
        ("VARBOOK_DATA", paths.data_places),
        ("VARBOOK_WEIGHTS", paths.weights_places),
    ):
        value = os.environ.get(variable)
        how = f"set to {value}" if value else "default"
        try:
            there = [str(folder) for folder in look() if folder.is_dir()]
        except VarbookError as error:
            rows.append(_wrong(variable, error))
            continue
        rows.append(
            row(variable, NOTE, f"{how}; looked through: {', '.join(there) or 'none is there'}")
        )
    return rows


def shipped_runs() -> list[dict]:
    """Return a row for the runs that come with the book: are they whole, and found by their keys?"""
    broken, count = [], 0
    for file in sorted((paths.shipped() / "checkpoints").glob("*.safetensors")):
        count += 1
        try:
            note = paths.shipped() / "records" / f"{file.stem}.json"
            record = read_record(note, renamed=True)
            key = run_key(record["kind"], record["settings"], record["seed"])
            if f"{record['kind']}-{key}" != file.stem:
                broken.append(f"{file.stem} is looked for as {record['kind']}-{key}")
            load_tensors(file, record["sha256"])
        except (VarbookError, KeyError) as error:
            broken.append(str(error))
    todo = "install varbook again, or restore the checkout: git checkout varbook/shipped"
    return [
        row(
            "runs that come with the book",
            bool(count) and not broken,
            "; ".join(broken) or f"{count}, each whole and found by its key",
            todo,
        )
    ]
