"""Fit the book's three trainings into a time: how fast is this machine, which image size, how many
steps.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

import torch

from varbook.book.models.profiles import Chain, profile
from varbook.errors import VarbookError
from varbook.own.speed import Speed
from varbook.tokenizer.schedule import Schedule, square

# Shares of the time of tokenizer, next-scale model and translator: those of the book's own chain of
# photographs, and those where a tokenizer that comes with the book is only adapted.
SHARES = {"new": (0.30, 0.06, 0.64), "adapted": (0.12, 0.08, 0.80)}
FACTORS = (0.5, 0.75, 1.0, 1.5, 2.0, 4.0)  # sizes that are tried, times the chain's own
SMALLEST = 32  # pixels a side: LPIPS is useless on smaller pictures
FEWEST_STEPS = 100  # of the translator: below, it has hardly left the identity
MANY_STEPS = 20  # times the chain's own number of steps: more would be another training
# Beside the trainings: seconds of features and sample sheets, and how often the network that
# measures sees each held-out picture of a domain, in both directions and four rows.
OVERHEAD = 20.0
LOOKS = 35
HELD_OUT_A_MINUTE, FEWEST_HELD_OUT, MOST_HELD_OUT = 4, 12, 200
PICTURES_A_MINUTE = 50  # of each domain; more would not be seen often enough to matter


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
    def held_out(self) -> int:
        """How many held-out pictures of each domain are measured at most."""
        return _held_out(self.minutes)

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
        return parts | {"sheets and numbers": _overhead(self.held_out, self.speed)}

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
        last = self.seconds["sheets and numbers"] / 60
        lines.append(f"{'sample sheets and numbers':<34}{'':>8}{last:>10.1f}")
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


def _held_out(minutes: float) -> int:
    return int(min(MOST_HELD_OUT, max(FEWEST_HELD_OUT, HELD_OUT_A_MINUTE * minutes)))


def _overhead(held_out: int, speed: Speed) -> float:
    return OVERHEAD + LOOKS * held_out * speed.measuring


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


def allot(size: int, minutes: float, speed: Speed, adapted: bool) -> Plan:
    """Return the steps that fit into `minutes` at this size and speed; the shares of the parts are
    those of SHARES, and no part gets more than MANY_STEPS times the steps of the book's.
    """
    chain = chain_of_size(size)
    seconds = max(60 * minutes - _overhead(_held_out(minutes), speed), 0)
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
    speed: Callable[[int], Speed],
    *,
    size: int | None = None,
    adapted: bool = True,
    sizes: Sequence[int] | None = None,
) -> Plan:
    """Return the plan for `minutes` on a machine of which `speed(size)` says how fast it is.

    Without a `size` it is the book's own where FEWEST_STEPS of the translator and more fit, a
    smaller one where they do not, and a larger one where all steps of the book's chain fit even
    there. VarbookError where the time is too short.
    """
    if minutes <= 0:
        raise VarbookError(f"--minutes is a time above 0, not {minutes:g}.")
    if size is not None:
        return _checked(allot(size, minutes, speed(size), adapted))
    base = base_chain()
    sizes = sorted(sizes or sizes_to_try())
    plan = allot(base.image_size, minutes, speed(base.image_size), adapted)
    if plan.translator >= base.cyclevar_training.steps:
        for larger in (side for side in sizes if side > base.image_size):
            other = allot(larger, minutes, speed(larger), adapted)
            if other.translator < base.cyclevar_training.steps:
                break
            plan = other
        return plan
    for smaller in sorted((side for side in sizes if side < base.image_size), reverse=True):
        if plan.translator >= FEWEST_STEPS:
            break
        plan = allot(smaller, minutes, speed(smaller), adapted)
    return _checked(plan)


def _checked(plan: Plan) -> Plan:
    if plan.translator >= FEWEST_STEPS:
        return plan
    third = SHARES["adapted" if plan.adapted else "new"][2]
    overhead = _overhead(plan.held_out, plan.speed)
    needed = (overhead + FEWEST_STEPS * plan.speed.translator / third * 1.1) / 60
    raise VarbookError(
        f"{plan.minutes:g} minutes are too short on this machine: at {plan.size} pixels a "
        f"translator needs about {needed:.0f} or more (--minutes)."
    )
