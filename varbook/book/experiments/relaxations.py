"""What chapter 08 measures of the relaxations, and the rows, checks and sentences made of it."""

from collections.abc import Iterable, Mapping
from statistics import fmean

import torch.nn.functional as F
from torch import Tensor

NAMES = {
    "argmax": "argmax",
    "straight_through": "straight-through",
    "gumbel, one draw": "Gumbel, one draw",
    "gumbel": "Gumbel, mean of 64 draws",
    "softmax": "softmax relaxed (SRQ)",
}


def gradient_report(
    tokens: Iterable[tuple[Tensor, Mapping[str, Tensor]]],
) -> dict[str, dict[str, float]]:
    """Return how gradients compare with the exact one: name -> mean "cosine" and "norm" (over the
    exact norm), and "lowest cosine" of a token.

    `tokens` holds for each token the exact gradient (V,) and name -> gradients (n, V), one or
    several draws.
    """
    cosines: dict[str, list[float]] = {}
    norms: dict[str, list[float]] = {}
    for exact, by_name in tokens:
        for name, rows in by_name.items():
            cosine = F.cosine_similarity(rows, exact[None], dim=-1).mean().item()
            cosines.setdefault(name, []).append(cosine)
            norms.setdefault(name, []).append((rows.norm(dim=-1).mean() / exact.norm()).item())
    means = {name: {"cosine": fmean(cosines[name]), "norm": fmean(norms[name])} for name in cosines}
    return {name: row | {"lowest cosine": min(cosines[name])} for name, row in means.items()}


def evenness(sizes: Tensor) -> float:
    """Return over how large a share of all tokens something is spread, for its size at each: 1
    where all have equally much, 1 / n where one of n has everything.
    """
    return (sizes.sum() ** 2 / (sizes.numel() * sizes.square().sum()).clamp_min(1e-30)).item()


def gradient_rows(report: Mapping[str, Mapping[str, float]]) -> list[dict]:
    """Return one row per relaxation: how its gradient at the logits compares with the exact one.

    `report` is relaxation -> "cosine" and "norm" (means over tokens) and "lowest cosine".
    """
    return [
        {
            "relaxation": text,
            "cosine to the exact gradient": report[name]["cosine"],
            "lowest of the tokens": report[name]["lowest cosine"],
            "norm over the exact norm": report[name]["norm"],
        }
        for name, text in NAMES.items()
    ]


def temperature_rows(states: Mapping[str, Mapping], paper: Iterable[Mapping]) -> list[dict]:
    """Return one row per temperature, rising: the state of the mixtures beside CycleVAR table 5.

    `states` is temperature (as text) -> what was measured there; `paper` has the rows of table 5,
    whose temperatures have two decimals.
    """
    published = {row["temperature"]: row for row in paper}
    return [
        {
            "temperature": float(tau),
            "perplexity": state["perplexity"],
            "norm ratio": state["norm_ratio"],
            "gradient norm": state["gradient"],
            "tokens that share it": state["share"],
            "paper: FID h2z": published[f"{float(tau):.2f}"]["FID h2z"],
            "paper: structure h2z": published[f"{float(tau):.2f}"]["structure h2z"],
        }
        for tau, state in sorted(states.items(), key=lambda item: float(item[0]))
    ]


def scale_rows(states: Mapping[str, Mapping], schedule: Iterable[tuple[int, int]]) -> list[dict]:
    """Return one row per scale: the perplexity of its mixtures at four temperatures, and the norm
    ratio at 2.
    """
    return [
        {
            "scale": f"{h}x{w}",
            **{
                f"perplexity at {tau:g}": states[str(tau)]["perplexity_per_scale"][k]
                for tau in (0.1, 1.0, 2.0, 10.0)
            },
            "norm ratio at 2": states["2.0"]["norm_per_scale"][k],
        }
        for k, (h, w) in enumerate(schedule)
    ]


def figure_1_checks(norms: Mapping[str, float], differences: Mapping[str, float]) -> dict:
    """Return the checks of CycleVAR figure 1: `norms` are the gradients' at the logits by
    relaxation, `differences` compares SRQ's with finite differences.
    """
    return {
        "no gradient at all through argmax": norms["argmax"] == 0.0,
        "a gradient through SRQ": norms["softmax"] > 0.0,
        "SRQ's gradient equals finite differences to 0.1 %": differences["relative_error"] < 1e-3,
    }


def figure_1_sentence(norms: Mapping[str, float], differences: Mapping[str, float]) -> str:
    """Return the numbers of CycleVAR figure 1 in one line, for the report."""
    return (
        f"gradient norm at the logits: argmax {norms['argmax']:.3g}, straight-through "
        f"{norms['straight_through']:.3g}, Gumbel {norms['gumbel']:.3g}, SRQ "
        f"{norms['softmax']:.3g}; SRQ differs from finite differences by "
        f"{differences['relative_error']:.1e}"
    )
