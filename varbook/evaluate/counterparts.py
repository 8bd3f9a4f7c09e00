"""Translations of the toy world against captions and against the same scene in the other domain."""

import torch
import torch.nn.functional as F
from torch import Tensor

from varbook.data.toy import ToySet
from varbook.evaluate.image_checks import luminance, same_shape, to_unit
from varbook.evaluate.reconstruction import psnr
from varbook.features.attributes import AttributeJudge


@torch.no_grad()
def attribute_accuracy(
    judge: AttributeJudge, images: Tensor, labels: dict[str, Tensor], batch: int = 64
) -> dict[str, float]:
    """Return, per attribute, the share of images in which the judge sees the right word.

    `images` are (N, 3, H, W), uint8 or in [-1, 1]; `labels` map each attribute to its labels (N,).
    """
    device = next(judge.parameters()).device
    judge.eval()
    parts = [judge(to_unit(part).to(device) * 2 - 1) for part in images.split(batch)]
    shares = {}
    for name, truth in labels.items():
        words = torch.cat([logits[name].argmax(1).cpu() for logits in parts])  # N
        shares[name] = (words == truth).float().mean().item()
    return shares


def edges(images: Tensor) -> Tensor:
    """Return the luminance gradient's magnitude (N, H - 1, W - 1) of images (N, 3, H, W).

    Images are uint8 or in [-1, 1].
    """
    light = luminance(images)  # N H W
    here = light[:, :-1, :-1]
    down = light[:, 1:, :-1] - here
    right = light[:, :-1, 1:] - here
    return (down.square() + right.square()).sqrt()


def edge_agreement(a: Tensor, b: Tensor) -> Tensor:
    """Return the cosine (N,), 0 to 1, of the edge maps of images `a` and `b` (N, 3, H, W)."""
    same_shape(a, b)
    return F.cosine_similarity(edges(a).flatten(1), edges(b).flatten(1), dim=1)


def judge_counterpart(
    judge: AttributeJudge, source: ToySet, hidden: ToySet, translated: Tensor, attribute: str
) -> dict[str, float]:
    """Return the mean of every measure of `translated` (N, 3, H, W), made from `source`.

    `hidden` shows the same scenes in the other domain. Keys: images (their number); target, the
    share in which the judge sees the `attribute` of the hidden scene; animal, the share whose
    animal it still recognises; psnr to the hidden counterparts in dB, untranslated (the same for
    the sources) and gain (the mean difference); edges, the agreement with the source's edges, and
    edges_hidden, that of the counterparts.
    """
    same_shape(source.images, translated, "sources and translations")
    translated = translated.detach().cpu()
    labels = judge.labels(hidden.scenes)
    asked = {name: labels[name] for name in (attribute, "animal")}
    seen = attribute_accuracy(judge, translated, asked)
    after = psnr(translated, hidden.images)  # N
    before = psnr(source.images, hidden.images)  # N
    return {
        "images": len(translated),
        "target": seen[attribute],
        "animal": seen["animal"],
        "psnr": after.mean().item(),
        "untranslated": before.mean().item(),
        "gain": (after - before).mean().item(),
        "edges": edge_agreement(translated, source.images).mean().item(),
        "edges_hidden": edge_agreement(hidden.images, source.images).mean().item(),
    }
