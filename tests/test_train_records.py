"""Records of runs as they are read: whatever is wrong with one gets one sentence."""

import json

import pytest

from varbook.errors import VarbookError
from varbook.paths import shipped
from varbook.train.records import read_record

GOOD = {
    "kind": "toy",
    "key": "0123456789ab",
    "settings": {},
    "seed": 0,
    "profile": "smoke",
    "minutes": 0.1,
    "hardware": "CPU",
    "finished": 1,
    "curve": [],
    "measurements": {"m": {"key": "1", "settings": {}, "values": {"a": 1.0}}},
}


def write(folder, record):
    file = folder / "toy-0123456789ab.json"
    file.write_text(json.dumps(record))
    return file


def test_every_record_that_comes_with_the_book_is_one():
    files = sorted((shipped() / "records").glob("*.json"))
    assert len(files) > 100 and all(read_record(file)["key"] in file.stem for file in files)


def test_a_good_record_comes_back(tmp_path):
    assert read_record(write(tmp_path, GOOD)) == GOOD


@pytest.mark.parametrize("name", [name for name in GOOD])
def test_a_field_that_is_missing_or_of_another_kind_is_named(tmp_path, name):
    for record in (
        {key: value for key, value in GOOD.items() if key != name},
        GOOD | {name: None},
        GOOD | {name: True},
    ):
        with pytest.raises(VarbookError, match=f"is not a record of this run .*{name}"):
            read_record(write(tmp_path, record))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"key": "ba9876543210"}, "it is that of toy-ba9876543210"),
        ({"kind": "other"}, "it is that of other-0123456789ab"),
        ({"minutes": float("nan")}, "its times are not numbers"),
        ({"finished": float("inf")}, "its times are not numbers"),
        ({"sha256": 3}, "sha256"),
        ({"measurements": {"m": 3}}, "its measurement 'm' is damaged"),
        ({"measurements": {"m": {"key": "1"}}}, "its measurement 'm' is damaged"),
        ({"finished": "yesterday"}, "its finished is 'yesterday'"),
    ],
)
def test_a_record_of_another_run_or_a_garbled_one_is_told(tmp_path, change, says):
    with pytest.raises(VarbookError, match=says):
        read_record(write(tmp_path, GOOD | change))
