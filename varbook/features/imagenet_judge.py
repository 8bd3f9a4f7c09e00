"""The judge of ImageNet's pictures: MobileNetV2's class scores, and the distance of the features at
hand.

It answers as the toy world's `Judge` does, but knows no outlines.
"""

import torch
from torch import Tensor, nn

from varbook.features.judge import Judge, Verdict
from varbook.features.mobilenet import IMAGENET_ROWS, MobileNet, at_training_size

# What the distance and the score are called with each network's features.
NAMES = {"inception": ("FID", "IS"), "mobilenet": ("FD-mobilenet", "IS-mobilenet")}


class ImageNetJudge(nn.Module):
    """MobileNetV2 with its weights; images (B, 3, H, W) in [-1, 1] -> a Verdict: the scores of
    ImageNet's 1000 classes, of horse and zebra, and outlines without a pixel, (B, 0, 0).

    `features`, "inception" or "mobilenet", measure distances between sets.
    """

    outlines = False  # does it see where the animal is?

    def __init__(self, network: MobileNet, features: str):
        super().__init__()
        self.network = network
        self.extractor = features  # of `varbook.evaluate.fidelity`
        self.distance, self.score = NAMES[features]

    def forward(self, images: Tensor) -> Verdict:
        logits = self.network.logits(at_training_size(images))  # B 1001
        domains = logits[:, list(IMAGENET_ROWS.values())]  # B 2
        # Row 0 is "background", no class of ImageNet.
        return Verdict(logits[:, 1:], domains, torch.zeros(len(images), 0, 0))


AnyJudge = Judge | ImageNetJudge
