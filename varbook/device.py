"""Seeds, devices and precision: set once at the top of a notebook, never inside a model."""

import contextlib
import ctypes
import functools
import os
import random
import sys
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from varbook.config import check_seed
from varbook.cores import thread_count
from varbook.errors import VarbookError

Module = TypeVar("Module", bound=nn.Module)


def pick_device() -> torch.device:
    """Return CUDA where there is a card, else Apple's MPS, else the CPU (VARBOOK_DEVICE overrides).

    Of processes that torchrun started together, each has a card of its own. VarbookError where
    VARBOOK_DEVICE names what is not here.
    """
    quicken()
    if os.environ.get("VARBOOK_DEVICE"):
        return _named(os.environ["VARBOOK_DEVICE"])
    if torch.cuda.is_available():
        local = os.environ.get("LOCAL_RANK")
        return torch.device("cuda") if local is None else torch.device("cuda", int(local))
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


@functools.lru_cache
def _named(name: str) -> torch.device:
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise VarbookError(
            f"VARBOOK_DEVICE is {name!r}, which this machine does not have: use cpu, cuda or mps, or leave it unset."
        ) from error
    return device


def setup(seed: int, threads: int | None = None) -> torch.device:
    """Seed Python, NumPy and torch with `seed`, 0 to 2**32 - 1, and return the device to use.

    `threads` sets the number of CPU threads. VarbookError for another seed.
    """
    check_seed(seed)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    if threads:
        torch.set_num_threads(threads)
    return pick_device()


def training_layout(device: torch.device) -> torch.memory_format:
    """Return how the images of a training lie in memory: channels last on a card, whose convolutions
    are made for it.

    On a CPU one plane for each channel: convolutions are about as fast, and the backward pass of a
    group norm is up to twelve times as fast.
    """
    return torch.contiguous_format if device.type == "cpu" else torch.channels_last


def laid_out(module: Module, layout: torch.memory_format) -> Module:
    """Return the module with the weights of its convolutions stored in `layout`."""
    return module.to(memory_format=layout)  # type: ignore[call-overload]


def channels_last(module: Module) -> Module:
    """Return the module with its weights stored channels last, which convolutions run faster on."""
    return laid_out(module, torch.channels_last)


def step_generator(seed: int, step: int, purpose: int = 0) -> torch.Generator:
    """Return a CPU generator that depends on (seed, step, purpose) alone.

    A training loop that draws everything of one step from it resumes to the same bits, and needs no
    saved random state.
    """
    # Odd multipliers keep neighbouring steps and purposes from sharing a seed.
    return torch.Generator().manual_seed(
        (seed * 1_000_003 + step * 7_919 + purpose * 104_729 + 17) % (2**63)
    )


def has_bfloat16(device: torch.device) -> bool:
    """Return whether `device` multiplies bfloat16 in hardware.

    On a CPU without it bfloat16 is far slower than float32.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    if device.type != "cpu":
        return False
    ask = getattr(torch.cpu, "get_capabilities", None)  # newer versions of torch alone have it
    capability: dict[str, bool] = ask() if ask else {}
    return bool(capability.get("avx512_bf16") or capability.get("amx_bf16"))


def precision(device: torch.device) -> torch.dtype:
    """Return the precision of training on `device`: bfloat16 where it is in hardware, else float32.

    VARBOOK_PRECISION, "float32" or "bfloat16", overrides; any other value raises VarbookError.
    """
    name = os.environ.get("VARBOOK_PRECISION")
    if not name:
        return torch.bfloat16 if has_bfloat16(device) else torch.float32
    if name not in ("float32", "bfloat16"):
        raise VarbookError(
            f"VARBOOK_PRECISION is {name!r}; use float32 or bfloat16, or leave it unset."
        )
    return getattr(torch, name)


def autocast(device: torch.device):
    """Return a context that computes in the `precision` of `device`.

    bfloat16, or float32, in which everything is stored.
    """
    if precision(device) == torch.bfloat16:
        return torch.autocast(device.type, torch.bfloat16)
    return contextlib.nullcontext()


@functools.cache
def quicken() -> None:
    """Make this process's arithmetic on a CPU as fast as it goes without another result, and with as
    many threads as VARBOOK_THREADS says, if it says so; once.

    Memory: large tensors that are freed stay with the process. Else Linux takes each back and hands
    it out again page by page, which costs more than to compute a softmax. Products in float32: the
    flag "medium" chooses a library that is twice as fast on some processors, and on others computes
    in bfloat16: it stays where a product is as exact as before.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            library = ctypes.CDLL(None)
            library.mallopt(M_MMAP_THRESHOLD, 2**30)
            library.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
    if os.environ.get("VARBOOK_THREADS"):
        torch.set_num_threads(thread_count(""))
    before = torch.get_float32_matmul_precision()
    a = torch.randn(256, 256, generator=torch.Generator().manual_seed(0))
    exact, error = a.double() @ a.double(), {}
    for flag in (before, "medium"):
        torch.set_float32_matmul_precision(flag)
        error[flag] = (a @ a - exact).abs().max().item()
    if error["medium"] > 4 * error[before]:
        torch.set_float32_matmul_precision(before)


# Of glibc's mallopt: from which size on memory is taken from the system and given back piece by
# piece, and how much may lie free before the rest is given back.
M_MMAP_THRESHOLD, M_TRIM_THRESHOLD = -3, -1


def is_batch() -> bool:
    """Return whether this is a run in batch: CI, nbval, papermill or a script.

    Progress bars and sliders would only be noise there.
    """
    if os.environ.get("VARBOOK_BATCH") == "1" or os.environ.get("CI"):
        return True
    return "ipykernel" not in sys.modules and not sys.stderr.isatty()
