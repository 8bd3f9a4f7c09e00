"""The pages that a run writes at its end: the report, and how it came out beside what comes with
the book.
"""

from collections.abc import Sequence
from pathlib import Path

from varbook.book.claims import compare
from varbook.files import write_atomically
from varbook.paths import figures, only_in, published, repository
from varbook.runner import plan


def written(mode: str, profile: str, chosen: Sequence[plan.Node]) -> str:
    """Write the pages of a run and return what to say of them.

    A reader's run ("figures") is compared; what is published changes the README as well.
    """
    from varbook.book.claims.readme import write_readme
    from varbook.book.claims.report import write_report

    with only_in(figures()):
        told = f"Report: {_shown(write_report(profile))}"
    if mode == "publish" and profile != "smoke":
        write_readme()
    if mode == "figures":
        failed = [node.name for node in chosen if not plan.outcome(mode, profile, node)]
        told = f"{beside_published(profile, failed)}\n{told}"
    return told


def beside_published(profile: str, failed: Sequence[str] = ()) -> str:
    """Write how a profile's results came out beside those that come with the book, into
    COMPARISON.txt beside them, and return it; those of `failed` chapters do not count.
    """
    theirs, ours = published() / profile, figures() / profile
    if not theirs.is_dir():
        return f"No results of the profile {profile} come with the book: nothing to compare."
    text = compare.text(compare.comparison(ours, theirs, failed))
    write_atomically(ours / "COMPARISON.txt", f"{text}\n")
    return f"Beside what comes with the book ({_shown(theirs)}):\n\n{text}\n"


def _shown(path: Path) -> Path:
    return path.relative_to(repository()) if repository() in path.parents else path
