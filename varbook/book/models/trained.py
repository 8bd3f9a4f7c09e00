"""A model of the book that is trained, or found, when it is first asked for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

from torch import Tensor, nn

from varbook.book.models.profiles import Profile
from varbook.book.models.sources import Size
from varbook.book.models.unpaired_task import Task
from varbook.data.shards import Rows
from varbook.device import pick_device
from varbook.errors import VarbookError
from varbook.features import squeezenet
from varbook.features.book_weights import other_weights
from varbook.features.perceptual import best_at_hand
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.train.encoded import encoded
from varbook.train.keeper import Curve, Keeper
from varbook.train.store import Run, find_run, run_key, run_settings, train_or_load
from varbook.translate.discriminator import features_at_hand

Model = TypeVar("Model", bound=nn.Module)
# What is called after every step of a training, with the step (from 0), the model, and the curve so
# far.
Watch = Callable[[int, Any, Curve], None]


@dataclass(frozen=True)
class Trained(Generic[Model]):
    """A model that is built, and trained or loaded, when `model` or `run` is first asked for.

    `key` is the run's, known from the settings; `parents` are those that it stands on. Unpacks as
    model, run, parents.
    """

    key: str
    make: Callable[[Watch | None], tuple[Model, Run]] = field(repr=False)
    parents: tuple["Trained[Any]", ...] = ()

    @cached_property
    def _made(self) -> tuple[Model, Run]:
        return self.make(None)

    @property
    def model(self) -> Model:
        """The model with its trained weights, in evaluation mode, on the device of `pick_device`."""
        return self._made[0]

    @property
    def run(self) -> Run:
        """Where the weights came from, with curve and measurements."""
        return self._made[1]

    @property
    def runs(self) -> list[Run]:
        """The model's run, and those of all that it stands on."""
        return [self.run, *(run for parent in self.parents for run in parent.runs)]

    def load(self, watch: Watch | None = None) -> "Trained[Model]":
        """Train or load the model now, and return this; a training is shown to `watch`."""
        if "_made" not in self.__dict__:
            self.__dict__["_made"] = self.make(watch)
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter((self.model, self.run, self.parents))


def begin_with(model: nn.Module, start: nn.Module) -> None:
    """Give `model` the weights of `start` that have its names and shapes; the others, such as
    positions of another schedule, stay as they are.
    """
    own = model.state_dict()
    fitting = {
        name: tensor
        for name, tensor in start.state_dict().items()
        if name in own and own[name].shape == tensor.shape
    }
    model.load_state_dict(own | fitting)


def network_settings(perceptual: float, discriminator: str = "patch") -> dict:
    """Return the names of the frozen networks that a perceptual loss of this weight, and this kind
    of discriminator, use here.

    They depend on the machine, so they go into the key; SqueezeNet is left out where it has the
    weights of the book's own runs, and named with a digest of its weights where not.
    """
    networks = {"perceptual": best_at_hand()} if perceptual else {}
    networks |= {"critic_features": features_at_hand()} if "features" in discriminator else {}
    if "squeezenet" in networks.values():
        other = other_weights(squeezenet.FILE)
        known = {"squeezenet": f"squeezenet {other}" if other else ""}
        networks = {loss: known.get(name, name) for loss, name in networks.items()}
    return {loss: name for loss, name in networks.items() if name}


def features_of(
    task: Task,
    profile: Profile,
    codec: Tokenizer,
    model: Any,
    size: Size | None = None,
    most: int | None = None,
) -> tuple[Rows, Rows]:
    """Return the features (C, h, w) of all training pictures, row by row, and their classes, or the
    word ids that `model` makes of captions; `size` and `most` as `task.labelled` takes them.
    """
    images, labels = task.labelled(profile, size, most)
    labels = model.ids(labels).cpu() if isinstance(labels, list) else labels
    return encoded(codec, images, labels, pick_device())


def domains_of_training(task: Task, profile: Profile, side: int) -> tuple[Tensor, Tensor]:
    """Return the training pictures of X and of Y, each uint8 (N, 3, H, W), for a side in pixels."""
    x, y = (task.domain(profile, name, side=side).images for name in task.domains)
    return x, y


def measured_on(record: dict, held_out: dict) -> dict:
    """Return a run's record with the measurements that were made on these pictures, with these
    features (see `Task.held_out`): others are laid aside in it.
    """
    digest, before = " ".join(held_out.values()), record.get("measured on", "")
    if digest == before:
        return record
    aside = record.get("measured elsewhere", {}) | {before: record["measurements"]}
    measurements = aside.pop(digest, {})
    return record | {
        "measured on": digest,
        "measurements": measurements,
        "measured elsewhere": aside,
    }


def train_or_find(
    task: Task,
    profile: Profile,
    part: str,
    settings: dict,
    build: Callable[[], Model],
    fit: Callable[[Model, Keeper], Curve],
    *,
    seed: int | None = None,
    machine: dict | None = None,
    parents: tuple[Trained[Any], ...] = (),
    weights: Callable[[Model], nn.Module] = lambda model: model,
) -> Trained[Model]:
    """Return what `build` makes, trained by `fit` or loaded, under the key of `settings`;
    `weights(model)` is the part of it that is trained and kept.
    """
    kind = task.kind(part)
    seed = profile.seed if seed is None else seed
    settings = run_settings(kind, settings, seed, machine)
    key = run_key(kind, settings, seed)

    def make(watch: Watch | None) -> tuple[Model, Run]:
        if not find_run(f"{kind}-{key}"):
            missing = task.missing()
            if missing:
                raise VarbookError(missing)
            for parent in parents:  # first, so that no run's time and start depend on another's
                parent.load()
        model = build()

        def watched_fit(keeper: Keeper) -> Curve:
            if watch:
                keeper.watch = lambda step: watch(step, model, keeper.curve)
            return fit(model, keeper)

        run = train_or_load(
            kind,
            weights(model),
            settings,
            watched_fit,
            seed=seed,
            profile=profile.name,
            facts=task.facts(),
        )
        run.record = measured_on(run.record, task.held_out())
        return model.to(pick_device()).eval(), run

    return Trained(key, make, parents)
