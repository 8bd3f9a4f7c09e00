"""Translations measured against what they should be: the words of a caption, and the same scene
drawn in the other domain.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from varbook.data.toy import ToySet
from varbook.evaluate.image_checks import same_shape, to_unit
from varbook.evaluate.reconstruction import psnr
from varbook.evaluate.translation import LUMA
from varbook.features.attributes import AttributeJudge


@torch.no_grad()
def attribute_accuracy(
    judge: AttributeJudge, images: Tensor, labels: dict[str, Tensor], batch: int = 64
) -> dict[str, float]:
    """Return attribute -> share of images (N, 3, H, W), uint8 or in [-1, 1], that the judge takes
    for their label (N,).
    """
    device = next(judge.parameters()).device
    judge.eval()
    seen = [judge(to_unit(part).to(device) * 2 - 1) for part in images.split(batch)]
    return {
        name: (torch.cat([one[name].argmax(1).cpu() for one in seen]) == labels[name])
        .float()
        .mean()
        .item()
        for name in labels
    }


def edges(images: Tensor) -> Tensor:
    """Return the size of the luminance's gradient (N, H - 1, W - 1) of images (N, 3, H, W), uint8
    or in [-1, 1].
    """
    luminance = (to_unit(images) * torch.tensor(LUMA, device=images.device)[:, None, None]).sum(
        1
    )  # N H W
    down, right = (
        luminance[:, 1:, :-1] - luminance[:, :-1, :-1],
        luminance[:, :-1, 1:] - luminance[:, :-1, :-1],
    )
    return (down.square() + right.square()).sqrt()


def edge_agreement(a: Tensor, b: Tensor) -> Tensor:
    """Return how well the edges of images `a` and `b` (N, 3, H, W) lie on each other: the cosine
    (N,) of their edge maps, 0 to 1.
    """
    same_shape(a, b)
    return F.cosine_similarity(edges(a).flatten(1), edges(b).flatten(1), dim=1)


def judge_counterpart(
    judge: AttributeJudge, source: ToySet, hidden: ToySet, translated: Tensor, attribute: str
) -> dict[str, float]:
    """Return the means of all measures for `translated` (N, 3, H, W) of `source`, whose scenes
    `hidden` shows in the other domain.

    images; target: share taken for the hidden scenes' `attribute`; animal: share whose animal is
    still recognised; psnr to the hidden counterparts in dB, untranslated: that of the sources,
    gain: the mean difference; edges: agreement with the source's edges, edges_hidden: that of the
    counterparts.
    """
    same_shape(source.images, translated, "sources and translations")
    translated, labels = translated.detach().cpu(), judge.labels(hidden.scenes)
    found = attribute_accuracy(
        judge, translated, {name: labels[name] for name in (attribute, "animal")}
    )
    after, before = psnr(translated, hidden.images), psnr(source.images, hidden.images)  # N each
    return {
        "images": len(translated),
        "target": found[attribute],
        "animal": found["animal"],
        "psnr": after.mean().item(),
        "untranslated": before.mean().item(),
        "gain": (after - before).mean().item(),
        "edges": edge_agreement(translated, source.images).mean().item(),
        "edges_hidden": edge_agreement(hidden.images, source.images).mean().item(),
    }
