"""The sizes of models beside the published ones."""

import torch

from varbook.book.experiments import model_sizes
from varbook.transformer.model import NextScaleConfig, NextScaleModel

TINY = NextScaleModel(NextScaleConfig(depth=1, width=64, heads=1))


def test_parts_and_rest_are_the_whole_model():
    rows = model_sizes.part_rows(TINY, {"attention": ".attn.", "head": "head.weight"})
    assert [row["part"] for row in rows] == ["attention", "head", "rest"]
    assert sum(row["parameters"] for row in rows) == model_sizes.parameters(TINY)
    assert rows[1]["parameters"] == TINY.head.weight.numel()


def built(depth, narrower=1):
    size = {"depth": depth, "width": 64 * depth // narrower, "heads": depth}
    with torch.device("meta"):
        return NextScaleModel(NextScaleConfig(vocab_size=4096, code_dim=32, classes=1000, **size))


def test_the_published_sizes_are_met_by_the_rule_and_missed_by_another():
    right = {("FlexVAR", depth): built(depth) for depth in (16, 20, 24)}
    assert all(model_sizes.size_checks(right).values())
    checks = model_sizes.size_checks(right | {("FlexVAR", 20): built(20, narrower=2)})
    assert [name for name, holds in checks.items() if not holds] == [
        "d20 within 5 % of the published size",
        "heads = layers, width = 64 x layers",
    ]
    assert model_sizes.size_rows(right)[0]["model"] == "FlexVAR-d16"
