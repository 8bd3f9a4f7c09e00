"""What holds for a whole process, which plain and packaged candidates must not share: how freed
memory is kept, and in what float32 products are computed.

`varbook.device.quicken` sets both for the package. The plain formulations run as torch and the C
library come.
"""

import contextlib
import ctypes
import sys

import torch

from varbook.device import M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, quicken

M_ARENA_MAX = -8  # of glibc's mallopt
# Where the thresholds of an untouched process are soon: glibc raises them to these as tensors are
# freed. Larger tensors are taken from the system and given back one by one.
USUAL = {M_MMAP_THRESHOLD: 32 * 2**20, M_TRIM_THRESHOLD: 64 * 2**20}

_plain: bool | None = None  # whose settings hold; None: nobody has chosen yet


def _library() -> ctypes.CDLL | None:
    with contextlib.suppress(OSError):
        library = ctypes.CDLL(None)
        if sys.platform == "linux" and hasattr(library, "mallopt"):
            return library
    return None


def one_arena() -> None:
    """Let all threads take memory from one place, as a program of one thread does: call it before
    any thread is started.

    The loops of the package are timed in threads, and the places of threads hold no large tensors.
    """
    library = _library()
    if library:
        library.mallopt(M_ARENA_MAX, 1)


def give_back() -> None:
    """Return memory that nobody holds to the operating system, where the C library can."""
    library = _library()
    if library:
        library.malloc_trim(0)


def choose(plain: bool) -> bool:
    """Let the settings of the plain candidates hold, or those of the package; return whether others
    held before.
    """
    global _plain
    if _plain is plain:
        return False
    _plain = plain
    torch.set_float32_matmul_precision("highest")  # torch's own default
    library = _library()
    if not plain:
        quicken.__wrapped__()  # it would do nothing a second time
    elif library:
        for name, value in USUAL.items():
            library.mallopt(name, value)
        give_back()
    return True
