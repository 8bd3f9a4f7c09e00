"""What the comparison of both predictions says in words (FlexVAR figure 4), from its numbers.

A summary has the keys "loss", "frequencies alone" (the loss of knowing how frequent each code is)
and "gain" (the second minus the first), all in nats per token.
"""

from collections.abc import Mapping


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
