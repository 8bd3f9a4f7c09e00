"""The parts of README.md that are generated, so that they never say more than the registry and the
results do.
"""

import re
from pathlib import Path

from varbook.book.chapters import CHAPTERS
from varbook.book.claims.header import measured_minutes
from varbook.book.claims.registry import artefact, of_chapter
from varbook.book.claims.report import counts, rows_of_report
from varbook.book.claims.save import write
from varbook.book.models.profiles import PROFILES
from varbook.book.show.display import markdown_table
from varbook.errors import VarbookError
from varbook.paths import figures, repository

_FRONT_PICTURES = ("cyclevar-fig-3",)  # shown in the README where the laptop profile has made them


def chapters_block() -> str:
    """Return the table of chapters: links to those that are written, and the minutes that were
    measured.
    """
    rows = []
    for one in CHAPTERS.values():
        minutes = measured_minutes(one.number)
        rows.append(
            {
                "chapter": f"[{one.number} {one.title}](notebooks/{one.file_name})"
                if one.path.is_file()
                else f"{one.number} {one.title} (to come)",
                "at the end you can": one.purpose,
                "regenerates": ", ".join(row.label for row in of_chapter(one.number)) or "-",
                "laptop": "-" if minutes is None else f"{max(1, round(minutes))} min",
            }
        )
    return markdown_table(rows)


def profiles_block() -> str:
    """Return the table of profiles, from their definitions."""
    rows = []
    for one in PROFILES.values():
        rows.append(
            {
                "profile": f"`{one.name}`",
                "toy world": f"{one.chains['toy'].image_size} px, {one.images['toy']:,} images",
                "photographs": f"{one.chains['photographs'].image_size} px, where present"
                if one.use_photographs
                else "not used",
                "steps (tokenizer, next-scale model, CycleVAR)": ", ".join(
                    f"{training.steps:,}"
                    for training in (
                        one.chains["toy"].tokenizer_training,
                        one.chains["toy"].model_training,
                        one.chains["toy"].cyclevar_training,
                    )
                ),
            }
        )
    return markdown_table(rows)


def report_block() -> str:
    """Return the front pictures, the count of verdicts, and one row for each claim that has been
    put to the test.
    """
    parts = []
    for name in _FRONT_PICTURES:
        if (figures() / "laptop" / f"{name}.png").is_file():
            parts.append(f"![{artefact(name).alt}](figures/laptop/{name}.png)\n")
    rows = rows_of_report()
    told = ", ".join(f"{number} {word}" for word, number in sorted(counts(rows).items()))
    parts.append(
        f"Of the papers' {len(rows)} figures and tables: {told} ([full report](figures/REPORT.md)).\n"
    )
    tried = [row for row in rows if not row["verdict"].startswith("not run")]
    if tried:
        parts.append(
            markdown_table(
                tried, ("figure or table", "paper's claim", "ours", "verdict", "profile")
            )
        )
    return "\n".join(parts)


BLOCKS = {"chapters": chapters_block, "profiles": profiles_block, "report": report_block}


def filled(text: str) -> str:
    """Return a README with each block between `<!-- name:begin -->` and `<!-- name:end -->`
    generated anew.
    """
    for name, block in BLOCKS.items():
        pattern = re.compile(rf"(<!-- {name}:begin -->\n).*?(<!-- {name}:end -->)", re.S)
        if not pattern.search(text):
            raise VarbookError(
                f"README.md has lost its place for the {name}: put <!-- {name}:begin --> back."
            )
        content = block()
        text = pattern.sub(lambda found, content=content: f"{found[1]}{content}{found[2]}", text)
    return text


def write_readme() -> Path:
    """Fill the generated parts of README.md (only where that changes it) and return its path."""
    path = repository() / "README.md"
    old = path.read_text(encoding="utf-8")
    new = filled(old)
    if new != old:
        write(path, new)
    return path
