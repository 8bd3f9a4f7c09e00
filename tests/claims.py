"""Checks as a chapter saves them, for tests that need a result and not its numbers."""

import re

from varbook.book.claims.registry import REGISTRY


def checks_of(artefact_id: str, holds: bool = True, *, conditions: bool = False) -> dict[str, bool]:
    """Return key -> `holds` for the checks of a row, its places filled; with `conditions`, also
    those that count only under one.
    """
    return {
        re.sub(r"\{\w+\}", "7", check.key): holds
        for check in REGISTRY[artefact_id].all_checks()
        if conditions or not check.where
    }
