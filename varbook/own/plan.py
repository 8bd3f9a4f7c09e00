"""Fit the book's three trainings into a time: how fast is this machine, which image size, how many
steps.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import pairwise
from statistics import median

import torch

from varbook import paths
from varbook.book.models.profiles import Chain, profile
from varbook.data.crops import random_crops
from varbook.errors import VarbookError
from varbook.features.perceptual import perceptual_distance
from varbook.tokenizer.schedule import Schedule, square
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.train.fit_cyclevar import fit_cyclevar
from varbook.train.fit_next_scale import fit_next_scale
from varbook.train.fit_tokenizer import fit_tokenizer
from varbook.train.keeper import Keeper
from varbook.transformer.text_model import make_next_scale
from varbook.translate.cyclevar import CycleVAR

# Shares of the time of tokenizer, next-scale model and translator: those of the book's own chain of
# photographs, and those where a tokenizer that comes with the book is only adapted.
SHARES = {"new": (0.30, 0.06, 0.64), "adapted": (0.12, 0.08, 0.80)}
FACTORS = (0.5, 0.75, 1.0, 1.5, 2.0, 4.0)  # sizes that are tried, times the chain's own
SMALLEST = 32  # pixels a side: networks for perception see nothing in less
FEWEST_STEPS = 100  # of the translator: below, it has hardly left the identity
MANY_STEPS = 20  # times the chain's own number of steps: more would be another training
# Seconds beside the trainings: features of the pictures, sample sheets, measuring at the end.
OVERHEAD = 25.0
PICTURES_A_MINUTE = 50  # of each domain; more would not be seen often enough to matter


@dataclass(frozen=True)
class Speed:
    """Seconds that one step takes: of the tokenizer, the next-scale model, the translator while it
    learns to copy, and the translator.
    """

    tokenizer: float
    next_scale: float
    copying: float
    translator: float


@dataclass(frozen=True)
class Plan:
    """What is trained: the side of the images in pixels, and the steps of each part; `speed` says
    what a step was measured to take.
    """

    minutes: float
    size: int
    tokenizer: int
    next_scale: int
    copying: int  # of the translator's steps, those in which it learns to copy
    translator: int
    speed: Speed
    adapted: bool  # does the tokenizer start from the one that comes with the book?

    @property
    def pictures(self) -> int:
        """How many pictures of each domain are used at most."""
        return round(max(1000, PICTURES_A_MINUTE * self.minutes))

    @property
    def steps(self) -> dict[str, int]:
        """The steps of each part."""
        return {
            "tokenizer": self.tokenizer,
            "next-scale model": self.next_scale,
            "translator": self.translator,
        }

    @property
    def seconds(self) -> dict[str, float]:
        """The seconds that each part is expected to take."""
        parts = {part: self.seconds_until(part, steps) for part, steps in self.steps.items()}
        return parts | {"sheets and numbers": OVERHEAD}

    def seconds_until(self, part: str, step: int) -> float:
        """Return how long a part is expected to take until `step` of its steps are done."""
        if part == "translator":
            copying = min(step, self.copying)
            return copying * self.speed.copying + (step - copying) * self.speed.translator
        return step * (self.speed.tokenizer if part == "tokenizer" else self.speed.next_scale)

    def say(self) -> str:
        """Return a table of the parts: steps, seconds a step, minutes."""
        start = "the book's, adapted" if self.adapted else "from the beginning"
        lines = [f"{'plan at ' + str(self.size) + ' pixels':<34}{'steps':>8}{'minutes':>10}"]
        for part, steps in self.steps.items():
            name = f"{part} ({start})" if part == "tokenizer" else part
            lines.append(f"{name:<34}{steps:>8}{self.seconds[part] / 60:>10.1f}")
        lines.append(f"{'sample sheets and numbers':<34}{'':>8}{OVERHEAD / 60:>10.1f}")
        total = sum(self.seconds.values()) / 60
        lines.append(f"{'together':<34}{'':>8}{total:>10.1f}   of {self.minutes:g}")
        return "\n".join(lines)

    def numbers(self) -> dict:
        """Return the plan as plain data, which `from_numbers` reads."""
        return asdict(self)

    def chain(self) -> Chain:
        """Return the book's chain of photographs at this size and with these steps."""
        chain, rest = chain_of_size(self.size), self.translator - self.copying
        return replace(
            chain,
            tokenizer_training=replace(
                chain.tokenizer_training,
                steps=self.tokenizer,
                # An adapted tokenizer has a codebook: it is never filled anew.
                warmup=-1 if self.adapted else min(150, self.tokenizer // 8),
            ),
            model_training=replace(chain.model_training, steps=self.next_scale),
            cyclevar_training=replace(
                chain.cyclevar_training,
                steps=self.translator,
                identity_steps=self.copying,
                warmup=min(chain.cyclevar_training.warmup, rest // 4),
            ),
        )


def plan_from(numbers: dict) -> Plan:
    """Return the plan that `Plan.numbers` gave."""
    return Plan(**numbers | {"speed": Speed(**numbers["speed"])})


def base_chain() -> Chain:
    """Return the chain that is fitted: the photographs of the profile that suits this machine."""
    return profile("gpu" if torch.cuda.is_available() else "laptop").chains["photographs"]


def schedule_of(side: int, base: Schedule) -> Schedule:
    """Return a schedule that ends with `side` x `side` places: the base's where it does, else
    sides that double.
    """
    if base[-1] == (side, side):
        return base
    sides = [2**k for k in range(side.bit_length()) if 2**k < side]
    return square(*sides, side)


def chain_of_size(size: int) -> Chain:
    """Return `base_chain` for images of `size` pixels a side; VarbookError where its tokenizer
    cannot have them.
    """
    chain = base_chain()
    stride = chain.tokenizer.patch * 2 ** (len(chain.tokenizer.channels) - 1)
    if size % stride or size < SMALLEST:
        near = sorted(
            {
                max(SMALLEST, side)
                for side in (size // stride * stride, size // stride * stride + stride)
            }
        )
        raise VarbookError(
            f"Images of {size} pixels are not possible: sides are multiples of {stride} from "
            f"{SMALLEST} on, such as {' or '.join(map(str, near))}."
        )
    schedule = schedule_of(size // stride, chain.tokenizer.schedule)
    return replace(
        chain,
        image_size=size,
        tokenizer=replace(chain.tokenizer, schedule=schedule),
        model=replace(chain.model, schedule=schedule, classes=2),
        model_training=replace(chain.model_training, max_steps=len(schedule)),
    )


def measure_speed(size: int, device: torch.device, steps: int = 4) -> Speed:
    """Return how long a step of each training takes on this machine, from a few steps on noise: a
    second or two each.
    """
    chain = chain_of_size(size)
    generator = torch.Generator().manual_seed(0)
    margin = round(size * 286 / 256)
    images = torch.randint(0, 256, (32, 3, margin, margin), generator=generator).to(torch.uint8)
    perceptual = perceptual_distance().to(device)
    tokenizer = Tokenizer(chain.tokenizer)
    model = make_next_scale(chain.model)
    codes = chain.tokenizer.code_dim
    features = torch.randn((32, codes, *chain.model.schedule[-1]), generator=generator)
    draw = random_crops(size)

    def tokenizer_steps(count: int, keeper: Keeper) -> None:
        fit_tokenizer(
            tokenizer,
            images,
            replace(chain.tokenizer_training, steps=count, warmup=0),
            seed=0,
            device=device,
            perceptual=perceptual,
            draw=draw,
            keeper=keeper,
        )

    def next_scale_steps(count: int, keeper: Keeper) -> None:
        training = replace(chain.model_training, steps=count)
        labels = torch.zeros(len(features), dtype=torch.long)
        fit_next_scale(
            model, tokenizer, features, labels, training, seed=0, device=device, keeper=keeper
        )

    def translator_steps(count: int, keeper: Keeper, copying: int = 0) -> None:
        fit_cyclevar(
            CycleVAR(tokenizer, model),
            (images, images),
            (0, 1),
            replace(chain.cyclevar_training, steps=count, identity_steps=copying),
            seed=0,
            device=device,
            perceptual=perceptual,
            draw=draw,
            keeper=keeper,
        )

    return Speed(
        _seconds_a_step(tokenizer_steps, steps),
        _seconds_a_step(next_scale_steps, steps),
        _seconds_a_step(partial(translator_steps, copying=steps + 1), steps),
        _seconds_a_step(translator_steps, steps),
    )


def _seconds_a_step(train: Callable[[int, Keeper], None], steps: int) -> float:
    """Return the median time of `steps` steps after a first one, which warms up."""
    ends: list[float] = []
    keeper = Keeper(paths.home() / "partial" / "timing", seconds=math.inf)  # it never saves
    keeper.watch = lambda step: ends.append(time.perf_counter())
    train(1 + steps, keeper)
    return median(after - before for before, after in pairwise(ends))


def allot(size: int, minutes: float, speed: Speed, adapted: bool) -> Plan:
    """Return the steps that fit into `minutes` at this size and speed; the shares of the parts are
    those of SHARES, and no part gets more than MANY_STEPS times the steps of the book's.
    """
    chain = chain_of_size(size)
    seconds = max(60 * minutes - OVERHEAD, 0)
    first, second, third = SHARES["adapted" if adapted else "new"]
    most = [
        MANY_STEPS * training.steps
        for training in (chain.tokenizer_training, chain.model_training, chain.cyclevar_training)
    ]
    tokenizer = min(most[0], int(seconds * first / speed.tokenizer))
    next_scale = min(most[1], int(seconds * second / speed.next_scale))
    # Copying is learnt first, at a third of the cost: a quarter of the translator's time at most.
    copying = min(chain.cyclevar_training.identity_steps, int(seconds * third / 8 / speed.copying))
    rest = int((seconds * third - copying * speed.copying) / speed.translator)
    return Plan(
        minutes,
        size,
        tokenizer,
        next_scale,
        copying,
        min(most[2], copying + rest),
        speed,
        adapted,
    )


def sizes_to_try() -> list[int]:
    """Return the sides in pixels among which a plan chooses, small first."""
    return [int(base_chain().image_size * factor) for factor in FACTORS]


def make_plan(
    minutes: float,
    speed_at: Callable[[int], Speed],
    *,
    size: int | None = None,
    adapted: bool = True,
    sizes: Sequence[int] | None = None,
) -> Plan:
    """Return the plan for `minutes` on a machine of which `speed_at(size)` says how fast it is.

    Without a `size` it is the book's own where FEWEST_STEPS of the translator and more fit, a
    smaller one where they do not, and a larger one where all steps of the book's chain fit even
    there. VarbookError where the time is too short.
    """
    if minutes <= 0:
        raise VarbookError(f"--minutes is a time above 0, not {minutes:g}.")
    if size is not None:
        return _checked(allot(size, minutes, speed_at(size), adapted), speed_at)
    base = base_chain()
    sizes = sorted(sizes or sizes_to_try())
    plan = allot(base.image_size, minutes, speed_at(base.image_size), adapted)
    if plan.translator >= base.cyclevar_training.steps:
        for larger in (side for side in sizes if side > base.image_size):
            other = allot(larger, minutes, speed_at(larger), adapted)
            if other.translator < base.cyclevar_training.steps:
                break
            plan = other
        return plan
    for smaller in sorted((side for side in sizes if side < base.image_size), reverse=True):
        if plan.translator >= FEWEST_STEPS:
            break
        plan = allot(smaller, minutes, speed_at(smaller), adapted)
    return _checked(plan, speed_at)


def _checked(plan: Plan, speed_at: Callable[[int], Speed]) -> Plan:
    if plan.translator >= FEWEST_STEPS:
        return plan
    third = SHARES["adapted" if plan.adapted else "new"][2]
    needed = (OVERHEAD + FEWEST_STEPS * speed_at(plan.size).translator / third * 1.1) / 60
    raise VarbookError(
        f"{plan.minutes:g} minutes are too short on this machine: at {plan.size} pixels a "
        f"translator needs about {needed:.0f} or more (--minutes)."
    )
