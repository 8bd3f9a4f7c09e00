"""The tie between registry and chapters: a chapter saves the checks that its row names, no others."""

import re
from collections.abc import Mapping

from varbook.book.claims.artefact import Artefact, Check
from varbook.errors import VarbookError

_PLACE = re.compile(r"\{\w+\}")


def _belongs(key: str, check: Check) -> bool:
    # The name of a distance is one word. What fills another place has no comma and no colon: those
    # divide the parts of a key.
    texts, places = _PLACE.split(check.key), _PLACE.findall(check.key)
    fills = [r"[\w-]+" if place == "{distance}" else "[^:,]+" for place in places]
    parts = [re.escape(text) + fill for text, fill in zip(texts, [*fills, ""], strict=True)]
    return re.fullmatch("".join(parts), key) is not None


def by_check(row: Artefact, results: Mapping[str, bool]) -> dict[Check, dict[str, bool]]:
    """Return check -> the saved keys that belong to it, for every check of the row."""
    return {
        check: {key: held for key, held in results.items() if _belongs(key, check)}
        for check in row.all_checks()
    }


def _quoted(keys: list[str]) -> str:
    return ", ".join(f'"{key}"' for key in keys)


def refuse_others(row: Artefact, results: Mapping[str, bool]) -> None:
    """Raise VarbookError where `results` (key -> holds) are not the checks that the row names."""
    saved = by_check(row, results)
    # Of the checks under one condition all are saved, or none.
    conditions = {check.where for check, keys in saved.items() if keys} | {""}
    missing = [c.key for c, keys in saved.items() if not keys and c.where in conditions]
    known = {key for keys in saved.values() for key in keys}
    unknown = [key for key in results if key not in known]
    if missing or unknown:
        faults = [f"{_quoted(missing)} missing"] if missing else []
        faults += [f"{_quoted(unknown)} not in the row"] if unknown else []
        raise VarbookError(
            f"The checks of {row.label} are not those that its row of the registry names: "
            f"{'; '.join(faults)}. Change the chapter or the row, so that both say the same."
        )
