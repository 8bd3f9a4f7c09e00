"""Chapter 05's model with other numbers of steps, beside VAR and rivals of other families: quality
and time (FlexVAR tables 2 and 7, figures 7, 13 and 17).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor

from varbook.book.experiments.flexible import Flexible
from varbook.book.models import build
from varbook.book.models.tasks import HELD_OUT_SEED
from varbook.book.models.trained import Trained
from varbook.data.images import to_float
from varbook.device import pick_device
from varbook.evaluate.fidelity import frechet
from varbook.evaluate.generation import judge_samples
from varbook.evaluate.speed import middle_seconds, shortest_seconds
from varbook.evaluate.translation import look
from varbook.generate.loop import generate
from varbook.generate.rival_sampling import draw_diffusion, draw_masked, draw_raster
from varbook.tokenizer.schedule import TABLE_7, VAR_256, Schedule, make_schedule
from varbook.tokenizer.tokenizer import Tokenizer, TokenizerConfig
from varbook.train.store import Run
from varbook.transformer.model import NextScaleConfig, NextScaleModel, flexvar

TIMED = 14  # images of one timed call
WAYS: dict[str, Callable] = {
    "raster": draw_raster,
    "masked": draw_masked,
    "diffusion": draw_diffusion,
}


@dataclass(frozen=True)
class Steps:
    """The comparison over numbers of steps: one schedule for each, models of several depths, FlexVAR
    and VAR, and what all are judged on.
    """

    flex: Flexible

    @cached_property
    def schedules(self) -> dict[int, Schedule]:
        """Number of steps -> a schedule to the training size, to as many steps as it allows."""
        side = self.flex.side
        return {n: make_schedule((side, side), n) for n in range(max(2, side * 3 // 8), side + 1)}

    @property
    def depths(self) -> tuple[int, ...]:
        """The depths that the profile trains."""
        return self.flex.profile.flex_depths

    @property
    def most_trained(self) -> int:
        """The most steps that a schedule of the training has."""
        return self.flex.task.chain_of(self.flex.profile).model_training.max_steps

    @property
    def told(self) -> tuple[int, int, int]:
        """The numbers of steps that are compared: fewest, as in training, most."""
        most = max(self.schedules)
        return min(self.schedules), min(self.most_trained, most - 1), most

    @property
    def labels(self) -> Tensor:
        """The classes that are sampled for a measurement."""
        return torch.arange(2 * self.flex.count) % self.flex.model.config.classes

    @cached_property
    def reference(self) -> Tensor:
        """The real pictures that samples are held against."""
        profile, seed = self.flex.profile, HELD_OUT_SEED + 400
        return self.flex.task.sample(profile, 2 * profile.held_out, seed=seed).images

    @cached_property
    def var(self) -> Trained[NextScaleModel]:
        """VAR of the usual depth."""
        return build.next_scale(self.flex.task, self.flex.profile, "residual")

    def sampler(self, prediction: str, depth: int) -> Flexible:
        """Return the model of a depth, "ground_truth" (FlexVAR) or "residual" (VAR), to draw with."""
        made = build.next_scale(self.flex.task, self.flex.profile, prediction, depth=depth)
        return replace(self.flex, model=made.model, tokenizer=made.parents[0].model)

    def rated(self, drawn: Tensor) -> dict:
        """Return the judge's measures of samples of `labels`."""
        described = f"held-out {self.flex.task.noun}"
        return judge_samples(
            self.flex.judge, drawn, self.labels, self.reference, describe=described
        )


# --- quality


def measure_steps(
    steps: Steps, prediction: str, depth: int, schedules: Mapping[int, Schedule]
) -> dict:
    """Return number of steps, as text, -> the measures with two seeds; "parameters": of the model."""
    sampler = steps.sampler(prediction, depth)
    values: dict = {"parameters": sum(p.numel() for p in sampler.model.parameters())}
    for count, schedule in schedules.items():
        seeds = (sampler.seed, sampler.seed + 1)
        sets = [sampler.draw(steps.labels, schedule=schedule, seed=seed) for seed in seeds]
        values[str(count)] = [steps.rated(drawn) for drawn in sets]
    return values


