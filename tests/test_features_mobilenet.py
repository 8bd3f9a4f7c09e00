"""MobileNetV2: the architecture against torchvision's, the padding, and real zebras where weights
and photographs are.
"""

import pytest
import torch
from torchvision.models import mobilenet_v2

from varbook import paths
from varbook.errors import VarbookError
from varbook.features.mobilenet import (
    FILE,
    IMAGENET_ROWS,
    MobileNet,
    at_training_size,
    load_mobilenet,
    pad_same,
)


def folded(convolution, norm):
    """Return weight and bias of a convolution with the batch norm behind it (evaluation mode) taken
    in.
    """
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    return convolution.weight * scale[:, None, None, None], norm.bias - norm.running_mean * scale


def test_same_network_as_torchvisions_where_the_paddings_agree():
    torch.manual_seed(0)
    theirs = mobilenet_v2(weights=None, num_classes=1001).eval()
    for module in theirs.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    pairs = {"conv0": theirs.features[0], "conv18": theirs.features[18]}
    state = {"fc.weight": theirs.classifier[1].weight, "fc.bias": theirs.classifier[1].bias}
    for k in range(1, 18):
        *stages, projection, norm = theirs.features[k].conv
        names = ["depthwise"] if k == 1 else ["expand", "depthwise"]
        pairs |= {f"block{k}.{name}": stage for name, stage in zip(names, stages, strict=True)}
        pairs[f"block{k}.project"] = (projection, norm)
    for name, stage in pairs.items():
        state[f"{name}.weight"], state[f"{name}.bias"] = folded(stage[0], stage[1])
    ours = MobileNet()
    ours.load_state_dict(state)
    # 33, 17, 9, 5 and 3 are odd: there both libraries pad one pixel on every side.
    images = torch.rand(2, 3, 33, 33) * 2 - 1
    with torch.no_grad():
        assert torch.allclose(ours.logits(images), theirs(images), atol=1e-4)


def test_even_sizes_are_padded_at_the_bottom_and_right_alone():
    padded = pad_same(torch.ones(1, 1, 4, 5), 2)
    assert padded.shape == (1, 1, 5, 7)
    assert padded[0, 0, 0].tolist() == [0, 1, 1, 1, 1, 1, 0] and padded[0, 0, 4].sum() == 0
    assert pad_same(torch.ones(1, 1, 4, 4), 1).shape == (1, 1, 6, 6)


def test_blocks_out_of_range_are_refused():
    with pytest.raises(VarbookError, match="1 to 17"):
        MobileNet().maps(torch.zeros(1, 3, 32, 32), (18,))


def test_missing_weights_are_named(monkeypatch):
    monkeypatch.setattr(paths, "weights_file", lambda name: None)
    with pytest.raises(VarbookError, match=FILE):
        load_mobilenet()


def test_real_zebras_are_seen_as_zebras():
    folder = paths.data_folder("horse2zebra")
    if paths.weights_file(FILE) is None or folder is None:
        pytest.skip(f"needs {FILE} (VARBOOK_WEIGHTS) and horse2zebra (VARBOOK_DATA)")
    from PIL import Image
    from torchvision.transforms.functional import pil_to_tensor

    pictures = sorted((folder / "testB").iterdir())[:6]
    images = torch.stack([pil_to_tensor(Image.open(path).convert("RGB")) for path in pictures])
    network = load_mobilenet()
    with torch.no_grad():
        scores = network.logits(at_training_size(images.float() / 127.5 - 1))
    assert (scores.argmax(dim=1) == IMAGENET_ROWS["zebra"]).float().mean() >= 0.8
    assert (scores[:, IMAGENET_ROWS["zebra"]] > scores[:, IMAGENET_ROWS["horse"]]).all()
