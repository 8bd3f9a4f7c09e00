"""The times of table 3: both modes of one model, and their quotient beside the paper's."""

import tiny
import torch

from varbook.book.experiments.mode_speed import seconds_of_modes, speed_rows


def test_both_modes_are_timed_on_one_picture():
    tokenizer, model = tiny.tiny_tokenizer(), tiny.tiny_model()
    image = torch.zeros(1, 3, *(side * tokenizer.stride for side in tokenizer.config.schedule[-1]))
    times = seconds_of_modes((model, tokenizer, image), 0, 1)
    assert list(times) == ["parallel", "serial"] and min(times.values()) > 0


def test_the_quotient_of_the_paper_stands_below_ours():
    paper = [
        {"mode": "serial multi-step", "seconds": 0.22},
        {"mode": "parallel one-step", "seconds": 0.08},
    ]
    rows = speed_rows({"study": {"parallel": 0.5, "serial": 1.0}}, paper)
    assert rows[0] == {"model": "study", "parallel": 0.5, "serial": 1.0, "serial / parallel": 2.0}
    assert rows[1]["model"] == "the paper's" and round(rows[1]["serial / parallel"], 2) == 2.75
