"""`make faults`: its one kill is a real one, and its table says what the promise says."""

import re
import sys

from trainings import TRAININGS

from varbook.paths import repository

sys.path.append(str(repository() / "tests" / "faults"))
import kill_trainings  # noqa: E402


def test_a_training_is_killed_and_goes_on_to_the_same_bits():
    row = kill_trainings.tried("fit_judge", 2, say=lambda text: None)
    assert row.kills == row.same_bits == 2 and row.saved == 1 and row.files_left == 0


def test_other_bits_are_noticed(monkeypatch):
    outcomes = iter([("a", []), ("b", [])])
    monkeypatch.setattr(kill_trainings, "finished", lambda name, home: next(outcomes))
    monkeypatch.setattr(kill_trainings, "killed", lambda *arguments: True)
    row = kill_trainings.tried("fit_judge", 1, say=lambda text: None)
    assert (row.kills, row.same_bits) == (1, 0)


def test_the_table_holds_every_loop_and_nothing_was_lost():
    text = kill_trainings.TABLE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", text, re.M)
    assert [row[0] for row in rows] == list(TRAININGS)
    for name, kills, saved, within, same, left in rows:
        assert int(kills) == int(same) == kill_trainings.MOMENTS and int(left) == 0, name
        assert int(saved) > 10 and int(within) > 0, name
