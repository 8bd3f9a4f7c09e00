"""Chapter 05's model at sizes and shapes that it was not trained at: samples beside real pictures of
the same size, decoded ones and enlarged ones.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from varbook.book.experiments.measurement import measurement
from varbook.book.models import build
from varbook.book.models.profiles import Profile
from varbook.book.models.tasks import HELD_OUT_SEED, TASKS
from varbook.book.models.unpaired_task import Task
from varbook.data.images import to_float
from varbook.device import pick_device
from varbook.evaluate.fidelity import frechet
from varbook.evaluate.generation import detail, judge_samples, resized, spectrum
from varbook.evaluate.translation import look
from varbook.features.imagenet_judge import AnyJudge
from varbook.generate.loop import generate
from varbook.generate.sampling import Drawing
from varbook.tokenizer.schedule import Scale, Schedule, make_schedule, schedule_for, square
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.train.store import Run
from varbook.transformer.model import NextScaleModel

# Of the training size: where pictures are measured, and where they are shown.
PARTS = (1 / 4, 5 / 16, 1 / 2, 3 / 4, 1, 1.5, 2, 3, 4)
SHOWN = (5 / 16, 1 / 2, 3 / 4, 1, 1.5, 2)
SPANNED = ("width of the animal", "height of the animal")  # in pixels
AT_ONCE = 64  # samples


@dataclass(frozen=True)
class Flexible:
    """A next-scale model with its tokenizer, how it is sampled, and who judges what it draws."""

    profile: Profile
    task: Task
    model: NextScaleModel
    tokenizer: Tokenizer
    judge: AnyJudge
    runs: tuple[Run, Run, Run]  # of the three
    drawing: Mapping[str, Any]  # fields of `Drawing`
    seed: int

    @property
    def trained(self) -> Schedule:
        """The scales of the training."""
        return self.model.config.schedule

    @property
    def side(self) -> int:
        """The side of the latent in the training."""
        return self.trained[-1][0]

    @property
    def count(self) -> int:
        """How many pictures are measured, at twice the training size or below."""
        return max(16, self.profile.held_out * 7 // 32)

    @property
    def labels(self) -> Tensor:
        """As many classes in turn, (count,)."""
        return torch.arange(self.count) % self.model.config.classes

    def classes(self, *names: str) -> Tensor:
        """Return the labels (N,) of classes by their names."""
        return torch.tensor([self.task.label(name) for name in names])

    def sides(self, parts: Iterable[float]) -> list[int]:
        """Return sides of latents, sorted, that are these parts of the training's."""
        return sorted({max(2, math.ceil(self.side * part)) for part in parts})

    @torch.no_grad()
    def draw(
        self,
        labels: Tensor,
        latent: Scale | None = None,
        schedule: Schedule | None = None,
        seed: int | None = None,
        changes: Mapping[str, Any] | None = None,
    ) -> Tensor:
        """Return samples (N, 3, H, W) of classes `labels` (N,) with a latent of this size, or along
        this schedule; `changes` are fields of `Drawing`. Equal seeds begin with equal codes.
        """
        schedule = schedule or schedule_for(self.trained, latent or self.trained[-1])
        drawing, drawn = Drawing(**{**self.drawing, **(changes or {})}), []
        for i, rows in enumerate(labels.to(pick_device()).split(AT_ONCE)):
            pick = torch.Generator().manual_seed(1000 * (self.seed if seed is None else seed) + i)
            made = generate(self.model, self.tokenizer, rows, schedule, drawing, generator=pick)
            drawn.append(made.images.cpu())
        return torch.cat(drawn)

    @property
    def behind(self) -> dict[str, Any]:
        """What shapes every measurement of this model, for the keys of their records."""
        model, _, judge = self.runs
        own = {"model": model.key, "judge": judge.key, "drawing": dict(self.drawing)}
        return own | {"seed": self.seed, "version": 1}

    def measured(self, kind: str, settings: dict, measure) -> Run:
        """Return the record of `measure()`, made now or earlier (see `measurement`)."""
        return measurement(kind, settings, measure, seed=self.seed, profile=self.profile)


def flexible(profile: Profile, seed: int, *, guidance: float, top_k: int, top_p: float) -> Flexible:
    """Return the profile's FlexVAR, sampled so: its guidance reaches full strength at the last scale
    of the training, and larger maps get their likeliest codes.
    """
    task = TASKS[profile.generation]
    model, run, ((tokenizer, tokenizer_run, _),) = build.next_scale(task, profile, "ground_truth")
    judge, judge_run, _ = build.judge(task, profile)
    trained = model.config.schedule
    drawing = {"guidance": guidance, "top_k": top_k, "top_p": top_p}
    drawing |= {"ramp_to": len(trained) - 1, "greedy_above": trained[-1][0]}
    runs = (run, tokenizer_run, judge_run)
    return Flexible(profile, task, model, tokenizer, judge, runs, drawing, seed)


