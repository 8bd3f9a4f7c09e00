"""What the comparison of both predictions says in words (FlexVAR figures 4 and 16, tables 4 and 6),
from its numbers.

A summary has the keys "loss", "frequencies alone" (the loss of knowing how frequent each code is)
and "gain" (the second minus the first), all in nats per token.
"""

from collections.abc import Mapping, Sequence

from varbook.book.experiments.seeds import spread

Numbers = Mapping[str, Sequence[Mapping]]  # row of `flexvar_ablations.ROWS` -> numbers of each seed


def fair_text(residual: Mapping[str, float], ground_truth: Mapping[str, float]) -> str:
    """Return the comparison on equal pictures and scales as Markdown."""
    a, b = residual, ground_truth
    lower = "lower" if b["loss"] < a["loss"] else "higher"
    easier = "easier" if b["frequencies alone"] < a["frequencies alone"] else "no easier"
    more = "larger" if b["gain"] > a["gain"] else "not larger"
    return (
        f"On equal pictures and scales, ground truth has the **{lower}** loss "
        f"({b['loss']:.2f} against {a['loss']:.2f} nats). "
        f"Its codes are {easier} to guess from frequencies alone "
        f"({b['frequencies alone']:.2f} against {a['frequencies alone']:.2f}). "
        f"Beyond frequencies, ground truth gains {b['gain']:.2f} nats per token "
        f"and residuals {a['gain']:.2f}: "
        f"the understanding that shows in the loss is **{more}** with ground truth."
    )


def two_vocabularies(residual: Mapping[str, float], ground_truth: Mapping[str, float]) -> str:
    """Return why two losses over two vocabularies cannot be compared as they are."""
    a, b = residual, ground_truth
    return (
        f"two vocabularies: frequencies alone cost {b['frequencies alone']:.2f} "
        f"and {a['frequencies alone']:.2f} nats, "
        f"the gain beyond is {b['gain']:.2f} and {a['gain']:.2f}"
    )


def tokenizers_text(numbers: Numbers, distance: str) -> str:
    """Return as Markdown how ground truth fares on the maps of three tokenizers, beside residuals."""
    at = {name: spread(values, distance) for name, values in numbers.items()}
    three = ("VAR's tokenizer", "LlamaGen's tokenizer", "FlexVAR's tokenizer")
    told = ", ".join(f"{at[name][0]:.1f} on {name}" for name in three)
    ours, residual = at[three[-1]][0], at["residual"][0]
    better = "better" if ours < residual else "no better"
    noise = max(at[name][1] for name in (*three, "residual"))
    return (
        f"Ground truth reaches {distance} {told} (lower is better; the widest range over the "
        f"seeds is {noise:.1f}). Residuals, on the tokenizer that was made for them, reach "
        f"{residual:.1f}: ground truth on a tokenizer made for it is **{better}**."
    )


def positions_text(numbers: Numbers, names: Sequence[str], distance: str) -> str:
    """Return as Markdown whether the rows `names` of table 6 differ by more than the seeds do."""
    at = {name: spread(numbers[name], distance) for name in names}
    means = [mean for mean, _ in at.values()]
    apart, noise = max(means) - min(means), max(one for _, one in at.values())
    verdict = "more than" if apart > noise else "no more than"
    return (
        f"From best to worst the four rows are {apart:.2f} {distance} apart; one row's own range "
        f"over the seeds is up to {noise:.2f}. So the rows differ by **{verdict}** the seeds do."
    )
