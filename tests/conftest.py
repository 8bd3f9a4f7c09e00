"""What several test files begin with."""

import pytest

from varbook.book.profiles import profile


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    """The smoke profile with a VARBOOK_HOME of its own: what a file trains, its own tests find again, and no other's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VARBOOK_HOME", str(tmp_path_factory.mktemp("home")))
        yield profile("smoke")
