"""Does this machine run the book? One row per check, each with what to do where it fails."""

import importlib.metadata
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from packaging.requirements import Requirement

from varbook.book.claims.provenance import installed_version
from varbook.cores import cores
from varbook.device import has_bfloat16, pick_device
from varbook.errors import VarbookError
from varbook.paths import check_writable, figures, home, repository, shipped

OK, FAIL, NOTE = "OK", "FAIL", "note"  # a note says what was found; it cannot fail
SETUP = "run `make setup` and choose the kernel of its environment"


def row(check: str, verdict: str | bool, found: str, todo: str = "") -> dict:
    """Return a row of a check; `todo` (what to do) counts where the verdict is FAIL or False."""
    word = verdict if isinstance(verdict, str) else OK if verdict else FAIL
    return {
        "check": check,
        "verdict": word,
        "found": found,
        "what to do": todo if word == FAIL else "",
    }


def _python() -> list[dict]:
    version = sys.version_info
    return [
        row(
            "Python 3.11 to 3.13",
            (3, 11) <= version[:2] <= (3, 13),
            ".".join(map(str, version[:3])),
            SETUP,
        )
    ]


def packages() -> list[dict]:
    """Return a row for each package that varbook needs: installed, and within its bounds?"""
    try:
        needed = [Requirement(text) for text in importlib.metadata.requires("varbook") or []]
    except importlib.metadata.PackageNotFoundError:
        return [row("varbook is installed", False, "not installed", SETUP)]
    rows = []
    for package in needed:
        if package.marker and not package.marker.evaluate({"extra": ""}):
            continue  # of an optional group
        version = installed_version(package.name)
        good = version is not None and package.specifier.contains(version, prereleases=True)
        rows.append(row(f"{package.name} {package.specifier}", good, version or "missing", SETUP))
    return rows


def _pair() -> list[dict]:
    try:
        import torchvision

        # A wrong pair imports well and fails at the first call of a compiled operator.
        boxes = torchvision.ops.nms(torch.tensor([[0.0, 0, 1, 1]]), torch.ones(1), 0.5)
        return [row("torch and torchvision fit together", boxes.tolist() == [0], "nms answers")]
    except (ImportError, RuntimeError) as error:
        todo = "install the pair that requirements.txt names, both at once"
        return [row("torch and torchvision fit together", False, str(error).splitlines()[0], todo)]


def _checkout() -> list[dict]:
    here = Path.cwd()
    code = repository()
    inside = any((folder / "varbook").is_dir() for folder in (here, *here.parents))
    good = not inside or code == here or code in here.parents
    return [
        row(
            "the notebook runs this checkout's code",
            good,
            "yes" if good else "another copy of varbook",
            SETUP,
        )
    ]


def _writable(name: str, place: Callable[[], Path], gigabytes: float) -> dict:
    try:
        free = shutil.disk_usage(check_writable(place())).free / 1e9
    except VarbookError as error:
        remedy = "set VARBOOK_HOME or VARBOOK_FIGURES"
        return row(f"{name} can be written", False, str(error), remedy)
    todo = f"make {gigabytes:g} GB free, or point VARBOOK_HOME elsewhere"
    return row(f"{name} can be written", free >= gigabytes, f"{free:.0f} GB free", todo)


def _arithmetic() -> list[dict]:
    device = pick_device()
    x = torch.randn(512, 512, generator=torch.Generator().manual_seed(0))
    there = x.to(device)
    times = []
    for _ in range(5):
        began = time.perf_counter()
        product = (there @ there).cpu()
        times.append(time.perf_counter() - began)
    error = ((product.double() - x.double() @ x.double()).norm() / product.double().norm()).item()
    image = torch.randn(1, 3, 16, 16, device=device, requires_grad=True)
    total = torch.nn.functional.conv2d(image, torch.ones(4, 3, 3, 3, device=device)).sum()
    (gradient,) = torch.autograd.grad(total, image)
    gigaflops = 2 * 512**3 / min(times) / 1e9
    return [
        row(
            "float32 products are exact enough",
            error < 1e-3,
            f"{device}, about {gigaflops:.0f} GFLOP/s",
            "unset torch's matmul precision, or set VARBOOK_DEVICE=cpu",
        ),
        row(
            "gradients flow through a convolution",
            bool(gradient.isfinite().all()),
            str(device),
            "set VARBOOK_DEVICE=cpu",
        ),
    ]


def _memory() -> list[dict]:
    try:
        gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (AttributeError, ValueError, OSError):
        return [row("memory", NOTE, "unknown on this system")]
    return [
        row(
            "4 GB of memory",
            gigabytes >= 3.5,
            f"{gigabytes:.0f} GB",
            "use the smoke profile: VARBOOK_PROFILE=smoke",
        )
    ]


def _notes() -> list[dict]:
    checkpoints = len(list((shipped() / "checkpoints").glob("*.safetensors")))
    precision = "bfloat16 in hardware" if has_bfloat16(pick_device()) else "float32 only"
    return [
        row("processor", NOTE, f"{cores()} cores, torch uses {torch.get_num_threads()} threads"),
        row("precision of training", NOTE, precision),
        row("checkpoints that come with the book", NOTE, str(checkpoints)),
    ]


def machine_check() -> list[dict]:
    """Return the rows of the machine check.

    Keys: check, verdict ("OK", "FAIL" or "note"), found, what to do.
    """
    parts: list[Callable[[], list[dict]]] = [
        _python,
        packages,
        _pair,
        _checkout,
        _memory,
        _arithmetic,
    ]
    rows = [row for part in parts for row in part()]
    rows += [
        _writable("VARBOOK_HOME", home, 1.0),
        _writable("the folder of figures", figures, 0.1),
    ]
    return rows + _notes()
