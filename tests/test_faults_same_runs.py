"""The comparison of two whole runs notices one wrong bit, and passes over times alone."""

import json
import sys

import pytest

from varbook.paths import repository

sys.path.insert(0, str(repository() / "tests" / "faults"))
import same_runs

TIMED = "flexvar-table-7"  # a row of the registry that names measured times


@pytest.fixture
def folders(tmp_path):
    """Two folders with the same run, figure, result and table of times, made at different times."""
    for index, folder in enumerate((tmp_path / "one", tmp_path / "other")):
        runs, figures = folder / "home" / "runs", folder / "figures" / "smoke"
        runs.mkdir(parents=True)
        figures.mkdir(parents=True)
        (runs / "toy.safetensors").write_bytes(b"weights")
        record = {"key": "1", "curve": [{"step": 0, "loss": 0.5}], "minutes": 1.0 + index}
        (runs / "toy.json").write_text(json.dumps(record | {"finished": index}))
        values = {"measurements": {"result": {"values": {"1, 2": 0.1 * index}}}}
        (runs / "flexible-seconds.json").write_text(
            json.dumps({"kind": "flexible-seconds"} | values)
        )
        (figures / "flexvar-fig-3.png").write_bytes(b"picture")
        (figures / f"{TIMED}.png").write_bytes(b"times" + bytes([index]))
        result = {"numbers": {"FD": 1.5, "seconds": 0.1 * index}, "volatile": {"load": index}}
        (figures / f"{TIMED}.json").write_text(json.dumps(result))
        (figures / "times.json").write_text(json.dumps({"02": index}))
    return tmp_path / "one", tmp_path / "other"


def differing(folders) -> list[str]:
    return [name for found in same_runs.compare(*folders).values() for name in found.differ]


def test_two_runs_that_differ_in_times_alone_are_the_same(folders):
    assert differing(folders) == []
    counts = [found.count for found in same_runs.compare(*folders).values()]
    assert counts == [1, 2, 1, 1]


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("home/runs/toy.safetensors", "weights", "weighty"),
        ("home/runs/toy.json", "0.5", "0.5000001"),
        ("figures/smoke/flexvar-fig-3.png", "picture", "picturf"),
        (f"figures/smoke/{TIMED}.json", "1.5", "1.6"),
    ],
)
def test_one_wrong_bit_is_told(folders, file, before, after):
    changed = folders[1] / file
    changed.write_text(changed.read_text().replace(before, after))
    (told,) = differing(folders)
    assert changed.name in told


def test_what_one_run_alone_has_is_told(folders):
    (folders[0] / "home" / "runs" / "more.json").write_text("{}")
    (folders[1] / "figures" / "smoke" / "flexvar-fig-3.png").unlink()
    assert len(differing(folders)) == 2
