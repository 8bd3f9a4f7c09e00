"""Arrays on disk: made once, made again when anything about them is wrong, never half there."""

import json

import numpy as np
import pytest

from varbook.data.array_cache import kept


@pytest.fixture
def made():
    return []


@pytest.fixture
def fetch(tmp_path, made):
    def make(scratch):
        made.append(scratch)
        np.save(scratch / "a.npy", np.arange(5))
        np.save(scratch / "b.npy", np.ones((2, 2)))

    return lambda: kept(tmp_path / "shelf" / "one", ("a", "b"), make)


def test_made_once(fetch, made):
    for _ in range(3):
        a, b = fetch()
        assert a.tolist() == [0, 1, 2, 3, 4] and b.sum() == 4
    assert len(made) == 1


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: (folder / "a.npy").write_bytes(b"not an array"),
        lambda folder: (folder / "a.npy").unlink(),
        lambda folder: (folder / "b.npy").write_bytes((folder / "b.npy").read_bytes()[:-9]),
        lambda folder: np.save(folder / "b.npy", np.zeros((2, 2))),
        lambda folder: (folder / "sums.json").write_text("{"),
        lambda folder: (folder / "sums.json").write_text(json.dumps({"a": 1})),
        lambda folder: (folder / "sums.json").write_text("[]"),
    ],
)
def test_made_again_after_harm(fetch, made, tmp_path, harm):
    fetch()
    harm(tmp_path / "shelf" / "one")
    assert fetch()[1].sum() == 4 and len(made) == 2
    assert fetch()[0].sum() == 10 and len(made) == 2


def test_an_interruption_leaves_nothing(tmp_path):
    def stop(scratch):
        np.save(scratch / "a.npy", np.arange(3))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept(tmp_path / "shelf" / "two", ("a",), stop)
    assert list((tmp_path / "shelf").iterdir()) == []


def test_a_place_that_cannot_be_written_is_no_reason_to_fail(tmp_path):
    (tmp_path / "file").write_text("in the way")
    (array,) = kept(
        tmp_path / "file" / "three",
        ("a",),
        lambda scratch: np.save(scratch / "a.npy", np.arange(3)),
    )
    assert array.tolist() == [0, 1, 2]
