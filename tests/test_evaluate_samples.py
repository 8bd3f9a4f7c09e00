"""Sets of samples: balanced, the same whichever process makes which image, resumable, and readable
by others.
"""

import copy
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import MODEL, SCHEDULE, awake, tiny_model, tiny_tokenizer

from varbook.data.images import load_image
from varbook.errors import VarbookError
from varbook.evaluate.samples import (
    ImageFolder,
    Sampling,
    fingerprint,
    finished,
    image_file,
    sample_batch,
    sample_folder,
    write_npz,
)
from varbook.generate.sampling import Drawing

SAMPLING = Sampling(SCHEDULE, 7, Drawing(guidance=1.0), seed=5)


@pytest.fixture(scope="module")
def pair():
    return tiny_model("ground_truth"), tiny_tokenizer("ground_truth")


def files(folder) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.glob("*.png")}


def test_an_image_is_the_same_alone_and_in_any_batch(pair):
    together = sample_batch(*pair, list(range(7)), SAMPLING)
    alone = torch.cat(
        [sample_batch(*pair, [index], SAMPLING) for index in reversed(range(7))]
    ).flip(0)
    assert (together.int() - alone.int()).abs().max() <= 1  # a rounding of 8 bits at most
    assert len({image.numpy().tobytes() for image in together}) == 7


def test_another_seed_gives_other_images(pair):
    first, second = (
        sample_batch(*pair, [0, 1, 2], replace(SAMPLING, seed=seed)) for seed in (0, 1)
    )
    assert all((a.int() - b.int()).abs().max() > 10 for a, b in zip(first, second))


def test_classes_are_balanced(pair, monkeypatch):
    seen = Counter()
    from varbook.evaluate import samples as module

    real = module.generate

    def counting(model, tokenizer, labels, *rest, **settings):
        seen.update(labels.tolist())
        return real(model, tokenizer, labels, *rest, **settings)

    monkeypatch.setattr(module, "generate", counting)
    sample_batch(*pair, list(range(12)), SAMPLING)
    assert seen == {label: 12 // MODEL.classes for label in range(MODEL.classes)}


def test_three_processes_make_the_same_set_as_one(pair, tmp_path):
    assert sample_folder(*pair, SAMPLING, tmp_path / "one", batch=1) == 7
    made = [
        sample_folder(*pair, SAMPLING, tmp_path / "three", batch=1, rank=rank, processes=3)
        for rank in (2, 0, 1)
    ]
    assert made == [2, 3, 2]
    assert (
        files(tmp_path / "one") == files(tmp_path / "three") and len(files(tmp_path / "one")) == 7
    )


def test_what_is_there_is_kept_and_what_is_missing_is_made(pair, tmp_path):
    sample_folder(*pair, SAMPLING, tmp_path, batch=1)
    before = files(tmp_path)
    image_file(tmp_path, 3).unlink()
    assert finished(tmp_path, 7) is None
    assert sample_folder(*pair, SAMPLING, tmp_path, batch=1) == 1
    assert files(tmp_path) == before
    assert (
        sample_folder(*pair, replace(SAMPLING, images=9), tmp_path, batch=1) == 2
    )  # a set may grow
    assert len(finished(tmp_path, 9)) == 9


def test_images_of_other_settings_or_other_weights_are_never_mixed(pair, tmp_path):
    sample_folder(*pair, SAMPLING, tmp_path)
    with pytest.raises(VarbookError, match="were sampled otherwise"):
        sample_folder(*pair, replace(SAMPLING, drawing=Drawing(guidance=2.0)), tmp_path)
    with pytest.raises(VarbookError, match="choose another folder"):
        sample_folder(awake(tiny_model("ground_truth"), 9), pair[1], SAMPLING, tmp_path)
    for other in ((fine_tuned(pair[0]), pair[1]), (pair[0], fine_tuned(pair[1]))):
        with pytest.raises(VarbookError, match="choose another folder"):
            sample_folder(*other, SAMPLING, tmp_path)


def fine_tuned(model):
    """Return a copy of a model in which one number of its first weight is another."""
    changed = copy.deepcopy(model)
    with torch.no_grad():
        next(changed.parameters()).view(-1)[0] += 0.5
    return changed


def test_a_fingerprint_is_of_every_weight(pair):
    model = pair[0]
    assert fingerprint(copy.deepcopy(model)) == fingerprint(model)
    for name, tensor in model.state_dict().items():
        changed = copy.deepcopy(model)
        weights = changed.state_dict()[name]
        weights[(-1,) * weights.dim()] += 0.5
        assert fingerprint(changed) != fingerprint(model), (name, tensor.dtype)
    assert len(fingerprint(copy.deepcopy(model).bfloat16())) == 12


def test_the_npz_holds_the_folder_s_images_as_others_expect_them(pair, tmp_path):
    sample_folder(*pair, SAMPLING, tmp_path)
    images = finished(tmp_path, 7)
    path = write_npz(images, tmp_path / "deep" / "samples.npz")
    with np.load(path) as archive:
        assert archive.files == ["arr_0"]
        array = archive["arr_0"]
    assert array.shape == (7, 16, 16, 3) and array.dtype == np.uint8
    wanted = torch.stack([load_image(image_file(tmp_path, index)) for index in range(7)])
    assert torch.equal(torch.from_numpy(array).permute(0, 3, 1, 2), wanted)
    assert torch.equal(ImageFolder(images.files)[4], wanted[4])


def test_the_sampling_says_everything_that_shapes_it():
    said = str(replace(SAMPLING, drawing=Drawing(1.0, released=True), schedule=((1, 1), (2, 4))))
    assert said == (
        "7 images of balanced classes, 2 steps (1, 2x4), guidance 1.0, top-k 0, top-p 0.0, FlexVAR's released sampling, seed 5"
    )
