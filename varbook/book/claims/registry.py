"""One row for every figure and table of both papers: what it claims, which chapter makes it, what
counts as held.
"""

from dataclasses import dataclass

from varbook.book.claims import registry_cyclevar, registry_flexvar
from varbook.errors import VarbookError


@dataclass(frozen=True)
class Artefact:
    """One figure or table of a paper."""

    id: str  # "cyclevar-fig-3": the name of its files
    paper: str  # "CycleVAR" or "FlexVAR"
    kind: str  # "fig" or "table"
    number: int  # as printed in the paper
    notebook: str  # the chapter that writes it, "00" to "13"
    title: str  # what it shows, in a few words
    claim: str  # what the paper says it shows, in our words
    published: str  # the paper's number, or "picture only"
    alt: str  # what a reader who cannot see our version should know about it
    check: str  # what must be true of our version for the claim to count as held

    @property
    def label(self) -> str:
        """Return the name that a reader uses: "CycleVAR fig 3"."""
        return f"{self.paper} {self.kind} {self.number}"


@dataclass(frozen=True)
class Published:
    """A table as printed in a paper: the cells are the paper's, never ours."""

    columns: tuple[str, ...]
    rows: tuple[tuple, ...]  # None where the paper leaves the cell empty
    note: str = ""  # how we read a cell that is not clear in print

    def as_dicts(self) -> list[dict]:
        """Return the rows as dictionaries, column name -> cell."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def _artefacts(paper: str, rows: tuple[tuple, ...]) -> dict[str, Artefact]:
    made = [Artefact(f"{paper.lower()}-{row[0]}-{row[1]}", paper, *row) for row in rows]
    return {artefact.id: artefact for artefact in made}


REGISTRY: dict[str, Artefact] = {
    **_artefacts("CycleVAR", registry_cyclevar.ROWS),
    **_artefacts("FlexVAR", registry_flexvar.ROWS),
}

PUBLISHED: dict[str, Published] = {
    name: Published(*table)
    for name, table in {**registry_cyclevar.TABLES, **registry_flexvar.TABLES}.items()
}


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
    """Return a table of the papers as data; VarbookError where the id is no table."""
    if table_id not in PUBLISHED:
        raise VarbookError(
            f'"{table_id}" is no published table; choose one of {", ".join(PUBLISHED)}.'
        )
    return PUBLISHED[table_id]


def of_chapter(number: str) -> list[Artefact]:
    """Return the figures and tables that chapter `number` ("09") writes, in the registry's order."""
    return [row for row in REGISTRY.values() if row.notebook == number]
