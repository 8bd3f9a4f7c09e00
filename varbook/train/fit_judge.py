"""Training of the toy world's judges: one plain loop, about a minute and a half on two cores."""

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from varbook import processes
from varbook.data.images import to_float
from varbook.device import autocast, channels_last
from varbook.errors import VarbookError
from varbook.features.attributes import AttributeJudge
from varbook.features.judge import Judge, Verdict
from varbook.train.keeper import Curve, Keeper, State
from varbook.train.steps import Steps, adamw, take_step, total


def random_between(
    shape: tuple[int, ...], low: float, high: float, generator: torch.Generator
) -> Tensor:
    """Return numbers drawn evenly between `low` and `high`."""
    return low + (high - low) * torch.rand(shape, generator=generator)


def soften(images: Tensor) -> Tensor:
    """Blur (B, 3, H, W) with the kernel 1 2 1 in both directions, keeping the size."""
    tap = torch.tensor([0.25, 0.5, 0.25], device=images.device, dtype=images.dtype)
    x = F.pad(images, (1, 1, 1, 1), mode="replicate")
    x = tap[0] * x[..., :-2] + tap[1] * x[..., 1:-1] + tap[2] * x[..., 2:]
    return tap[0] * x[..., :-2, :] + tap[1] * x[..., 1:-1, :] + tap[2] * x[..., 2:, :]


