"""The rows of chapter 08's tables, from what it measured of the relaxations."""

from collections.abc import Iterable, Mapping

NAMES = {
    "argmax": "argmax",
    "straight_through": "straight-through",
    "gumbel, one draw": "Gumbel, one draw",
    "gumbel": "Gumbel, mean of 64 draws",
    "softmax": "softmax relaxed (SRQ)",
}


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
