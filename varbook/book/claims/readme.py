"""The parts of README.md that are generated, so that they never say more than the registry and the
results do.
"""

import re
from pathlib import Path

from PIL import Image

from varbook.book.chapters import CHAPTERS, star
from varbook.book.claims.registry import artefact, of_chapter
from varbook.book.claims.report import rows_of_report, summary
from varbook.book.models.profiles import PROFILES, Profile
from varbook.book.show.tables import markdown_table
from varbook.errors import VarbookError
from varbook.files import write_atomically
from varbook.paths import only_in, published, repository

# Shown where the laptop profile has made them: a name in figures/laptop/ -> what is to be seen.
_TOP_PICTURE = {
    "extra/cyclevar_toy_world": "CycleVAR on the toy world: a source, its translation, and the true "
    "counterpart that no model ever saw; horses to zebras above, zebras to horses below."
}
_MORE_PICTURES = {
    "cyclevar-fig-3": "The same on photographs, with a small model that has seen 2,400 of them.",
    "flexvar-fig-17": "FlexVAR's samples by class, three for each of fourteen animals.",
}
# What the papers stand on, held or not; the report has all the others.
_FRONT_ROWS = (
    "cyclevar-fig-1",
    "cyclevar-fig-3",
    "cyclevar-table-1",
    "flexvar-fig-3",
    "flexvar-table-3",
)


def chapters_block() -> str:
    """Return the table of chapters, with links to those that are written."""
    rows = []
    for chapter in CHAPTERS.values():
        rows.append(
            {
                "chapter": f"[{chapter.number} {chapter.title}](notebooks/{chapter.file_name})"
                f"{star(chapter.number)}"
                if chapter.path.is_file()
                else f"{chapter.number} {chapter.title} (to come)",
                "at the end you can": chapter.purpose,
                "regenerates": _made_by(chapter.number),
            }
        )
    return markdown_table(rows)


def _photographs(profile: Profile) -> str:
    """Return which photographs a profile uses, and how large."""
    if not profile.use_photographs:
        return "not in the chapters"
    told = f"{profile.chains['photographs'].image_size} px, where present"
    if "imagenet" not in profile.chains:
        return told
    return f"{told}; ImageNet, {profile.chains['imagenet'].image_size} px"


def profiles_block() -> str:
    """Return the table of profiles, from their definitions."""
    rows = []
    for profile in PROFILES.values():
        rows.append(
            {
                "profile": f"`{profile.name}`",
                "toy world": f"{profile.chains['toy'].image_size} px, {profile.images['toy']:,} images",
                "photographs": _photographs(profile),
                "steps (tokenizer, next-scale model, CycleVAR)": ", ".join(
                    f"{training.steps:,}"
                    for training in (
                        profile.chains["toy"].tokenizer_training,
                        profile.chains["toy"].model_training,
                        profile.chains["toy"].cyclevar_training,
                    )
                ),
            }
        )
    return markdown_table(rows)


def _made_by(chapter: str) -> str:
    """Return what a chapter makes, each paper and kind named once: "FlexVAR figs 4, 16, table 4"."""
    numbers: dict[tuple[str, str], list[str]] = {}
    for row in of_chapter(chapter):
        numbers.setdefault((row.paper, row.kind), []).append(str(row.number))
    papers: dict[str, list[str]] = {}
    for (paper, kind), made in numbers.items():
        papers.setdefault(paper, []).append(f"{kind}{'s' * (len(made) > 1)} {', '.join(made)}")
    return "; ".join(f"{paper} {', '.join(made)}" for paper, made in papers.items()) or "-"


def _shown(pictures: dict[str, str]) -> str:
    parts = []
    for name, seen in pictures.items():
        path = published() / "laptop" / f"{name}.png"
        if path.is_file():
            with Image.open(path) as picture:
                width = min(640, picture.width)
            image = f'<img src="figures/laptop/{name}.png" width="{width}" alt="{seen}">'
            parts.append(f"{image}\n\n*{seen}*\n")
    return "\n".join(parts)


def picture_block() -> str:
    """Return the picture at the top, with what is to be seen below it."""
    return _shown(_TOP_PICTURE)


def report_block() -> str:
    """Return two more pictures, the count of verdicts, the front rows, and where all others are."""
    rows = rows_of_report()
    labels = [artefact(name).label for name in _FRONT_ROWS]
    front = [row | {"verdict": row["word"]} for row in rows if row["figure or table"] in labels]
    table = markdown_table(front, ("figure or table", "paper's claim", "verdict"))
    return (
        f"{_shown(_MORE_PICTURES)}\nOf the papers' {len(rows)} figures and tables: {summary(rows)}. Among them:\n\n"
        f"{table}\n"
        f"[The report](figures/REPORT.md) has every row: the paper's number beside ours, the verdict, and the checks on "
        f"which it rests.\n"
    )


BLOCKS = {
    "picture": picture_block,
    "chapters": chapters_block,
    "report": report_block,
    "profiles": profiles_block,
}


def filled(text: str) -> str:
    """Return a README with each block between `<!-- name:begin -->` and `<!-- name:end -->`
    generated anew, from what comes with the book.
    """
    with only_in(published()):
        return _filled(text)


def _filled(text: str) -> str:
    for name, block in BLOCKS.items():
        match = re.search(rf"<!-- {name}:begin -->\n(.*?)<!-- {name}:end -->", text, re.S)
        if match is None:
            raise VarbookError(
                f"README.md has lost its place for the {name}: put <!-- {name}:begin --> back."
            )
        begin, end = match.span(1)
        text = text[:begin] + block() + text[end:]
    return text


def write_readme() -> Path:
    """Fill the generated parts of README.md (only where that changes it) and return its path."""
    path = repository() / "README.md"
    old = path.read_text(encoding="utf-8")
    new = filled(old)
    if new != old:
        write_atomically(path, new)
    return path
