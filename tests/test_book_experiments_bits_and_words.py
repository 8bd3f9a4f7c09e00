"""Chapter 11's report on a tokenizer of bits: one row a scale, from the tokenizer's own maps."""

import tiny
import torch

from varbook.book.experiments.bits_and_words import bit_report, bit_rows
from varbook.tokenizer.schedule import square
from varbook.tokenizer.tokenizer import Tokenizer, TokenizerConfig


def test_a_report_has_a_number_for_each_scale_and_the_last_is_the_whole_reconstruction():
    schedule = square(1, 2, 4)
    tokenizer = Tokenizer(
        TokenizerConfig(schedule=schedule, code_dim=6, codes_kind="bits", channels=(8, 16))
    ).eval()
    side = 4 * tokenizer.stride
    images = tiny.pictures(3, side, side)
    report = bit_report(tokenizer, images)
    assert len(report["psnr"]) == len(report["entropy"]) == len(schedule)
    assert all(0 <= value <= 1 for value in report["entropy"])
    with torch.no_grad():
        whole = tokenizer.reconstruct(images)[-1].clamp(-1, 1)
    error = ((whole - images) / 2).square().mean((1, 2, 3))
    assert abs(report["psnr"][-1] - (10 * torch.log10(1 / error)).mean().item()) < 1e-3


def test_a_row_counts_the_bits_of_its_scale():
    report = {"entropy": [1.0, 0.5], "psnr": [10.0, 20.0]}
    first, last = bit_rows(((1, 1), (2, 3)), 24, report)
    assert first == {
        "scale": "1x1",
        "bits": 24,
        "mean entropy of a bit": 1.0,
        "PSNR of the sum so far": 10.0,
    }
    assert last["scale"] == "2x3" and last["bits"] == 144