def disturb(
    images: Tensor, silhouettes: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Mirror, tint, blur and roughen images (B, 3, H, W) in [-1, 1] as a tokenizer might.

    Silhouettes (B, H, W) are mirrored along. A judge that has seen only sharp renders would punish
    a reconstruction for being one.
    """
    count, device = len(images), images.device
    mirror = torch.rand(count, generator=generator).to(device) < 0.5
    images = torch.where(mirror[:, None, None, None], images.flip(3), images)
    silhouettes = torch.where(mirror[:, None, None], silhouettes.flip(2), silhouettes)
    gain = random_between((count, 3, 1, 1), 0.85, 1.15, generator).to(device)
    shift = random_between((count, 3, 1, 1), -0.12, 0.12, generator).to(device)
    # A third stay sharp; the others are mixed with a blurred and a twice blurred copy.
    blur = random_between((count, 1, 1, 1), -0.5, 1.0, generator).clamp(min=0).to(device)
    images = torch.lerp(images, soften(soften(images)), blur)
    noise = torch.randn(images.shape, generator=generator).to(device)
    rough = random_between((count, 1, 1, 1), 0.0, 0.08, generator).to(device)
    return (images * gain + shift + rough * noise).clamp(-1, 1), silhouettes


def dice_loss(logits: Tensor, masks: Tensor) -> Tensor:
    """Return one minus the soft overlap 2 |A and B| / (|A| + |B|), averaged over the images.

    Logits and masks are (B, H, W).
    """
    inside = logits.sigmoid()
    overlap = (inside * masks).sum(dim=(1, 2))
    return (1 - (2 * overlap + 1) / (inside.sum(dim=(1, 2)) + masks.sum(dim=(1, 2)) + 1)).mean()


def judge_losses(
    verdict: Verdict, labels: Tensor, masks: Tensor, domains: tuple[int, ...]
) -> dict[str, Tensor]:
    """Return the losses of species, domain and silhouette.

    Labels are (B,) and masks (B, H, W); the domain's loss is over images of `domains` alone.
    """
    species = F.cross_entropy(verdict.species.float(), labels)
    member = torch.stack([labels == label for label in domains], dim=1)  # B D
    # A batch without any of the two has no domain loss; the sum keeps it in the graph.
    chosen = F.log_softmax(verdict.domain.float(), dim=1)[member]
    domain = -chosen.sum() / member.sum().clamp(min=1)
    outline = verdict.silhouette.float()
    silhouette = F.binary_cross_entropy_with_logits(outline, masks) + dice_loss(outline, masks)
    return {"species": species, "domain": domain, "silhouette": silhouette}


def _check(judge: Judge, images: Tensor, labels: Tensor, silhouettes: Tensor) -> None:
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] != 3:
        raise VarbookError(
            f"The judge trains on uint8 images (N, 3, H, W), not {images.dtype} {tuple(images.shape)}."
        )
    if len(labels) != len(images) or silhouettes.shape != (len(images), *images.shape[2:]):
        raise VarbookError("Every image needs one label and one silhouette of its own size.")
    if len(images) == 0 or int(labels.max()) >= len(judge.config.species):
        raise VarbookError(
            f"Labels have to lie below {len(judge.config.species)}, and there must be images."
        )


def rate_factor(step: int, steps: int) -> float:
    """Return the factor of the learning rate: a rise over a twentieth, then half a cosine to zero."""
    warm = max(1, steps // 20)
    if step < warm:
        return (step + 1) / warm
    return 0.5 + 0.5 * math.cos(math.pi * (step - warm) / max(1, steps - warm))


# What a judge returns for a batch, the rows of that batch and its mirrored silhouettes (B, H, W) ->
# its losses by name.
Losses = Callable[[Any, Tensor, Tensor], dict[str, Tensor]]


def _fit(
    name: str,
    judge: nn.Module,
    images: Tensor,
    silhouettes: Tensor,
    losses_of: Losses,
    *,
    steps: int,
    batch: int,
    lr: float,
    seed: int,
    device: torch.device,
    keeper: Keeper | None,
) -> Curve:
    """The loop of both judges: disturbed images in, the sum of `losses_of` down."""
    channels_last(judge.to(device)).train()
    processes.start_alike(judge)
    optimiser = adamw(judge.parameters(), lr, (0.9, 0.999), 1e-2)
    state: State = {"judge": judge, "optimiser": optimiser}
    loop = Steps(
        name,
        steps,
        state,
        [optimiser],
        lambda step: lr * rate_factor(step, steps),
        seed,
        keeper,
        10,
    )
    for _, generator in loop:
        rows = torch.randint(len(images), (batch,), generator=generator)
        image = to_float(images[rows]).to(device)  # B 3 H W
        mask = silhouettes[rows].to(device).float()  # B H W
        image, mask = disturb(image, mask, generator)
        with autocast(device):
            verdict = judge(image)
        losses = losses_of(verdict, rows, mask)
        take_step(total(losses.values()), judge, optimiser)
        loop.log(losses)
    judge.eval()
    return loop.curve


def fit_judge(
    judge: Judge,
    images: Tensor,
    labels: Tensor,
    silhouettes: Tensor,
    *,
    steps: int,
    batch: int = 32,
    lr: float = 3e-3,
    seed: int,
    device: torch.device | str,
    keeper: Keeper | None = None,
) -> Curve:
    """Train `judge` in place and return the curve; resumable.

    Images are uint8 (N, 3, H, W), labels (N,), silhouettes (N, H, W). Batch norm looks at the whole
    batch, and the judge is small: of several processes each works through all of every batch.
    """
    _check(judge, images, labels, silhouettes)
    device = torch.device(device)
    domains = tuple(judge.config.species.index(name) for name in judge.config.domains)

    def losses_of(verdict: Verdict, rows: Tensor, mask: Tensor) -> dict[str, Tensor]:
        return judge_losses(verdict, labels[rows].to(device), mask, domains)

    return _fit(
        "judge",
        judge,
        images,
        silhouettes,
        losses_of,
        steps=steps,
        batch=batch,
        lr=lr,
        seed=seed,
        device=device,
        keeper=keeper,
    )


def fit_attributes(
    judge: AttributeJudge,
    images: Tensor,
    labels: dict[str, Tensor],
    *,
    steps: int,
    batch: int = 32,
    lr: float = 3e-3,
    seed: int,
    device: torch.device | str,
    keeper: Keeper | None = None,
) -> Curve:
    """Train the judge of captions in place and return the curve; resumable.

    Images are uint8 (N, 3, H, W), labels (N,) per attribute.
    """
    device = torch.device(device)
    # This judge draws no silhouettes; zeros, which take no memory, stand for them in the loop.
    silhouettes = images.new_zeros(()).expand(len(images), *images.shape[2:])

    def losses_of(logits: dict[str, Tensor], rows: Tensor, unused: Tensor) -> dict[str, Tensor]:
        return {
            name: F.cross_entropy(words.float(), labels[name][rows].to(device))
            for name, words in logits.items()
        }

    return _fit(
        "judge of captions",
        judge,
        images,
        silhouettes,
        losses_of,
        steps=steps,
        batch=batch,
        lr=lr,
        seed=seed,
        device=device,
        keeper=keeper,
    )
