"""A progress bar where somebody is watching, silence where nobody is."""

from collections.abc import Iterable, Iterator

from tqdm import tqdm

from varbook import processes
from varbook.device import is_batch


def progress(steps: Iterable[int], label: str) -> Iterator[int]:
    """Yield `steps` behind a bar named `label`; in batch runs (CI, nbval, papermill) no bar is
    drawn, and of several processes the first alone draws one.
    """
    # The plain text bar: the widget bar leaves state in the notebook's metadata that GitHub cannot
    # show.
    return iter(tqdm(steps, desc=label, disable=is_batch() or not processes.first(), leave=False))
