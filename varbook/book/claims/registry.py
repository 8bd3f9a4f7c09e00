"""The registry: one row for every figure and table of both papers, with what it claims, which
chapter makes it and which checks decide whether the claim holds.
"""

from varbook.book.claims import (
    registry_cyclevar_figures,
    registry_cyclevar_tables,
    registry_flexvar_figures,
    registry_flexvar_tables,
)
from varbook.book.claims.artefact import Artefact, Published
from varbook.errors import VarbookError

REGISTRY: dict[str, Artefact] = {
    row.id: row
    for rows in (
        registry_cyclevar_figures.ROWS,
        registry_cyclevar_tables.ROWS,
        registry_flexvar_figures.ROWS,
        registry_flexvar_tables.ROWS,
    )
    for row in rows
}

PUBLISHED: dict[str, Published] = registry_cyclevar_tables.TABLES | registry_flexvar_tables.TABLES


def artefact(artefact_id: str) -> Artefact:
    """Return the row of one figure or table; VarbookError for an id that the registry does not
    hold.
    """
    if artefact_id not in REGISTRY:
        raise VarbookError(
            f'There is no figure or table "{artefact_id}" in the registry; ids look like "cyclevar-fig-3" or '
            f'"flexvar-table-2". A picture that is in neither paper is saved with save_extra(name, ...).'
        )
    return REGISTRY[artefact_id]


def published(table_id: str) -> Published:
    """Return a table of the papers as data; VarbookError where the id is not a table."""
    if table_id not in PUBLISHED:
        raise VarbookError(
            f'"{table_id}" is not a published table; choose one of {", ".join(PUBLISHED)}.'
        )
    return PUBLISHED[table_id]


def of_chapter(number: str) -> list[Artefact]:
    """Return the figures and tables that chapter `number` ("09") writes, in the registry's order."""
    return [row for row in REGISTRY.values() if row.chapter == number]
