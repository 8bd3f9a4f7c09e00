"""MobileNetV2: a small ImageNet network; its features measure distances between photographs."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from varbook.device import channels_last
from varbook.errors import VarbookError
from varbook.features.squeezenet import fill, read_npz

FILE = "mobilenet_v2.npz"
SIDE = 224
# Output channels of the seventeen blocks (Sandler et al. 2018, table 2), and those that halve the
# resolution.
CHANNELS = (16, 24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96, 160, 160, 160, 320)
STRIDED = (2, 4, 7, 14)
# Rows of the classifier: ImageNet's order, moved by one because row 0 is "background".
IMAGENET_ROWS = {"horse": 340, "zebra": 341}


def pad_same(x: Tensor, stride: int) -> Tensor:
    """Pad (B, C, h, w) for a 3x3 convolution with output ceil(size / stride).

    An odd pixel goes to the bottom and right, as in TensorFlow, where the weights were trained.
    """
    spare_h, spare_w = (
        max((-(-size // stride) - 1) * stride + 3 - size, 0) for size in x.shape[2:]
    )
    return F.pad(x, (spare_w // 2, spare_w - spare_w // 2, spare_h // 2, spare_h - spare_h // 2))


class Block(nn.Module):
    """Inverted residual: widen sixfold, filter each channel by itself, project.

    (B, C, h, w) -> (B, C', h / stride, w / stride).
    """

    def __init__(self, inputs: int, outputs: int, stride: int, widen: int):
        super().__init__()
        inner = inputs * widen
        self.stride = stride
        self.same = stride == 1 and inputs == outputs  # only then can the input be added
        self.expand = nn.Conv2d(inputs, inner, 1) if widen > 1 else None
        self.depthwise = nn.Conv2d(inner, inner, 3, stride, groups=inner)
        self.project = nn.Conv2d(inner, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu6(self.expand(x)) if self.expand is not None else x
        y = self.project(F.relu6(self.depthwise(pad_same(y, self.stride))))
        return x + y if self.same else y


class MobileNet(nn.Module):
    """Frozen MobileNetV2 1.0: RGB images (B, 3, H, W) in [-1, 1] -> pooled features (B, 1280).

    It was trained at 224 x 224 pixels.
    """

    def __init__(self):
        super().__init__()
        self.conv0 = nn.Conv2d(3, 32, 3, stride=2)
        inputs = (32, *CHANNELS[:-1])
        for index, (narrow, wide) in enumerate(zip(inputs, CHANNELS, strict=True), start=1):
            stride = 2 if index in STRIDED else 1
            setattr(
                self, f"block{index}", Block(narrow, wide, stride, widen=1 if index == 1 else 6)
            )
        self.conv18 = nn.Conv2d(320, 1280, 1)
        self.fc = nn.Linear(1280, 1001)

    def maps(self, x: Tensor, blocks: tuple[int, ...]) -> list[Tensor]:
        """Return the outputs of `blocks` (1 to 17) for images (B, 3, H, W) in [-1, 1].

        Nothing deeper than the last of them is computed.
        """
        if not blocks or not all(1 <= block <= 17 for block in blocks):
            raise VarbookError(f"MobileNetV2 has blocks 1 to 17, not {blocks}.")
        x = x.contiguous(memory_format=torch.channels_last)
        x = F.relu6(self.conv0(pad_same(x, 2)))
        outputs = {}
        for index in range(1, max(blocks) + 1):
            outputs[index] = x = getattr(self, f"block{index}")(x)
        return [outputs[block] for block in blocks]

    def forward(self, x: Tensor) -> Tensor:
        return F.relu6(self.conv18(self.maps(x, (17,))[0])).mean(dim=(2, 3))  # B 1280

    def logits(self, x: Tensor) -> Tensor:
        """Return the scores (B, 1001) of background and ImageNet's classes.

        `x` are images (B, 3, H, W) in [-1, 1].
        """
        return self.fc(self(x))


def at_training_size(images: Tensor) -> Tensor:
    """Resize images (B, 3, H, W) to 224 x 224, the size of the training; the range stays."""
    if images.shape[2:] == (SIDE, SIDE):
        return images
    return F.interpolate(
        images, size=(SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False
    )


def load_mobilenet(path: Path | str | None = None) -> MobileNet:
    """Return the frozen network with the weights at `path`; VarbookError if they are missing.

    Without a path they are looked for below VARBOOK_WEIGHTS.
    """
    return channels_last(fill(MobileNet(), read_npz(path, FILE), str(path or FILE)))
