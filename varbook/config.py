"""Fields of configurations, and what a run record keeps of them.

A run is found by the hash of its settings, so a field that comes later or gets a
better name must not change the records that are there: `added` and `recorded_as`
mark such fields, `plain` writes records, `rebuild` reads them back.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import field, fields, is_dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import Any, TypeGuard, TypeVar

from varbook.errors import VarbookError

T = TypeVar("T")


def is_whole(value: object) -> TypeGuard[int]:
    """Say whether `value` is a whole number."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def check_whole(name: str, value: object, least: int = 1, most: int | None = None) -> int:
    """Return a whole number from `least` to `most` (None: any); VarbookError, which names it, for
    anything else.
    """
    if not is_whole(value) or value < least or (most is not None and value > most):
        reach = f"from {least} to {most}" if most is not None else f"from {least} on"
        raise VarbookError(f"{name} is a whole number {reach}, not {value!r}.")
    return int(value)


def check_seed(seed: object) -> int:
    """Return `seed` where it is one that every generator takes; VarbookError where not."""
    return check_whole("A seed", seed, 0, 2**32 - 1)


def is_real(value: object) -> TypeGuard[float]:
    """Say whether `value` is a finite number."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def check_real(
    name: str, value: object, low: float = -math.inf, high: float = math.inf, *, above: bool = False
) -> float:
    """Return a finite number from `low` to `high`, or, with `above`, above `low`; VarbookError,
    which names it, for anything else.
    """
    if not is_real(value) or not low <= value <= high or (above and value == low):
        reach = f" above {low:g}" if above else f" from {low:g}" if low > -math.inf else ""
        reach += f" up to {high:g}" if high < math.inf else ""
        raise VarbookError(f"{name} is a finite number{reach}, not {value!r}.")
    return float(value)


def added(default: T) -> T:
    """Return a dataclass field that came later: at its `default`
    it is left out of records and keys, so old runs still match.
    """
    return field(default=default, metadata={"added": True})


def recorded_as(name: str, default: T, *, later: bool = False) -> T:
    """Return a dataclass field that was renamed: records and keys
    know it by its old `name`. `later`: it is `added`, too.
    """
    return field(default=default, metadata={"name": name, "added": later})


def recorded_names(config: type) -> dict[str, str]:
    """Return field name -> name in records, for every field of a dataclass."""
    return {part.name: part.metadata.get("name", part.name) for part in fields(config)}


def _leaf(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def plain(value: Any, leaf: Callable[[Any], Any] = _leaf) -> Any:
    """Return `value` (dataclasses, tuples, paths) as plain JSON data, fields under
    their recorded names; added fields that are at their default are left out.
    `leaf` turns what is not a dataclass, mapping or sequence into what JSON can hold.
    """
    if is_dataclass(value) and not isinstance(value, type):
        names = recorded_names(type(value))
        return {
            names[part.name]: plain(getattr(value, part.name), leaf)
            for part in fields(value)
            if not (part.metadata.get("added") and getattr(value, part.name) == part.default)
        }
    if isinstance(value, Mapping):
        return {str(key): plain(entry, leaf) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry, leaf) for entry in value]
    return leaf(value)


def rebuild(config: type[T], settings: dict[str, Any]) -> T:
    """Return the configuration that `plain` wrote as `settings`;
    VarbookError where the record knows more than the class.
    """
    own = {recorded: name for name, recorded in recorded_names(config).items()}
    unknown = sorted(set(settings) - set(own))
    if unknown:
        raise VarbookError(
            f"The run was recorded by another version of varbook: {config.__name__} knows no {', '.join(unknown)}."
        )
    try:
        return config(**{own[name]: _tuples(value) for name, value in settings.items()})
    except TypeError as error:  # a setting that has no default is missing, or of another kind
        raise VarbookError(f"The settings of {config.__name__} are damaged: {error}.") from None


def _tuples(value: Any) -> Any:
    return tuple(_tuples(entry) for entry in value) if isinstance(value, list) else value