def by_depth(steps: Steps, prediction: str) -> dict[int, Run]:
    """Return depth -> the record of `measure_steps`: FlexVAR with every number of steps, VAR with
    its own schedule.
    """
    flex, runs = steps.flex, {}
    trained = {len(flex.trained): flex.trained}
    own = prediction == "ground_truth"
    schedules = steps.schedules if own else trained
    like = flex.runs[0].key if own else steps.var.key
    for depth in steps.depths:
        settings: dict[str, Any] = {"like": like, "depth": depth, "judge": flex.runs[2].key}
        settings |= {"drawing": dict(flex.drawing), "seed": flex.seed}
        settings |= {"images": len(steps.labels), "schedules": schedules}
        measure = partial(measure_steps, steps, prediction, depth, schedules)
        runs[depth] = flex.measured(f"flexible-steps-{prediction}", settings, measure)
    return runs


def alike(steps: Steps) -> Run:
    """Return the record of: number of steps -> the share of the samples recognised with the steps of
    the training that are recognised with this number, too.
    """
    flex = steps.flex

    def measure() -> dict:
        seen = {
            count: look(flex.judge, flex.draw(flex.labels, schedule=schedule))
            for count, schedule in steps.schedules.items()
        }
        found = {count: one.species.argmax(-1).tolist() for count, one in seen.items()}
        usual, known = found[steps.told[1]], flex.labels.tolist()
        sure = [i for i, label in enumerate(known) if usual[i] == label]
        return {
            count: sum(here[i] == usual[i] for i in sure) / max(len(sure), 1)
            for count, here in found.items()
        }

    settings = flex.behind | {"images": flex.count, "schedules": steps.schedules}
    return flex.measured("flexible-alike", settings, measure)


def ceilings(steps: Steps) -> dict[str, Run]:
    """Return "VAR" and "FlexVAR" -> the record of the distance of what their tokenizers make of real
    pictures: no model of their codes can draw much better.
    """
    flex, runs = steps.flex, {}
    var = steps.var.parents[0]
    codecs = {"VAR": (var.model, var.run), "FlexVAR": (flex.tokenizer, flex.runs[1])}
    for name, (codec, run) in codecs.items():
        settings = {"tokenizer": run.key, "judge": flex.runs[2].key, "images": len(steps.labels)}
        measure = partial(_rebuilt_distance, steps, codec)
        runs[name] = flex.measured(f"flexible-ceiling-{name}", settings, measure)
    return runs


@torch.no_grad()
def _rebuilt_distance(steps: Steps, codec: Tokenizer) -> dict:
    flex, number = steps.flex, len(steps.labels)
    parts = to_float(steps.reference[:number]).to(pick_device()).split(32)
    rebuilt = torch.cat([codec.image(codec.tokens(rows, flex.trained)).cpu() for rows in parts])
    others = flex.task.sample(flex.profile, number, seed=HELD_OUT_SEED + 500).images
    distance = frechet(rebuilt, others, flex.judge, describe=f"held-out {flex.task.noun}")
    return {flex.judge.distance: distance.value}


# --- rivals of other families


def rival_drawer(steps: Steps, name: str) -> tuple[Any, Callable]:
    """Return a rival generator, "raster", "masked" or "diffusion", and a function of labels (N,) and a
    seed that draws with it.
    """
    flex = steps.flex
    model, _, ((codec, *_),) = build.generator_rival(flex.task, flex.profile, name)
    named = ("guidance",) if name == "diffusion" else ("guidance", "top_k", "top_p")
    choices = {field: flex.drawing[field] for field in named}

    def drawn(labels: Tensor = steps.labels[:TIMED], seed: int = flex.seed):
        pick = torch.Generator().manual_seed(1000 * seed)
        return WAYS[name](model, codec, labels.to(pick_device()), **choices, generator=pick)

    return model, drawn


def measure_rival(steps: Steps, name: str) -> dict:
    """Return the parameters of a rival, its passes through the network for one image, and its measures
    with two seeds under the number of passes as text.
    """
    model, drawn = rival_drawer(steps, name)
    sets = [drawn(steps.labels, seed) for seed in (steps.flex.seed, steps.flex.seed + 1)]
    passes = sets[0].passes
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "passes": passes,
        str(passes): [steps.rated(one.images.cpu()) for one in sets],
    }


