"""Measures of a translation in the toy world, where the true answer is known.

Domain, silhouette, background, coat and stripes. No single one is enough: doing nothing keeps
silhouette and background, and any stripes win the domain.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from varbook.data.toy import ToySet
from varbook.errors import VarbookError
from varbook.evaluate.image_checks import luminance, same_shape, to_unit
from varbook.evaluate.reconstruction import psnr
from varbook.features.imagenet_judge import AnyJudge
from varbook.features.judge import Judge, Verdict
from varbook.world.draw import render
from varbook.world.scene import COATS, Scene, flip, with_coat


def look(judge: AnyJudge, images: Tensor, batch: int = 64) -> Verdict:
    """Return the judge's logits on the CPU for images (N, 3, H, W), uint8 or in [-1, 1]."""
    device = next(judge.parameters()).device
    judge.eval()
    with torch.no_grad():
        seen = [judge(to_unit(part).to(device) * 2 - 1) for part in images.split(batch)]
    parts = zip(*((v.species.cpu(), v.domain.cpu(), v.silhouette.cpu()) for v in seen), strict=True)
    return Verdict(*(torch.cat(part) for part in parts))


def domain_accuracy(judge: Judge, verdict: Verdict, to: str) -> float:
    """Return the share of images, in [0, 1], that the horse-or-zebra head classifies as `to`."""
    _known(judge.config.domains, to)
    return (verdict.domain.argmax(dim=1) == judge.config.domains.index(to)).float().mean().item()


def species_accuracy(judge: Judge, verdict: Verdict, to: str) -> float:
    """Return the share of images, in [0, 1], that the head over all species classifies as `to`.

    Harder than `domain_accuracy`, since a cow is possible too.
    """
    _known(judge.config.species, to)
    return (verdict.species.argmax(dim=1) == judge.config.species.index(to)).float().mean().item()


def _known(names: tuple[str, ...], to: str) -> None:
    if to not in names:
        raise VarbookError(f"The judge does not know {to!r}; it knows {', '.join(names)}.")


def silhouette_iou(predicted: Tensor, truth: Tensor) -> Tensor:
    """Return intersection over union (N,) of boolean masks (N, H, W); 1 where both are empty."""
    same_shape(predicted, truth, "silhouettes")
    if truth.ndim != 3 or predicted.dtype != torch.bool or truth.dtype != torch.bool:
        raise VarbookError(f"Silhouettes are boolean masks (N, H, W), not {tuple(truth.shape)}.")
    both = (predicted & truth).sum(dim=(1, 2)).float()
    either = (predicted | truth).sum(dim=(1, 2)).float()
    return torch.where(either > 0, both / either.clamp(min=1), 1.0)


def background_psnr(translated: Tensor, source: Tensor, silhouettes: Tensor) -> Tensor:
    """Return the PSNR (N,) in dB of `translated` to `source` (N, 3, H, W) outside the animal.

    `silhouettes` (N, H, W) are the true ones of the source.
    """
    return psnr(translated, source, ~silhouettes)


def horses_of(scene: Scene, height: int, width: int) -> Tensor:
    """Return the scene's hidden horse in every coat, uint8 (coats, 3, H, W)."""
    horse = scene if scene.species == "horse" else flip(scene, "coat")
    drawn = [torch.from_numpy(render(with_coat(horse, coat), height, width)) for coat in COATS]
    return torch.stack(drawn).permute(0, 3, 1, 2)  # coats 3 H W


def nearest_coat_psnr(translated: Tensor, silhouettes: Tensor, scenes: list[Scene]) -> Tensor:
    """Return the PSNR (N,) in dB, inside the animal, to the nearest of the hidden horses.

    Images are (N, 3, H, W), silhouettes (N, H, W). The source does not say which coat its hidden
    horse wears, so any will do; a mean colour scores high too.
    """
    height, width = translated.shape[2:]
    best = []
    for image, mask, scene in zip(translated, silhouettes, scenes, strict=True):
        horses = horses_of(scene, height, width)
        each = psnr(
            image.cpu()[None].expand(len(horses), -1, -1, -1),
            horses,
            mask[None].expand(len(horses), -1, -1),
        )
        best.append(each.max())
    return torch.stack(best)