# --- square pictures of other sizes (FlexVAR figures 5, 11 and 15, table 3)


def number_at(flex: Flexible, side: int) -> int:
    """Return how many pictures are measured with a latent of this side: large ones are slow, so
    there are fewer of them.
    """
    return max(14, round(flex.count * min(1.0, (2 * flex.side / side) ** 2)))


def _real(flex: Flexible, size, which: int, number: int):
    return flex.task.sample(flex.profile, number, size, seed=HELD_OUT_SEED + 300 + which)


@torch.no_grad()
def _decoded(flex: Flexible, pictures: Tensor) -> Tensor:
    scale, codec = square(pictures.shape[-1] // flex.tokenizer.stride), flex.tokenizer
    parts = [to_float(rows).to(pick_device()) for rows in pictures.split(32)]
    return torch.cat([codec.image(codec.tokens(rows, scale)).cpu() for rows in parts])


def rate(flex: Flexible, pictures: Tensor, labels: Tensor, truth: Tensor) -> dict:
    """Return the measures of pictures (N, 3, S, S) of classes `labels` against real ones of the same
    size, `truth`: the judge's distance as they are, and all that it says at the size of its training.
    """
    judge, home = flex.judge, flex.task.side(flex.profile)
    small, described = resized(pictures, home), f"{flex.task.noun} at the same size, then resized"
    judged = judge_samples(judge, small, labels, resized(truth, home), describe=described)
    as_it_is = frechet(pictures, truth, judge, describe=f"{flex.task.noun} at the same size")
    return {
        judge.distance: as_it_is.value,
        f"{judge.distance}, resized": judged[judge.distance],
        **{name: judged[name] for name in (judge.score, "taken for its class", "card")},
        "detail": (detail(pictures).mean() / detail(truth).mean()).item(),
        "seen as": look(judge, small).species.argmax(-1).tolist(),
    }


def measure_size(flex: Flexible, side: int) -> dict:
    """Return the measures of four kinds of pictures whose latent has this side: real ones, real
    ones decoded, samples, and samples of the training size enlarged. "spectrum": the power of each.
    """
    pixels, number = flex.tokenizer.stride * side, number_at(flex, side)
    truth, other = (_real(flex, pixels, which, number) for which in (0, 1))
    classes = flex.labels[:number]
    enlarged = resized(flex.draw(classes), pixels)
    sets = {
        "real": (other.images, other.labels),
        "decoded": (_decoded(flex, other.images), other.labels),
        "drawn": (flex.draw(classes, (side, side)), classes),
        "enlarged": (enlarged, classes),
    }
    if side == 2 * flex.side:
        drawn = flex.draw(classes, (side, side), changes={"greedy_above": None})
        sets["drawn, dice at all scales"] = (drawn, classes)
    values: dict = {kind: rate(flex, *pair, truth.images) for kind, pair in sets.items()}
    powers = {kind: spectrum(pictures).tolist() for kind, (pictures, _) in sets.items()}
    return values | {"spectrum": powers}


def measured_size(flex: Flexible, side: int) -> Run:
    """Return the record of `measure_size`, made now or earlier."""
    settings = flex.behind | {"side": side, "images": number_at(flex, side)}
    return flex.measured("flexible-size", settings, lambda: measure_size(flex, side))


def sizes(flex: Flexible) -> dict[int, Run]:
    """Return side of the latent -> the record of `measure_size`, from a quarter of the training
    size to four times.
    """
    return {side: measured_size(flex, side) for side in flex.sides(PARTS)}


def keeps(flex: Flexible, values: Mapping[int, Mapping], side: int) -> float:
    """Return the share of the samples recognised at the training size that are recognised with a
    latent of this side, too; `values` is side -> what `measure_size` returned.
    """
    here, home = values[side]["drawn"]["seen as"], values[flex.side]["drawn"]["seen as"]
    triples = zip(here, home, flex.labels.tolist(), strict=False)  # large sizes have fewer
    still = [a == b for a, b, label in triples if b == label]
    return sum(still) / max(len(still), 1)


def octave(values: Mapping, kind: str) -> float:
    """Return the power of the upper half of all frequencies relative to real pictures, of one kind
    of what `measure_size` returned.
    """
    real, power = (torch.tensor(values["spectrum"][name]) for name in ("real", kind))
    half = len(real) // 2
    return (power[half:].sum() / real[half:].sum()).item()


# --- other ways to twice the size


def ways(flex: Flexible) -> dict[str, dict]:
    """Return name -> ways to a picture of twice the training size: another "schedule", or other
    fields of `Drawing`.
    """
    twice, guidance = 2 * flex.side, flex.drawing["guidance"]
    straight = (*flex.trained, (twice, twice))
    return {
        "as in the table": {},
        "straight to the size": {"schedule": straight},
        "four scales more": {"schedule": make_schedule((twice, twice), len(flex.trained) + 4)},
        "twice the guidance": {"guidance": 2 * guidance},
        "no guidance": {"guidance": 0.0},
        "no guidance, straight": {"guidance": 0.0, "schedule": straight},
    }


def draw_in(flex: Flexible, way: dict, labels: Tensor, seed: int) -> Tensor:
    """Return samples of twice the training size, drawn in one of `ways`."""
    changes = {name: value for name, value in way.items() if name != "schedule"}
    twice = (2 * flex.side, 2 * flex.side)
    return flex.draw(labels, twice, way.get("schedule"), seed, changes)


def measure_way(flex: Flexible, way: dict) -> dict[str, list[float]]:
    """Return measure -> its values with two seeds, of pictures of twice the size drawn in this way."""
    twice, distance = 2 * flex.side, flex.judge.distance
    number = number_at(flex, twice)
    classes, truth = (
        flex.labels[:number],
        _real(flex, flex.tokenizer.stride * twice, 0, number).images,
    )
    rated = [
        rate(flex, draw_in(flex, way, classes, seed), classes, truth)
        for seed in (flex.seed, flex.seed + 1)
    ]
    names = (distance, f"{distance}, resized", "taken for its class")
    return {name: [values[name] for values in rated] for name in names}


def measured_ways(flex: Flexible) -> dict[str, Run]:
    """Return name -> the record of `measure_way`, for each of `ways`."""
    runs = {}
    for name, way in ways(flex).items():
        settings = flex.behind | {"change": way, "images": number_at(flex, 2 * flex.side)}
        runs[name] = flex.measured("flexible-try", settings, lambda w=way: measure_way(flex, w))
    return runs


# --- other shapes (FlexVAR figure 6)


def shapes_of(flex: Flexible) -> list[Scale]:
    """Return sizes of latents: from 1 : 2 to 2 : 1, and two that nobody would choose."""
    side, longer = flex.side, flex.side * 3 // 2
    usual = [(side, 2 * side), (side, longer), (side, side), (longer, side), (2 * side, side)]
    return [*usual, (side - 1, 2 * side - 3), (2 * side - 5, side - 2)]


def measure_shape(flex: Flexible, latent: Scale) -> dict[str, dict]:
    """Return the judge's measures of real pictures and of samples with a latent of this size, with the
    median width and height of the animal in pixels where the judge sees outlines.
    """
    pixels = (flex.tokenizer.stride * latent[0], flex.tokenizer.stride * latent[1])
    truth, other = (_real(flex, pixels, which, flex.count) for which in (0, 1))
    sets = {
        "real": (other.images, other.labels),
        "drawn": (flex.draw(flex.labels, latent), flex.labels),
    }
    values = {}
    for kind, (pictures, known) in sets.items():
        judged = judge_samples(
            flex.judge,
            pictures,
            known,
            truth.images,
            describe=f"{flex.task.noun} at the same size",
        )
        values[kind] = judged | (_spans(flex, pictures) if flex.judge.outlines else {})
    return values


def _spans(flex: Flexible, pictures: Tensor) -> dict[str, float]:
    outline = look(flex.judge, pictures).silhouette > 0  # N H W
    spans = [outline.any(axis).sum(1).float().median().item() for axis in (1, 2)]
    return dict(zip(SPANNED, spans, strict=True))


def measured_shape(flex: Flexible, latent: Scale) -> Run:
    """Return the record of `measure_shape`, made now or earlier."""
    settings = flex.behind | {"latent": latent, "images": flex.count}
    return flex.measured("flexible-shape", settings, lambda: measure_shape(flex, latent))


def shapes(flex: Flexible) -> dict[Scale, Run]:
    """Return size of the latent -> the record of `measure_shape`, for each of `shapes_of`."""
    return {latent: measured_shape(flex, latent) for latent in shapes_of(flex)}
