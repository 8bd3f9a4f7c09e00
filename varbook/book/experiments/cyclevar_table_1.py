"""CycleVAR table 1: its rows, the checks of its claim, and the sentence with our numbers.

The paper has FID and DINO structure. Ours are distances of other features at other sizes: their
rows stand below a line, and `measured as` names the features.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from varbook.book.claims.registry import published
from varbook.book.experiments import translator_rivals
from varbook.book.experiments.cyclevar_ablations import DIRECTIONS
from varbook.book.experiments.streets_and_flat import DAY_NIGHT, known_streets, street_numbers
from varbook.book.experiments.streets_and_flat import OURS as WITH_WORDS
from varbook.book.experiments.translator_reports import FLOORS, OURS, REAL, WAYS, Report
from varbook.book.models.profiles import Profile

MEASURES = {"distance": "frechet", "structure": "structure", "kernel": "kernel"}  # column: measure
COLUMNS = tuple(
    f"{name} {way}" for way in (*WAYS, *DAY_NIGHT) for name in ("distance", "structure")
)
LINE = {
    "source": "-- ours, by other features and at another size: not comparable with the rows above --"
}


@dataclass(frozen=True)
class Table1:
    """All that our half of the table rests on."""

    profile: Profile
    toy: Mapping[str, Report]  # method -> `toy_report`
    small: Mapping[str, Mapping[str, Any]]  # `translator_rivals.all_numbers`
    photographs: Mapping[str, Report] = field(default_factory=dict)  # empty without horse2zebra

    @property
    def comparisons(self) -> dict[str, Mapping[str, Report]]:
        """The methods at full size: on the toy world, and on photographs where there are enough of
        them for distances between sets.
        """
        ours = self.photographs.get(OURS, {"none": {}})
        enough = all("frechet" in measures for measures in ours.values())
        return {"toy world": self.toy} | ({"photographs": self.photographs} if enough else {})

    @property
    def streets(self) -> dict[str, dict]:
        """Direction -> method -> measures on photographs of streets, as chapter 11 has left them;
        empty where it has left none, or none that features have measured.
        """
        record = known_streets(self.profile)
        measures = street_numbers(record) if record else {}
        return {way: rows for way, rows in measures.items() if "frechet" in rows[WITH_WORDS]}

    @property
    def small_size(self) -> str:
        """The size of the images of the chain on which all rivals are trained."""
        return f"{self.profile.chains['small'].image_size} px"

    @property
    def rivals(self) -> list[str]:
        """The rivals that were trained on photographs."""
        compared = self.comparisons.get("photographs", {})
        return [name for name in compared if name in translator_rivals.RIVALS]

    @property
    def photograph_numbers(self) -> dict[str, dict]:
        """CycleVAR's and its rivals' numbers on photographs, named as `small` names them."""
        compared = self.comparisons.get("photographs", {})
        own = {translator_rivals.OURS: compared[OURS]} if compared else {}
        reports = own | {name: self.photographs[name] for name in self.rivals}
        return {n: translator_rivals.photograph_numbers(r) for n, r in reports.items()}


def paper_rows() -> list[dict]:
    """Return the paper's rows under the names of our columns."""
    columns = {column: column.replace("distance", "FID") for column in COLUMNS}
    paper = {"source": "paper", "data": "horse2zebra, 256 px"}
    return [
        paper
        | {"method": row["method"], "measured as": "FID, DINO structure"}
        | {ours: row[theirs] for ours, theirs in columns.items()}
        for row in published("cyclevar-table-1").as_dicts()
    ]


def _row(data: str, method: str, measured_as: str, numbers: Mapping[str, float]) -> dict:
    first = {"source": "ours", "data": data, "method": method, "measured as": measured_as}
    return first | dict(numbers)


def _values(report: Report) -> dict[str, float]:
    return {
        f"{column} {way}": measures[key]["value"]
        for way, measures in report.items()
        for column, key in MEASURES.items()
        if key in measures
    }


def _measured_as(report: Report) -> str:
    first = next(iter(report.values()))
    return ", ".join(first[key]["name"] for key in ("frechet", "structure") if key in first)


