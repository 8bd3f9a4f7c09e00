"""VAR and FlexVAR as two trained models of one profile: in what they differ, how fast each learned, and
what their losses mean beside the frequencies of their codes (FlexVAR figure 4).

`chains` maps "residual" and "ground truth" to their models.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from varbook.book.experiments.flexvar_ablations import per_token, task_of
from varbook.book.experiments.generation_quality import BATCH, Quality
from varbook.book.experiments.shared import shared
from varbook.book.models import build
from varbook.book.models.profiles import Profile
from varbook.book.models.tasks import HELD_OUT_SEED
from varbook.book.models.trained import Trained
from varbook.data.images import to_float
from varbook.device import pick_device
from varbook.evaluate.usage import frequency_loss
from varbook.generate.sampling import Drawing
from varbook.tokenizer.schedule import Schedule, token_count
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.train.fit_next_scale import score_next_scale
from varbook.train.keeper import Curve

Chains = Mapping[str, Trained[Any]]
VIEWS = {  # column of a table -> key of `fair_view`
    "loss": "loss_per_scale",
    "frequencies alone": "frequencies",
    "accuracy": "accuracy_per_scale",
    "accuracy of copying": "copying",
}
WINDOW = 3  # points of a curve that are averaged before a level counts as reached


def both(profile: Profile) -> dict[str, Trained[Any]]:
    """Return the profile's two models, "residual" and "ground truth"."""
    task = task_of(profile)
    kinds = {"residual": "residual", "ground truth": "ground_truth"}
    return {name: build.next_scale(task, profile, kind) for name, kind in kinds.items()}


def different_settings(chains: Chains) -> list[dict]:
    """Return a row for each setting in which the two chains differ, as their run records have it."""
    var, flex = (chains[name] for name in ("residual", "ground truth"))
    pairs = {
        "model": (vars(var.model.config), vars(flex.model.config)),
        "tokenizer": tuple(vars(one.parents[0].model.config) for one in (var, flex)),
        "training": tuple(one.run.record["settings"]["training"] for one in (var, flex)),
        "tokenizer's training": tuple(
            one.parents[0].run.record["settings"]["training"] for one in (var, flex)
        ),
    }
    return [
        {"part": part, "field": name, "VAR": a[name], "FlexVAR": b[name]}
        for part, (a, b) in pairs.items()
        for name in a
        if a[name] != b[name]
    ]


@torch.no_grad()
def continuity(tokenizer: Tokenizer, images: Tensor, schedule: Schedule) -> list[float]:
    """Return for each scale after the first the mean cosine between what the model sees at a place
    and what it must say there, over images (N, 3, H, W) in [-1, 1].

    Of ground truth the mean feature is taken out first: it would make all pictures alike.
    """
    quantised = tokenizer.quantise(tokenizer.encode(images), schedule)
    seen = tokenizer.pyramid.teacher_inputs(quantised.tokens)
    centre: Tensor | float = 0.0
    if tokenizer.config.pyramid == "ground_truth":
        centre = quantised.targets[-1].mean((0, 2, 3), keepdim=True)
    pairs = zip(seen, quantised.targets[1:], strict=True)
    return [F.cosine_similarity(a - centre, b - centre).mean().item() for a, b in pairs]


def last_quarter(curve: Curve) -> float:
    """Return the mean loss over the last quarter of a training."""
    last = [point["loss"] for point in curve if point["step"] >= 0.75 * curve[-1]["step"]]
    return sum(last) / len(last)


def step_reaching(curve: Curve, level: float) -> int | None:
    """Return the first step at which the loss, averaged over WINDOW points, is at most `level`; None
    where it never is.
    """
    for end in range(1, len(curve) + 1):
        near = curve[max(0, end - WINDOW) : end]
        if sum(point["loss"] for point in near) / len(near) <= level:
            return int(curve[end - 1]["step"])
    return None


