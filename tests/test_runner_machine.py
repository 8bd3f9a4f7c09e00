import importlib.metadata

from varbook.runner import machine


def verdicts(rows) -> dict[str, str]:
    return {row["check"]: row["verdict"] for row in rows}


def test_this_machine_can_run_the_book(tmp_path, monkeypatch):
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VARBOOK_FIGURES", str(tmp_path / "figures"))
    rows = machine.machine_check()
    assert set(verdicts(rows).values()) <= {"OK", "FAIL", "note"}
    assert not [row for row in rows if row["verdict"] == "FAIL"]
    assert any(row["check"].startswith("torch ") for row in rows)
    assert str(tmp_path) not in str(rows), "a path of this machine would end up in the notebook"


def test_a_package_that_is_missing_or_too_old_fails(monkeypatch):
    known = {"torch": "2.11.0", "numpy": "1.26.4"}

    def version(name):
        if name not in known:
            raise importlib.metadata.PackageNotFoundError(name)
        return known[name]

    needed = ["torch>=2.11,<3", "numpy>=2.0", "lpips>=0.1.4", 'pytest>=8; extra == "dev"']
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: needed)
    monkeypatch.setattr(importlib.metadata, "version", version)
    rows = machine.packages()
    assert [row["verdict"] for row in rows] == [
        "OK",
        "FAIL",
        "FAIL",
    ]  # what only tests need is not asked for
    assert [row["found"] for row in rows] == ["2.11.0", "1.26.4", "missing"]
    assert not rows[0]["what to do"] and "make setup" in rows[1]["what to do"]


def test_a_folder_that_cannot_be_written_fails(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    row = machine._writable("VARBOOK_HOME", lambda: blocked / "below", 0.0)
    assert row["verdict"] == "FAIL" and "VARBOOK_HOME" in row["what to do"]
    assert machine._writable("VARBOOK_HOME", lambda: tmp_path / "new", 0.0)["verdict"] == "OK"
    assert machine._writable("VARBOOK_HOME", lambda: tmp_path / "new", 1e9)["verdict"] == "FAIL"
