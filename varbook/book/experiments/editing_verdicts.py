"""The verdicts of chapter 06: of FlexVAR figures 8 to 10 the checks that their rows of the registry
name, and what `save_result` is told beside them.
"""

from collections.abc import Mapping
from typing import Any

from varbook.book.experiments import editing_texts as texts
from varbook.book.experiments.editing import TAKEN, Editing, factors
from varbook.train.store import Run

# The checks of an artefact, and the other arguments of `save_result`.
Verdict = tuple[dict[str, bool], dict[str, Any]]


def painted(editing: Editing, run: Run) -> Verdict:
    """FlexVAR figure 9: painting in and out, and another animal."""
    measured = run.result
    share = {name: values[TAKEN] for name, values in measured.items()}
    as_good = "without pasting, known pixels are as good as the tokenizer's own (to 1 dB)"
    decibels = texts.known_decibels(measured)
    checks = {f"{name}: {as_good}": known > own - 1 for name, (known, own) in decibels.items()}
    more = "recognised more often than masked"
    checks |= {f"{name}: {more}": share[name] > share[f"{name}: masked"] for name in texts.EDITS}
    ours, why = texts.painting_texts(measured)
    return checks, {"ours": ours, "why": why, "numbers": measured} | _behind(editing, run)


def extended(editing: Editing, run: Run, codes_kept: bool) -> Verdict:
    """FlexVAR figure 10: a picture in the middle of a wider one; `codes_kept`: are its codes unchanged
    at every scale?
    """
    measured, ratio = run.result, run.result["seam"]
    near = measured["centre, tokenizer alone, dB"] - 1
    edges = max(1.0, ratio["real"], measured["borders of cells"])
    checks = {
        "the centre's codes are kept": codes_kept,
        "without pasting, its pixels are as good as the tokenizer's own (to 1 dB)": (
            measured["centre, dB"] > near
        ),
        "the seam is no stronger than edges elsewhere": ratio["extended"] <= edges,
    }
    ours, why = texts.extension_texts(measured, editing.flex.judge.distance)
    return checks, {"ours": ours, "why": why, "numbers": measured} | _behind(editing, run)


def rows_of_refining(runs: Mapping[tuple[int, int], Run]) -> list[dict]:
    """Return a row for each (factor, size) and kind of picture."""
    return [
        {"from": size // factor, "to": size, "picture": name} | values
        for (factor, size), run in runs.items()
        for name, values in run.result.items()
    ]


def refined(editing: Editing, runs: Mapping[tuple[int, int], Run], distance: str) -> Verdict:
    """FlexVAR figure 8: small pictures drawn anew at larger sizes; `distance` is the name of the
    perceptual distance.
    """
    judged = editing.flex.judge.distance
    claims = {
        "PSNR, dB": "higher PSNR",
        distance: "lower perceptual distance",
        judged: f"lower {judged}",
    }
    checks, told = {}, []
    for (factor, size), run in runs.items():
        sizes = f"{size // factor} to {size} px"
        for name, words in claims.items():
            ours, theirs = (run.result[kind][name] for kind in ("refined", "bicubic"))
            better = ours > theirs if name == "PSNR, dB" else ours < theirs
            checks[f"{sizes}: {words} than bicubic"] = better
        told.append(f"{sizes}: {texts.refining_text(run.result, distance, judged)}")
    four_times = runs[factors(editing)[1]].result
    share = {kind: four_times[kind][TAKEN] for kind in ("refined", "bicubic")}
    measured = {f"{size // factor} to {size}": run.result for (factor, size), run in runs.items()}
    known = {
        "ours": "; ".join(told),
        "why": "the tokenizer's own reconstruction bounds any refinement, and at factor 2 it lies "
        f"below bicubic interpolation; as a set ({judged}) refined pictures can be nearer to real "
        f"ones all the same; recognised at factor 4: {share['refined']:.0%} refined, "
        f"{share['bicubic']:.0%} bicubic",
        "numbers": measured,
    }
    return checks, known | _behind(editing, *runs.values())


def _behind(editing: Editing, *runs: Run) -> dict[str, Any]:
    return {"runs": [*editing.flex.runs, *runs], "params": editing.behind}
