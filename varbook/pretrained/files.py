"""Checkpoint files: fetched, checked, and read without running any code that they contain."""

import argparse
import hashlib
import pickle
import re
import zipfile
from pathlib import Path

import torch
from safetensors.torch import load_file

from varbook.errors import VarbookError


def address(repository: str, file: str, revision: str | None = None) -> str:
    """Return where a browser finds the file."""
    return f"https://huggingface.co/{repository}/resolve/{revision or 'main'}/{file}"


def fetch(name: str, repository: str, file: str, revision: str | None = None) -> Path:
    """Return the file from the cache of huggingface_hub, downloaded where it is missing.

    Raises VarbookError that says what to do where the package or the network is missing.
    """
    by_hand = f'or download {address(repository, file, revision)} and pass its path: load("{name}", path="{file}")'
    try:
        from huggingface_hub import hf_hub_download
    except ImportError:
        raise VarbookError(
            f"{name} is fetched with huggingface_hub, which is not installed: pip install varbook[hub], {by_hand}."
        ) from None
    try:
        return Path(hf_hub_download(repository, file, revision=revision))
    # The package raises a dozen kinds of errors, from no network to no such revision.
    except Exception as error:
        raise VarbookError(
            f"{file} could not be fetched from {repository} ({type(error).__name__}): "
            f"connect to the network and try again, {by_hand}."
        ) from error


def checksum(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal digits; VarbookError where there is no file."""
    if not path.is_file():
        raise VarbookError(f"There is no checkpoint file at {path}; check the path.")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def blob_checksum(path: Path) -> str | None:
    """Return the checksum that the hub states for a fetched file: its cache is named by it."""
    blob = path.resolve().name
    return blob if re.fullmatch(r"[0-9a-f]{64}", blob) else None


def check(path: Path, digest: str, expected: str | None) -> None:
    """Raise VarbookError where the checksum is not the `expected` one (None: not known)."""
    if expected and digest != expected.lower():
        raise VarbookError(
            f"The checksum of {path} is {digest}, not {expected}: the file is damaged or another one; delete it and fetch it again."
        )


def read(path: Path) -> dict:
    """Return what a .safetensors or .pth file holds: tensors by name, or nested dictionaries.

    Raises VarbookError where the file is cut off or damaged, holds code, or holds no dictionary.
    """
    content = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)
    if not isinstance(content, dict):
        raise VarbookError(
            f"{path} holds a {type(content).__name__}, not tensors by name; it is not a checkpoint of a model."
        )
    return content


def _read_safetensors(path: Path) -> dict:
    try:
        return load_file(path)
    except Exception as error:
        raise VarbookError(
            f"{path} is cut off or no safetensors file; delete it and fetch it again."
        ) from error


def _read_pickle(path: Path):
    try:
        # Namespace, in which trainings keep their arguments, holds values only; every other class
        # is refused.
        with torch.serialization.safe_globals([argparse.Namespace]):
            # Mapped, a file of gigabytes is not held in memory twice.
            return torch.load(
                path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path)
            )
    except pickle.UnpicklingError as error:
        code = re.search(r"GLOBAL (\S+)|(?:global|class|function) (\S+\.\S+)", str(error))
        if code:
            raise VarbookError(
                f"{path} is refused: it asks for {(code[1] or code[2]).rstrip('.,')}, which could run code; "
                "take a file that holds tensors alone."
            ) from None
        raise VarbookError(
            f"{path} is cut off or no checkpoint of torch; delete it and fetch it again."
        ) from error
    except Exception as error:
        raise VarbookError(
            f"{path} is cut off or no checkpoint of torch; delete it and fetch it again."
        ) from error
