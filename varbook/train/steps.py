"""What all training loops share: the next step, its random numbers and its learning rate, what is
logged and what is saved.

    steps = Steps("tokenizer", training.steps, state, [optimiser], rate, seed, keeper)
    for step, generator in steps:
        ...  # the mathematics, and nothing else
        steps.log({"loss": loss})
    return steps.curve
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import Any

import torch
from torch import Tensor, nn

from varbook import processes
from varbook.data.images import to_float
from varbook.data.shards import Rows
from varbook.device import quicken, step_generator
from varbook.errors import VarbookError
from varbook.signals import Postponed, end
from varbook.train.keeper import Curve, Keeper, State, state_tensors
from varbook.train.progress import progress
from varbook.train.weights import check_sound, odd_number, went_wrong

# Makes a float batch (count, 3, H, W) in [-1, 1] out of a uint8 set (N, 3, H, W).
Draw = Callable[[Any, int, torch.Generator], Tensor]


@dataclass
class Steps:
    """The steps of a training, from where `keeper` left
    off to `count`: iterate for (step, generator).

    A step's generator follows from `seed` and the step alone, so that an interrupted training
    resumes to the same bits. Before each step the learning rate of `optimisers` is set to
    `rate(step)`; after it `keeper` saves `state` where it is time to.

    Asked to end (Ctrl-C, SIGTERM, SIGHUP), it saves after the step at work, and then ends as the
    signal would have. VarbookError where a loss, or a weight at the end, is not finite.
    """

    label: str  # of the progress bar
    count: int
    state: State  # every module and optimiser that changes, by name
    optimisers: Sequence[torch.optim.Optimizer]
    rate: Callable[[int], float]
    seed: int
    keeper: Keeper | None = None
    log_every: int = 20
    curve: Curve = field(default_factory=list)
    step: int = 0  # the one at work
    # (step, name, value) of what must be finite, since the last step that was logged
    _watched: list[tuple[int, str, Tensor | float]] = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[int, torch.Generator]]:
        quicken()
        first = 0
        if self.keeper:
            first = self.keeper.resume(self.state)
            self.curve = self.keeper.curve  # what was logged before the interruption
            odd = odd_number(state_tensors(self.state)) if first else None
            if odd:
                raise VarbookError(
                    f"The training saved in {self.keeper.notes} is unusable: {odd!r} holds infinite "
                    "or undefined numbers; delete that file, and it starts from the beginning."
                )
        number = 0  # of a signal that asks to end
        with Postponed(self._saves(), processes.count() > 1) as asked:
            for step in progress(range(first, self.count), self.label):
                self.step = step
                for optimiser in self.optimisers:
                    for group in optimiser.param_groups:
                        group["lr"] = self.rate(step)
                yield step, step_generator(self.seed, step)
                if self.keeper:
                    self.keeper.step_done(step, self.state)
                # Of several processes all end after the same step.
                number = processes.largest(asked.number) if self._saves() else 0
                if number:
                    break
        if number:
            self._end(number)
        # The loss of the last step says nothing about the weights that it leaves.
        check_sound(state_tensors(self.state), self._told(self.count))

    def watch(self, values: Mapping[str, Tensor | float]) -> None:
        """Note scalars of this step, which must be finite.

        Whether they are is asked where the next step is logged, of all at once: no step waits for a
        card.
        """
        self._watched += [
            (self.step, name, value.detach() if isinstance(value, Tensor) else value)
            for name, value in values.items()
        ]

    def log(self, values: Mapping[str, Tensor | float]) -> None:
        """Add scalars to the curve, averaged over the processes, at every `log_every`-th step and
        at the last; at other steps only `watch` them.

        VarbookError, which names step and scalar, where one was not finite since the last call.
        """
        self.watch(values)
        if self.step % self.log_every and self.step != self.count - 1:
            return
        numbers = {
            name: value.item() if isinstance(value, Tensor) else value
            for name, value in values.items()
        }
        odd = self._odd()
        numbers = processes.mean(numbers | {"odd": float(odd is not None)})
        if numbers.pop("odd"):  # in any process: all end
            step, fault = odd or (self.step, "a loss of another process is not finite")
            raise went_wrong(self._told(step + 1), fault)
        self.curve.append({"step": self.step} | numbers)

    def _odd(self) -> tuple[int, str] | None:
        """Return the first step at which a watched scalar was not finite, and which it was."""
        watched, self._watched = self._watched, []
        on_device = [value.float() for _, _, value in watched if isinstance(value, Tensor)]
        numbers = iter(torch.stack(on_device).tolist() if on_device else [])
        known = [
            (step, name, next(numbers) if isinstance(value, Tensor) else value)
            for step, name, value in watched
        ]
        odd = [(step, name, value) for step, name, value in known if not math.isfinite(value)]
        if not odd:
            return None
        # Of one step a part says more than the sum of all.
        step, name, value = min(odd, key=lambda one: (one[0], one[1] == "loss"))
        return step, f"its {name!r} is {value}"

    def _saves(self) -> bool:
        return self.keeper is not None and math.isfinite(self.keeper.seconds)

    def _end(self, number: int) -> None:
        """Save, and end as the signal `number` asks."""
        if self.keeper:
            self.keeper.save(self.step + 1, self.state)
        end(number, f"{self._told(self.step + 1)} is saved: the same call resumes from there.")

    def _told(self, step: int) -> str:
        return f"The training of the {self.label}, after step {step} of {self.count},"


@dataclass(frozen=True)
class Rate:
    """The learning rate of a step: `lr` times `learning_rate`."""

    lr: float
    steps: int
    warmup: int = 50
    hold: float = 0.6

    def __call__(self, step: int) -> float:
        """Return the rate of step `step` (from 0)."""
        return self.lr * learning_rate(step, self.steps, self.warmup, self.hold)


def learning_rate(step: int, steps: int, warmup: int = 50, hold: float = 0.6) -> float:
    """Return the factor of the learning rate in (0, 1]: a rise over `warmup` steps, a plateau until
    the share `hold` of the steps is over, a linear fall to a twentieth.

    With `hold` = 1 it stays where it is.
    """
    rise = min(1.0, (step + 1) / max(warmup, 1))
    fall = max(0.0, (step / max(steps, 1) - hold) / (1 - hold)) if hold < 1 else 0.0
    return rise * (1 - 0.95 * fall)


def draw_batch(images: Rows, count: int, generator: torch.Generator) -> Tensor:
    """Return `count` random images (count, 3, H, W) of a uint8 set (N, 3, H, W) as floats in
    [-1, 1], mirrored half of the time.
    """
    rows = torch.randint(len(images), (count,), generator=generator)
    batch = to_float(images[rows])
    mirrored = torch.rand(count, generator=generator) < 0.5
    return torch.where(mirrored[:, None, None, None], batch.flip(-1), batch)


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """Keep gradients from the parameters of `module` within this context, not from its input: a
    generator's step must leave none in the discriminator.
    """
    module.requires_grad_(False)
    try:
        yield
    finally:
        module.requires_grad_(True)


def total(losses: Iterable[Tensor]) -> Tensor:
    """Return the sum of one or more losses (scalars), added from left to right."""
    return reduce(add, losses)


def adamw(
    weights: Iterable[Any], lr: float, betas: tuple[float, float], decay: float = 0.0
) -> torch.optim.AdamW:
    """Return AdamW over parameters, or groups of them, whose step is one pass over each tensor."""
    return torch.optim.AdamW(weights, lr, betas=betas, weight_decay=decay, fused=True)


def take_step(
    loss: Tensor, module: nn.Module, optimiser: torch.optim.Optimizer, clip: float | None = None
) -> None:
    """Move the parameters of `module` one step of
    `optimiser` down the gradient of `loss` (a scalar).

    Gradients are averaged over the processes that train
    together; `clip` bounds the norm of all of them together.
    """
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    processes.average_gradients(module)
    if clip:
        torch.nn.utils.clip_grad_norm_(module.parameters(), clip)
    optimiser.step()