def rivals(steps: Steps) -> dict[str, Run]:
    """Return name -> the record of `measure_rival`, for each rival that the profile trains."""
    flex, runs = steps.flex, {}
    settings = flex.behind | {"images": len(steps.labels)}
    for name in flex.profile.rivals.generators:
        measure = partial(measure_rival, steps, name)
        runs[name] = flex.measured(f"flexible-rival-{name}", settings, measure)
    return runs


# --- time


def of_the_papers_geometry() -> tuple[NextScaleModel, Tokenizer]:
    """Return a FlexVAR and a tokenizer with the scales, stride and positions of the paper's at 256 px,
    but narrow, shallow and untrained: for measuring times.
    """
    shared: dict[str, Any] = {"schedule": VAR_256, "vocab_size": 512, "code_dim": 32}
    config = NextScaleConfig(**shared, classes=1000, depth=2, width=128, heads=2)
    codec = TokenizerConfig(**shared, pyramid="ground_truth", channels=(32,), patch=16)
    torch.manual_seed(0)
    model, tokenizer = NextScaleModel(flexvar(config)), Tokenizer(codec)
    return model.to(pick_device()).eval(), tokenizer.to(pick_device()).eval()


def table_7(flex: Flexible) -> tuple[dict[tuple[int, int], dict], Run]:
    """Return (pixels, steps) -> "shape" and "seconds" of an image along each schedule of FlexVAR
    table 7, on a network of the paper's geometry, and the record that holds them.
    """
    device, repeats = pick_device(), min(3, flex.profile.speed_repeats)

    def measure() -> dict:
        model, codec = of_the_papers_geometry()
        labels, values = torch.zeros(1, dtype=torch.long, device=device), {}
        for (pixels, steps), schedule in TABLE_7.items():
            draw_one = partial(generate, model, codec, labels, schedule)
            shape = list(draw_one().images.shape[-2:])
            seconds = middle_seconds(draw_one, repeats, device)
            values[f"{pixels}, {steps}"] = {"shape": shape, "seconds": seconds}
        return values

    settings = {"version": 1, "repeats": flex.profile.speed_repeats}
    run = flex.measured("flexible-table-7", settings, measure)
    return {(px, n): run.result[f"{px}, {n}"] for px, n in TABLE_7}, run


def _shortest(steps: Steps, functions: Mapping[str, Callable]) -> dict[str, float]:
    """Return the shortest time of each function, called in turn, per image."""
    rounds = min(4, steps.flex.profile.speed_repeats)
    times = shortest_seconds(functions, rounds, pick_device())
    return {name: value / TIMED for name, value in times.items()}


def _drawer(steps: Steps, prediction: str, depth: int, schedule: Schedule) -> Callable:
    sampler = steps.sampler(prediction, depth)
    return lambda: sampler.draw(steps.labels[:TIMED], schedule=schedule)


def _timed(steps: Steps) -> dict[str, Any]:
    models = [steps.flex.runs[0].key, steps.var.key]
    settings: dict[str, Any] = {"models": models, "depths": steps.depths, "version": 1}
    return settings | {"schedules": steps.schedules, "repeats": steps.flex.profile.speed_repeats}


def seconds(steps: Steps) -> Run:
    """Return the record of the seconds an image takes: "FlexVAR, depth, steps" and "VAR, depth,
    steps" -> seconds.
    """
    trained = steps.flex.trained

    def measure() -> dict[str, float]:
        functions = {
            f"FlexVAR, {depth}, {n}": _drawer(steps, "ground_truth", depth, schedule)
            for depth in steps.depths
            for n, schedule in steps.schedules.items()
        }
        for depth in steps.depths:
            functions[f"VAR, {depth}, {len(trained)}"] = _drawer(steps, "residual", depth, trained)
        return _shortest(steps, functions)

    return steps.flex.measured("flexible-seconds", _timed(steps), measure)


def rival_seconds(steps: Steps) -> Run:
    """Return the record of the seconds an image takes each rival, and "VAR" of the usual depth."""
    flex = steps.flex
    names = flex.profile.rivals.generators

    def measure() -> dict[str, float]:
        depth = flex.task.chain_of(flex.profile).model.depth
        functions = {"VAR": _drawer(steps, "residual", depth, flex.trained)}
        return _shortest(steps, functions | {n: rival_drawer(steps, n)[1] for n in names})

    settings = _timed(steps) | {"rivals": names}
    return flex.measured("flexible-rival-seconds", settings, measure)
