"""The published sizes of next-scale models beside ours (FlexVAR table 1)."""

from collections.abc import Mapping

from torch import nn

from varbook.book.claims.registry import published
from varbook.transformer.model import NextScaleModel

Sizes = Mapping[tuple[str, int], NextScaleModel]  # (family, depth) -> model, maybe without contents


def parameters(model: nn.Module) -> int:
    """Return how many parameters a model has."""
    return sum(parameter.numel() for parameter in model.parameters())


def size_row(name: str, model: NextScaleModel) -> dict:
    """Return a model's row of FlexVAR table 1."""
    return {
        "model": name,
        "layers": model.config.depth,
        "parameters": f"{parameters(model) / 1e6:.1f}M",
        "heads": model.config.heads,
        "width": model.config.width,
    }


def size_rows(sizes: Sizes) -> list[dict]:
    """Return the rows of models named by family and depth."""
    return [size_row(f"{family}-d{depth}", model) for (family, depth), model in sizes.items()]


def size_checks(sizes: Sizes) -> dict[str, bool]:
    """Return what FlexVAR table 1 claims of its depths, each beside whether our models agree."""
    told = {row["layers"]: row for row in published("flexvar-table-1").as_dicts()}
    found = {}
    for depth, row in told.items():
        ratio = parameters(sizes["FlexVAR", depth]) / _count(row["parameters"])
        found[f"d{depth} within 5 % of the published size"] = abs(ratio - 1) < 0.05
    rule = [
        row[key] == told[row["layers"]][key]
        for row in size_rows(sizes)
        for key in ("heads", "width")
    ]
    return found | {"heads = layers, width = 64 x layers": all(rule)}


def _count(text: str) -> float:
    """Return a published number of parameters: "310M", "1.0B"."""
    return float(text[:-1]) * {"M": 1e6, "B": 1e9}[text[-1]]


def part_rows(model: NextScaleModel, parts: Mapping[str, str]) -> list[dict]:
    """Return how many of a model's parameters have the mark of each of `parts` (part -> mark in the
    name), and how many are left, each with its share.
    """
    total = parameters(model)
    counts = {
        name: sum(p.numel() for key, p in model.named_parameters() if mark in key)
        for name, mark in parts.items()
    }
    counts["rest"] = total - sum(counts.values())
    return [
        {"part": name, "parameters": count, "share": f"{count / total:.1%}"}
        for name, count in counts.items()
    ]