@torch.no_grad()
def token_maps(tokenizer: Tokenizer, pictures: Tensor, schedule: Schedule) -> list[Tensor]:
    """Return the token maps of uint8 pictures (N, 3, H, W), per scale long (N, h, w) on the CPU."""
    device = pick_device()
    parts = [
        tokenizer.tokens(to_float(rows).to(device), schedule) for rows in pictures.split(BATCH)
    ]
    return [torch.cat(scale).cpu() for scale in zip(*parts, strict=True)]


@torch.no_grad()
def copying(tokenizer: Tokenizer, tokens: Sequence[Tensor]) -> list[float]:
    """Return for each scale how often the right code is the one nearest to the input: 0 at the first
    scale, which has no input.
    """
    device, shares = next(tokenizer.parameters()).device, [0.0]
    inputs = tokenizer.pyramid.teacher_inputs([one.to(device) for one in tokens])
    for seen, right in zip(inputs, tokens[1:], strict=True):
        nearest = tokenizer.codebook.nearest(seen.permute(0, 2, 3, 1)).cpu()  # N h w
        shares.append((nearest == right).float().mean().item())
    return shares


def fair_view(profile: Profile, chain: Trained[Any]) -> dict:
    """Return, kept with the model's run, what its held-out loss means, all per scale of its schedule:
    loss, accuracy, the loss of knowing the frequencies of the codes alone, the accuracy of copying.
    """
    task, schedule = task_of(profile), chain.model.config.schedule
    held = shared(task.sample, profile)
    known_from = 4 * profile.held_out
    settings = {"held out": len(held), "frequencies from": known_from, "schedule": schedule}

    def measure() -> dict:
        tokenizer, device = chain.parents[0].model, pick_device()
        images, labels = to_float(held.images).to(device), held.labels.to(device)
        with torch.no_grad():
            features = torch.cat([tokenizer.encode(rows) for rows in images.split(BATCH)])
        others = task.sample(profile, known_from, seed=HELD_OUT_SEED + 200).images
        known, asked = (token_maps(tokenizer, one, schedule) for one in (others, held.images))
        return score_next_scale(chain.model, tokenizer, features, labels, schedule) | {
            "frequencies": frequency_loss(known, asked, tokenizer.config.vocab_size),
            "copying": copying(tokenizer, asked),
        }

    return chain.run.measure("fair view", settings, measure)


def per_scale(views: Mapping[str, dict], schedule: Schedule) -> list[dict]:
    """Return a table of `fair_view` of each prediction, a row for each scale."""
    rows = []
    for name, view in views.items():
        for k, (height, width) in enumerate(schedule):
            row = {column: view[key][k] for column, key in VIEWS.items()}
            row["gain"] = row["frequencies alone"] - row["loss"]
            rows.append({"prediction": name, "scale": f"{height} x {width}"} | row)
    return rows


def over_all_tokens(views: Mapping[str, dict], schedule: Schedule) -> dict[str, dict[str, float]]:
    """Return for each prediction loss, frequencies alone and gain, in nats per token of the whole
    schedule, and the nats per image.
    """
    summary = {}
    for name, view in views.items():
        known = per_token(view["frequencies"], schedule)
        summary[name] = {"loss": view["loss"], "frequencies alone": known}
        summary[name] |= {
            "gain": known - view["loss"],
            "nats per image": view["loss"] * token_count(schedule),
        }
    return summary


def protocols(profile: Profile, chains: Chains, drawing: Drawing, seed: int) -> dict[str, Quality]:
    """Return what measures the pictures of each prediction, all with the same pictures and settings."""
    return {
        name: Quality(profile, chain.model, chain.parents[0].model, chain.run, drawing, seed)
        for name, chain in chains.items()
    }


def qualities(protocols: Mapping[str, Quality]) -> dict[str, dict]:
    """Return the judge's numbers on reconstructions and samples of each prediction, and the PSNR of
    the former.
    """
    found = {}
    for name, one in protocols.items():
        found[f"{name}: reconstructed"] = one.reconstructed() | one.sharpness()
        found[f"{name}: drawn"] = one.drawn()
    return found
