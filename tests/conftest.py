"""What several test files begin with."""

import pytest
import torch

from varbook.book.models.profiles import profile


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    """The smoke profile with a VARBOOK_HOME of its own: what a file trains, its own tests find
    again, and no other's.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VARBOOK_HOME", str(tmp_path_factory.mktemp("home")))
        yield profile("smoke")


@pytest.fixture
def one_thread():
    """One thread for a test that compares the rows of one batch bit by bit: shared out, rows of a
    product round differently.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
