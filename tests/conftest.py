"""What several test files begin with."""

import signal

import pytest
import torch
from browsing import build_site
from frozen_networks import write_weights

from varbook import paths
from varbook.book.models.profiles import profile
from varbook.features import mobilenet, squeezenet


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


@pytest.fixture(scope="session")
def made_weights(tmp_path_factory):
    """A folder with weights of frozen networks that nobody has trained."""
    return write_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def pretrained(made_weights):
    """Let pretrained features be found: the real ones where they are here, else made ones. Say
    which: "real" or "made".
    """
    files = (mobilenet.FILE, squeezenet.FILE)
    if all(paths.weights_file(file) is not None for file in files):
        yield "real"
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VARBOOK_WEIGHTS", str(made_weights))
        yield "made"


@pytest.fixture
def usual_signals():
    """Let SIGINT and SIGHUP be obeyed, as from a terminal: children inherit what their parent
    ignores, as nohup and a shell's background do.
    """
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The book's web page, built once for all files that look at it."""
    return build_site(tmp_path_factory.mktemp("book"))


def pytest_collection_modifyitems(items):
    """Put the tests in a browser last: they are slow, and playwright's loop runs while they do."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)