def stripe_contrast(images: Tensor, silhouettes: Tensor) -> Tensor:
    """Return the mean local deviation of luminance (N,) inside silhouettes (N, H, W).

    Images (N, 3, H, W) are uint8 or in [-1, 1]; luminance is taken in [0, 1]. Local: over a square
    of about an eighth of the height, of which only pixels inside the silhouette count. Where the
    stripes lie cannot be known from a horse, so their strength is measured and not their place.
    """
    light = luminance(images)[:, None]  # N 1 H W
    inside = silhouettes[:, None].to(light.dtype)  # N 1 H W
    same_shape(light, inside, "images and silhouettes")
    reach = max(1, round(images.shape[2] / 16))
    # Sums over the square, zero outside the silhouette; their quotients are means inside it.
    share, mean, square = (
        F.avg_pool2d(F.pad(x * inside, [reach] * 4), 2 * reach + 1, stride=1)
        for x in (torch.ones_like(light), light, light.square())
    )
    share = share.clamp(min=1e-6)
    # Rounding can leave a variance slightly below zero.
    deviation = (square / share - (mean / share).square()).clamp(min=0).sqrt()
    return (deviation * inside).sum(dim=(1, 2, 3)) / inside.sum(dim=(1, 2, 3))


def _check(
    source: ToySet, translated: Tensor, to: str, reconstructed_zebras: Tensor | None
) -> None:
    to_unit(translated)
    same_shape(source.images, translated, "sources and translations")
    if to not in ("horse", "zebra"):
        raise VarbookError(
            f'A translation of the toy world goes to "horse" or "zebra", not {to!r}.'
        )
    if not bool(source.silhouettes.flatten(1).any(dim=1).all()):
        raise VarbookError("A source without an animal cannot be judged: its silhouette is empty.")
    if reconstructed_zebras is not None:
        same_shape(source.images, reconstructed_zebras, "sources and reconstructed zebras")


def judge_translation(
    judge: Judge,
    source: ToySet,
    translated: Tensor,
    to: str,
    reconstructed_zebras: Tensor | None = None,
) -> dict[str, float]:
    """Return the mean of every measure of `translated` (N, 3, H, W), made from `source`.

    `translated` is uint8 or in [-1, 1], `to` is "horse" or "zebra". Always domain_accuracy,
    species_accuracy, silhouette_iou, background_psnr (dB) and images (their count); to "horse" also
    nearest_coat_psnr (dB); to "zebra" also stripe_contrast, and, where the tokenizer's
    reconstructions of the same scenes' hidden zebras are given, their own contrast and
    stripe_ratio, ours over theirs.
    """
    _check(source, translated, to, reconstructed_zebras)
    translated = translated.detach().cpu()
    truth = source.silhouettes
    verdict = look(judge, translated)
    report = {
        "images": len(translated),
        "domain_accuracy": domain_accuracy(judge, verdict, to),
        "species_accuracy": species_accuracy(judge, verdict, to),
        "silhouette_iou": silhouette_iou(verdict.silhouette > 0, truth).mean().item(),
        "background_psnr": background_psnr(translated, source.images, truth).mean().item(),
    }
    if to == "horse":
        report["nearest_coat_psnr"] = (
            nearest_coat_psnr(translated, truth, list(source.scenes)).mean().item()
        )
        return report
    report["stripe_contrast"] = stripe_contrast(translated, truth).mean().item()
    if reconstructed_zebras is not None:
        reference = stripe_contrast(reconstructed_zebras.detach().cpu(), truth).mean().item()
        report["stripe_contrast_reconstructed"] = reference
        report["stripe_ratio"] = report["stripe_contrast"] / reference
    return report
