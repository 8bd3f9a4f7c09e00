"""What a reader may try in the exercises: one module per module of `varbook.book.exercises`.

Each has `TRIES`: name -> (the exercise, a function that is right, hint -> a function that is wrong
in the way that the hint names).
"""

import importlib
import pkgutil


def every() -> dict[str, tuple]:
    """Return the tries of all modules."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        tries = importlib.import_module(f"{__name__}.{module.name}").TRIES
        found |= {f"{module.name}: {name}": one for name, one in tries.items()}
    return found
