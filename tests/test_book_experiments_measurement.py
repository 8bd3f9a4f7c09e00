"""A measurement is made once and found again under the key of its settings."""

from dataclasses import replace

from varbook.book.experiments.measurement import measurement
from varbook.book.models.profiles import SMOKE
from varbook.book.models.tasks import TASKS


def test_a_measurement_is_made_once(tmp_path, monkeypatch):
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path))
    calls = []

    def count() -> dict:
        calls.append(1)
        return {"calls": len(calls)}

    runs = [measurement("toy-count", {"size": n}, count, seed=0, profile=SMOKE) for n in (1, 1, 2)]
    assert [run.result for run in runs] == [{"calls": 1}, {"calls": 1}, {"calls": 2}]
    assert runs[0].record["profile"] == "smoke" and not runs[0].curve
    # On other held-out scenes it is made again.
    others = replace(TASKS["toy"].pictures, held_out_seed=77)
    monkeypatch.setitem(TASKS, "toy", replace(TASKS["toy"], pictures=others))
    assert measurement("toy-count", {"size": 1}, count, seed=0, profile=SMOKE).result["calls"] == 3
