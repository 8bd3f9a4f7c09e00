"""The package behind the notebooks: visual autoregressive models, from pixels to translated images.

The subpackages, in the order in which data flows: world, data, features, tokenizer, transformer,
generate, translate, train, evaluate, pretrained, book, own, runner, cli. Each imports only from
those before it, and its `__init__` says which file to read first.
"""

import getpass
import os
import tempfile

__version__ = "0.1.0"


def name_torch_s_cache() -> None:
    """Name a folder for torch's compiler where the user has no name, as in many containers: torch
    names its own by the user, and without one half of it cannot be imported.
    """
    try:
        getpass.getuser()
    except (KeyError, OSError, ImportError):
        folder = os.path.join(tempfile.gettempdir(), f"torchinductor_{os.getuid()}")
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", folder)


name_torch_s_cache()