def our_rows(table: Table1) -> list[dict]:
    """Return our rows: every method of each comparison, chapter 11's streets, and the rivals at the
    size of the small chain.
    """
    sizes = {name: chain.image_size for name, chain in table.profile.chains.items()}
    data = {
        "toy world": f"toy world, {table.profile.image_size} px",
        "photographs": f"horse2zebra, {sizes['photographs']} px",
    }
    rows = []
    for name, comparison in table.comparisons.items():
        for method, report in comparison.items():
            rows.append(_row(data[name], method, _measured_as(report), _values(report)))
    for method in (*FLOORS, WITH_WORDS, REAL) if table.streets else ():
        report = {way: measures.get(method, {}) for way, measures in table.streets.items()}
        if values := _values(report):
            place = f"day2night, {sizes['driving']} px"
            rows.append(_row(place, method, _measured_as(report), values))
    for method, numbers in table.small.items():
        values = {
            f"{column} {' to '.join(ends)}": numbers[f"{key} {short}"]
            for column, key in (("distance", "FD"), ("structure", "structure"))
            for short, ends in DIRECTIONS.items()
        }
        rows.append(_row(f"toy world, {table.small_size}", method, "FD-toy, structure-toy", values))
    return rows


def checks(table: Table1) -> dict[str, bool]:
    """Return the checks that the registry names for the table: nearer to the target than both
    floors, and the balance against the rivals.
    """
    results: dict[str, bool] = {}
    for data, comparison in table.comparisons.items():
        for floor in FLOORS:
            for way, measures in comparison[OURS].items():
                results |= _nearer(f"{data}, {way}", measures, comparison[floor][way], floor)
    for way, rows in table.streets.items():
        for floor in FLOORS:
            results |= _nearer(f"w/ Infinity, streets, {way}", rows[WITH_WORDS], rows[floor], floor)
    small = translator_rivals.against_rivals(table.small)
    results |= {f"rivals at {table.small_size}, {text}": holds for text, holds in small.items()}
    if table.rivals:
        on = translator_rivals.against_rivals(table.photograph_numbers, table.rivals)
        results |= {f"rivals on photographs, {text}": holds for text, holds in on.items()}
    return results


def _nearer(place: str, ours: Mapping, other: Mapping, name: str) -> dict[str, bool]:
    holds = ours["frechet"]["value"] < other["frechet"]["value"]
    return {f"{place}: nearer to the target than {name}": holds}


def sentence(table: Table1) -> str:
    """Return our numbers in one line, for the report: distance and structure at full size, the
    distances of all rivals.
    """
    way = next(iter(WAYS))
    parts = [
        _told(f"{data}, {way}", {name: report.get(way, {}) for name, report in comparison.items()})
        for data, comparison in table.comparisons.items()
    ]
    names = (translator_rivals.OURS, *translator_rivals.RIVALS)
    distances = _distances(table.small, names, "FD-toy", ".2g")
    parts.append(f"rivals at {table.small_size}, {' / '.join(WAYS)}: {distances}")
    if table.rivals:
        numbers = table.photograph_numbers
        parts.append(f"on photographs: {_distances(numbers, numbers, 'FD-mobilenet', '.0f')}")
    parts += [
        _told(f"w/ Infinity, streets, {way}", rows, WITH_WORDS)
        for way, rows in table.streets.items()
    ]
    return "; ".join(parts)


def _told(place: str, rows: Mapping[str, Mapping], ours: str = OURS) -> str:
    distance, structure = rows[ours]["frechet"], rows[ours]["structure"]
    beside = {"untouched": rows[FLOORS[0]], REAL: rows.get(REAL, {})}
    floors = (f"{k} {v['frechet']['value']:.3g}" for k, v in beside.items() if "frechet" in v)
    return (
        f"{place}: {distance['name']} {distance['value']:.3g} ({', '.join(floors)}), "
        f"{structure['name']} {structure['value']:.3g}"
    )


def _distances(numbers: Mapping, names: Iterable[str], measured_as: str, digits: str) -> str:
    return ", ".join(
        f"{name} {measured_as} "
        + " / ".join(format(numbers[name][f"FD {short}"], digits) for short in DIRECTIONS)
        for name in names
    )


def numbers(rows: Iterable[Mapping]) -> dict[str, dict[str, float]]:
    """Return "data, method" -> the numbers of each of our rows."""
    return {
        f"{row['data']}, {row['method']}": {k: v for k, v in row.items() if isinstance(v, float)}
        for row in rows
    }


def cards(table: Table1) -> dict[str, dict[str, dict]]:
    """Return the metric cards behind our row of each comparison: data -> measure -> card."""
    way = next(iter(WAYS))
    return {
        data: {key: measure["card"] for key, measure in comparison[OURS][way].items()}
        for data, comparison in table.comparisons.items()
    }
