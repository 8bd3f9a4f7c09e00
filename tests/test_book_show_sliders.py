"""The slider and the box selector: masks, and the strips that stand in their place in batch."""

import matplotlib.pyplot as plt
import torch
from PIL import Image
from tiny import pictures

from varbook.book.show import display, sliders
from varbook.book.show.sliders import (
    box_mask,
    box_or_strip,
    interact_or_rows,
    interact_or_strip,
    shaded,
    two_sliders_or_grid,
)


def test_a_box_is_true_inside_and_false_outside():
    mask = box_mask(6, 8, (1, 4, 2, 7))
    assert int(mask.sum()) == 3 * 5 and mask[1:4, 2:7].all()


def test_shading_leaves_the_rest_as_it_is():
    image, mask = pictures(1)[0], box_mask(16, 16, (0, 8, 0, 8))
    shown = shaded(image, mask)
    assert torch.equal(shown[:, 8:], image[:, 8:]) and shown[:, :8, :8].abs().max() < 0.21
    assert len(shown[:, :8, :8].unique()) == 2


def test_in_batch_every_example_is_painted_and_shown_once(monkeypatch):
    monkeypatch.setenv("VARBOOK_BATCH", "1")
    seen, shown = [], []
    monkeypatch.setattr(sliders, "show_figure", lambda picture, alt: shown.append((picture, alt)))

    def edit(mask, choice):
        seen.append((int(mask.sum()), choice))
        return torch.zeros(3, 16, 16)

    box_or_strip(
        edit,
        pictures(1)[0],
        [((0, 4, 0, 4), "horse"), ((0, 8, 0, 2), "cow")],
        ["horse", "cow"],
        "a strip",
    )
    assert seen == [(16, "horse"), (16, "cow")]
    [(picture, alt)] = shown
    assert alt == "a strip" and picture.width > 2 * 16


def test_a_slider_becomes_a_strip_when_nobody_is_there(monkeypatch):
    monkeypatch.setenv("VARBOOK_BATCH", "1")
    asked, shown = [], []
    monkeypatch.setattr(sliders, "show_figure", lambda picture, alt: shown.append(alt))
    interact_or_strip(
        lambda value: asked.append(value) or torch.zeros(1, 3, 8, 8), [0.1, 2.0], "temperature"
    )
    assert asked == [0.1, 2.0] and shown == ["one picture per temperature"]


def test_a_strip_may_have_fewer_values_than_its_slider(monkeypatch):
    monkeypatch.setenv("VARBOOK_BATCH", "1")
    asked = []
    monkeypatch.setattr(sliders, "show_figure", lambda picture, alt: None)
    interact_or_strip(
        lambda value: asked.append(value) or torch.zeros(1, 3, 8, 8),
        range(100),
        "logit",
        strip=[3, 50],
    )
    assert asked == [3, 50]


def test_two_sliders_become_a_grid_whose_rows_are_the_first(monkeypatch):
    monkeypatch.setenv("VARBOOK_BATCH", "1")
    asked, shown = [], []
    monkeypatch.setattr(sliders, "show_figure", lambda picture, alt: shown.append((picture, alt)))
    two_sliders_or_grid(
        lambda a, b: asked.append((a, b)) or torch.zeros(3, 8, 8),
        {"alpha": [0.25, 1.0], "temperature": [1, 2, 4]},
        "six pictures",
        scale=4,
    )
    assert asked == [(a, b) for a in (0.25, 1.0) for b in (1, 2, 4)]
    [(picture, alt)] = shown
    assert alt == "six pictures" and picture.width > picture.height > 2 * 32


def test_with_a_reader_two_sliders_choose_the_picture(monkeypatch):
    monkeypatch.setattr(sliders, "_nobody_is_there", lambda: False)
    asked, boxes = [], []
    monkeypatch.setattr("IPython.display.display", boxes.append)
    monkeypatch.setattr(sliders, "show_images", lambda images: None)
    choices = {"alpha": [0.25, 0.5, 1.0], "temperature": [1, 2, 4]}
    two_sliders_or_grid(lambda a, b: asked.append((a, b)) or 0, choices, "a picture")
    [box] = boxes
    assert asked == [(0.5, 2)] and [child.description for child in box.children[:2]] == [*choices]
    box.children[0].value = 1.0
    assert asked[-1] == (1.0, 2)


def test_a_figure_may_stand_in_a_strip_and_is_closed(monkeypatch):
    monkeypatch.setenv("VARBOOK_BATCH", "1")
    shown = []
    monkeypatch.setattr(sliders, "show_figure", lambda picture, alt: shown.append(picture.width))
    interact_or_strip(lambda value: plt.figure(figsize=(1, 1)), [1, 2], "size")
    assert shown[0] >= 2 * 80 and not plt.get_fignums()


def test_rows_of_some_values_stand_below_each_other_when_nobody_is_there(monkeypatch):
    monkeypatch.setenv("VARBOOK_BATCH", "1")
    asked, shown = [], []
    monkeypatch.setattr(
        sliders,
        "sheet",
        lambda rows, titles, inline: shown.append((list(rows), titles, inline)) or "a sheet",
    )
    monkeypatch.setattr(sliders, "show_figure", lambda picture, alt: shown.append(alt))

    def rows(value):
        asked.append(value)
        return {"VAR": [pictures(1)], "FlexVAR": [pictures(1)]}

    interact_or_rows(rows, range(9), "scale", ["picture"], "two rows each", strip=[0, 8])
    assert asked == [0, 8]
    labels = ["scale 0 VAR", "scale 0 FlexVAR", "scale 8 VAR", "scale 8 FlexVAR"]
    assert shown == [(labels, ["picture"], True), "two rows each"]


def test_below_a_slider_images_are_enlarged_and_pictures_are_not(monkeypatch):
    sizes = []
    for module in (sliders, display):
        monkeypatch.setattr(module, "show_figure", lambda picture, alt: sizes.append(picture.size))
    sliders._show(Image.new("RGB", (90, 60)), "a drawing")
    sliders._show(pictures(1), "an image")
    assert sizes[0] == (90, 60) and sizes[1][0] > 90
