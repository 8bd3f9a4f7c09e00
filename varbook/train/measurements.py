"""What is measured on a run stands in its record, which several processes may add to."""

import json

from varbook import processes
from varbook.files import write_json
from varbook.train.finding import find_record
from varbook.train.records import read_record
from varbook.train.run_files import record_file, record_held

MEASURED = "measurements"


def measured(record: dict, name: str, key: str) -> dict | None:
    """Return the measurement `name` with the settings of `key` in a record, or None."""
    measurement = record[MEASURED].get(name)
    return measurement if measurement and measurement["key"] == key else None


def _rest(record: dict) -> str:
    # As JSON has it: a record that has not been to the disk may hold tuples.
    rest = {name: value for name, value in record.items() if name != MEASURED}
    return json.dumps(rest, sort_keys=True)


def take_over(run: str, record: dict) -> None:
    """Add to a record what other processes have measured on the same run; of processes that were
    launched together the first does.
    """
    if processes.first():
        found = find_record(run)
        if found and _rest(found[0]) == _rest(record):
            record[MEASURED] |= found[0][MEASURED]


def keep(run: str, record: dict, name: str, measurement: dict) -> None:
    """Add a measurement to a record, here and on disk; where the run was trained anew since this
    record was read, here alone: the numbers are those of the earlier weights.
    """
    if processes.first():
        with record_held(run):
            take_over(run, record)
            record[MEASURED][name] = measurement
            if not _trained_since(run, record):
                write_json(record_file(run), record)
    record[MEASURED][name] = measurement


def _trained_since(run: str, record: dict) -> bool:
    """Say whether another training than that of `record` has left its record on disk."""
    file = record_file(run)
    if not file.is_file():
        return False
    found = read_record(file)
    when, before = found["finished"], record["finished"]
    return when > before or (when == before and found.get("sha256") != record.get("sha256"))
