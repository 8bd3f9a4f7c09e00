"""What chapter 02 measures of tokenizers, scale by scale."""

import pytest
import torch
from tiny import pictures, tiny_tokenizer, uint8_pictures

from varbook.book.experiments import pyramid_scales as scales
from varbook.data.images import to_float
from varbook.evaluate.reconstruction import psnr

SCENES = uint8_pictures(5)


@pytest.fixture(scope="module")
def kinds():
    return {
        "VAR": tiny_tokenizer("residual"),
        "single": tiny_tokenizer("ground_truth", 1),
        "multi": tiny_tokenizer("ground_truth", 2),
    }


def test_the_steps_of_a_residual_pyramid_add_up_to_what_is_decoded(kinds):
    rows = scales.both_pyramids(kinds["VAR"], kinds["multi"], SCENES)
    count = len(kinds["VAR"].config.schedule)
    assert [len(row) for row in rows.values()] == [count] * 5
    assert torch.allclose(rows[scales.STEP_ALONE][0], rows[scales.SUM][0], atol=1e-5)
    assert not torch.equal(rows[scales.STEP_ALONE][-1], rows[scales.SUM][-1])
    with torch.no_grad():
        whole = kinds["VAR"].reconstruct(to_float(SCENES))[-1]
    assert torch.allclose(rows[scales.SUM][-1], whole, atol=1e-5)


def test_the_sheet_of_figure_2_has_every_picture_at_the_scenes_size(kinds):
    rows = scales.both_pyramids(kinds["VAR"], kinds["multi"], SCENES[:1])
    shown = scales.figure_2_sheet(rows, SCENES[:1])
    assert list(shown)[0] == "scene, downsampled" and set(shown) == {
        *("scene, downsampled", scales.CHANGE),
        *rows,
    }
    full = [x for name, row in shown.items() for x in row if "codes" not in name and x is not None]
    assert {x.shape[-2:] for x in full} == {SCENES.shape[-2:]}
    sizes = [x.shape[-2:] for x in shown["VAR: codes"]]
    assert sizes == [torch.Size(size) for size in kinds["VAR"].config.schedule]


def test_the_change_of_a_step_is_between_two_sums(kinds):
    rows = scales.both_pyramids(kinds["VAR"], kinds["multi"], SCENES[:1])
    first, *others = scales.figure_2_sheet(rows, SCENES[:1])[scales.CHANGE]
    assert first is None and len(others) == len(kinds["VAR"].config.schedule) - 1
    change = rows[scales.SUM][1] - rows[scales.SUM][0]
    assert torch.equal(others[0], (scales.AMPLIFIED * change).clamp(-1, 1))


def test_titles_say_tokens_and_pixels_and_do_not_break_within_a_size():
    first, last = scales.scale_titles(((1, 1), (16, 16)), stride=4)
    assert first.replace("\N{NO-BREAK SPACE}", " ") == "1 x 1 token, 4 x 4 px"
    assert last.split(" ")[-1].replace("\N{NO-BREAK SPACE}", "_") == "64_x_64_px"
    assert "px" not in scales.scale_titles(((1, 1), (16, 16)))[1]


def test_figure_2_compares_each_truth_with_the_scene_at_its_own_size(kinds):
    average = to_float(SCENES).mean(0, keepdim=True)
    numbers = scales.figure_2_numbers(kinds["VAR"], kinds["multi"], average, SCENES)
    first = scales.both_pyramids(kinds["VAR"], kinds["multi"], SCENES)[scales.TRUTH][0]
    small = scales.shrunk(SCENES, first.shape[-2:])
    assert torch.allclose(numbers["FlexVAR, step alone"][0], psnr(small, first))
    guess = psnr(small, scales.shrunk(average, first.shape[-2:]).expand_as(small))
    assert torch.allclose(numbers["the average scene"][0], guess)


def test_the_codebook_is_left_out_where_that_is_asked(kinds):
    schedule = kinds["multi"].config.schedule
    made = scales.decode_every_scale(kinds["multi"], SCENES, schedule)
    free = scales.decode_every_scale(kinds["multi"], SCENES, schedule, quantised=False)
    stride = kinds["multi"].stride
    assert [tuple(x.shape[-2:]) for x in made] == [(h * stride, w * stride) for h, w in schedule]
    assert [x.shape for x in free] == [x.shape for x in made] and not torch.equal(
        made[-1], free[-1]
    )
    with torch.no_grad():
        own = kinds["multi"].reconstruct(to_float(SCENES))
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(made, own, strict=True))


def test_figure_3_says_on_which_scenes_multi_wins(kinds):
    class Squares(torch.nn.Linear):
        def forward(self, a, b):
            return (a - b).square().mean((1, 2, 3))

    schedule = kinds["multi"].config.schedule
    numbers = scales.figure_3_numbers(kinds, schedule, Squares(1, 1), SCENES)
    assert set(numbers) == {f"{m} {n}" for m in ("psnr", "looks", "free") for n in kinds} | {"wins"}
    assert {x.shape for x in numbers.values()} == {(len(schedule), len(SCENES))}
    assert torch.equal(numbers["wins"] > 0, numbers["psnr multi"] > numbers["psnr single"])


def test_means_over_batches_are_those_over_all_scenes(monkeypatch):
    def brightness(images):
        return {"mean": images.float().mean((1, 2, 3))[None]}

    whole = scales.over_all(brightness, SCENES)["mean"]
    monkeypatch.setattr(scales, "BATCH", 2)
    assert scales.over_all(brightness, SCENES)["mean"] == pytest.approx(whole)


def test_own_reading_decodes_the_last_latent(kinds):
    with torch.no_grad():
        last = kinds["VAR"].reconstruct(to_float(SCENES))[-1]
    expected = psnr(SCENES, last).mean().item()
    assert scales.own_reading(kinds["VAR"], SCENES)["psnr"] == pytest.approx(expected, abs=1e-3)


def test_codes_in_use_are_counted_per_scale_and_over_all(kinds):
    schedule = kinds["VAR"].config.schedule
    found = scales.codes_in_use(kinds["VAR"], SCENES, schedule)
    assert len(found["used"]) == len(found["perplexity"]) == len(schedule) + 1
    assert found["used"][0] <= len(SCENES) and max(found["used"]) == found["used"][-1]


def test_codes_drawn_from_the_features_themselves_have_no_error():
    flat = [pictures(1).flatten()[:60].view(20, 3), torch.randn(8, 3)]
    first, second = scales.error_per_scale(flat[0], flat, 20, 0)
    assert first < second


def test_sentences_say_the_first_and_last_scale_and_who_is_ahead():
    numbers = {
        "FlexVAR, step alone": [10.0, 20.0],
        "the average scene": [9.0, 8.0],
        "VAR, step alone": [1.0, 2.0],
        "VAR, sum so far": [1.0, 30.0],
    }
    told = scales.figure_2_told(numbers, ["1x1", "8x8"])
    assert "10.0 dB at 1x1 to 20.0 dB at 8x8" in told and told.endswith("2.0 dB, its sum 30.0 dB")
    assert scales.figure_3_told([1.0, -2.0], ["1x1", "8x8"]).endswith(
        "+1.0 dB at 1x1, -2.0 dB at 8x8"
    )
    ahead = {"multi": [3.0, 1.0], "single": [2.0, 9.0], "VAR": [1.0, 9.0]}
    report = scales.figure_14_report({"a": ahead, "b": ahead | {"VAR": [4.0, 9.0]}})
    assert list(report["checks"].values()) == [True, False]
    assert report["ours"].endswith("on 1 of 2 images: a")
