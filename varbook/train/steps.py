"""What all training loops share: the next step, its random numbers and its learning rate, what is
logged and what is saved.

    steps = Steps("tokenizer", training.steps, state, [optimiser], rate, seed, keeper)
    for step, generator in steps:
        ...  # the mathematics, and nothing else
        steps.log({"loss": loss})
    return steps.curve
"""

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
from varbook.train.keeper import Curve, Keeper, State
from varbook.train.progress import progress

# Makes a float batch (count, 3, H, W) in [-1, 1] out of a uint8 set (N, 3, H, W).
Draw = Callable[[Any, int, torch.Generator], Tensor]


@dataclass
class Steps:
    """The steps of a training, from where `keeper` left
    off to `count`: iterate for (step, generator).

    A step's generator follows from `seed` and the step alone, so that an interrupted training
    resumes to the same bits. Before each step the learning rate of `optimisers` is set to
    `rate(step)`; after it `keeper` saves `state` where it is time to.
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

    def __iter__(self) -> Iterator[tuple[int, torch.Generator]]:
        quicken()
        first = 0
        if self.keeper:
            first = self.keeper.resume(self.state)
            self.curve = self.keeper.curve  # what was logged before the interruption
        for step in progress(range(first, self.count), self.label):
            self.step = step
            for optimiser in self.optimisers:
                for group in optimiser.param_groups:
                    group["lr"] = self.rate(step)
            yield step, step_generator(self.seed, step)
            if self.keeper:
                self.keeper.step_done(step, self.state)

    def log(self, values: Mapping[str, Tensor | float]) -> None:
        """Add scalars to the curve, averaged over the processes, at every `log_every`-th step and
        at the last; at other steps do nothing.
        """
        if self.step % self.log_every == 0 or self.step == self.count - 1:
            numbers = {
                name: value.item() if isinstance(value, Tensor) else value
                for name, value in values.items()
            }
            self.curve.append({"step": self.step} | processes.mean(numbers))


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
