"""The sentences of the editing verdicts say the numbers that were measured."""

from varbook.book.experiments import editing_texts as texts

PAINTING = {"real": {"taken for its class": 0.95}}
for number, edit in enumerate(texts.EDITS):
    PAINTING[edit] = {
        "taken for its class": 0.8 - number / 10,
        "known pixels, dB": 20.0 + number,
        "known pixels, tokenizer alone, dB": 21.0,
    }
    PAINTING[f"{edit}: masked"] = {"taken for its class": 0.1}
    PAINTING[f"{edit}, whole picture encoded"] = {"taken for its class": 0.3}


def test_painting_is_told_edit_by_edit():
    ours, why = texts.painting_texts(PAINTING)
    assert "in 80% / 10%, out 70% / 10%, elephant 60% / 10% (real pictures 95%)" in ours
    assert "in 20.0 / 21.0, out 21.0 / 21.0, elephant 22.0 / 21.0;" in why
    assert why.endswith("would give in 30%, out 30%, elephant 30%")


def test_extension_is_told_beside_real_scenes_and_grey_sides():
    measured = {
        "seam": {"extended": 1.25, "real": 1.0, "grey sides": 9.0},
        "FD-toy": {"extended": 3.0, "grey sides": 30.0, "decoded": 2.0},
        "borders of cells": 1.1,
        "centre, dB": 22.0,
        "centre, tokenizer alone, dB": 23.0,
        "taken for its class": 0.5,
        "taken for its class, real": 0.9,
    }
    ours, why = texts.extension_texts(measured, "FD-toy")
    assert ours.startswith(
        "steps across the seam 1.25 times those elsewhere (real wide scenes 1.00"
    )
    assert ours.endswith("FD-toy 3.00, grey sides 30.00")
    assert why == "decoded real wide scenes have FD-toy 2.00; recognised 50% (real 90%)"


def test_refining_is_told_as_refined_bicubic_and_ceiling():
    row = {"PSNR, dB": 20.0, "LPIPS": 0.25, "FD-toy": 4.0}
    kinds = {"refined": row, "bicubic": row | {"FD-toy": 8.0}, "ceiling: decoded truth": row}
    told = texts.refining_text(kinds, "LPIPS", "FD-toy")
    assert told.startswith("PSNR 20.0 refined, 20.0 bicubic, 20.0 ceiling; LPIPS 0.25, 0.25, 0.25")
    assert told.endswith("FD-toy 4.00, 8.00, 4.00")
