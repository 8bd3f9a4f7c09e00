"""A question: candidates that compute the same, timed in turns in one process."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry, shape_wrapper

from benchmarks import settings
from benchmarks.timing import compare
from varbook.device import pick_device
from varbook.errors import VarbookError

SLOW = 1.0  # seconds of a candidate


@dataclass(frozen=True)
class Candidate:
    """One way to answer.

    `plain` ones run under the defaults of torch, the others under what the package sets for a whole
    process: see `settings.py`.
    """

    run: Callable[[], Tensor | None]
    precision: str = "float32"  # what it computes in: "float32" or "bfloat16"
    plain: bool = False
    same: bool = True  # its answer must be that of the first candidate

    def __call__(self) -> Tensor | None:
        """Run once, in its precision and under its settings."""
        settings.choose(self.plain)
        with precision_of(self.precision):
            answer = self.run()
            if pick_device().type == "cuda":
                torch.cuda.synchronize()
        return answer


@contextmanager
def precision_of(name: str) -> Iterator[None]:
    """Let the package compute in the precision `name` within this context."""
    before = os.environ.get("VARBOOK_PRECISION")
    os.environ["VARBOOK_PRECISION"] = name
    try:
        yield
    finally:
        os.environ.pop("VARBOOK_PRECISION")
        if before is not None:
            os.environ["VARBOOK_PRECISION"] = before


def autocast(function: Callable[[], Any]) -> Callable[[], Any]:
    """Return `function` under torch's autocast to bfloat16: the plain way to compute in it."""

    def run() -> Any:
        with torch.autocast(pick_device().type, torch.bfloat16):
            return function()

    return run


@dataclass(frozen=True)
class Question:
    """Candidates by name; ratios are to the first of them.

    `tolerance` is the largest difference between answers that should be the same, as a share of the
    first answer's largest value. Token maps, which are whole numbers, may differ in `ties` of the
    places, where two codes are equally near or likely.
    """

    name: str
    candidates: dict[str, Candidate]
    tolerance: float = 1e-3
    ties: float = 1e-3
    traffic: int = 0  # bytes that must at least be read and written, where that bounds the time
    per_call: int = 0  # items that a call makes, for a rate
    # Checked beside the answers: each returns a sentence with what was found.
    checks: Sequence[Callable[[], str]] = ()
    # What to count operations in; None: the first candidate of the package.
    counted: Callable[[], object] | None = None


def difference(first: Tensor, other: Tensor) -> float:
    """Return by how much two answers differ: the largest difference as a share of the largest
    value, or the share of whole numbers that are not equal.
    """
    if not first.is_floating_point():
        return (first != other).float().mean().item()
    scale = first.abs().max().clamp_min(1e-9)
    return ((other.to(first.dtype) - first).abs().max() / scale).item()


def compare_answers(question: Question) -> dict[str, float]:
    """Run every candidate once and return by how much each differs from the first, NaN where it
    need not be the same; VarbookError where it should be and is not.
    """
    answers = {name: candidate() for name, candidate in question.candidates.items()}
    first = next(iter(answers.values()))
    found: dict[str, float] = {}
    for name, answer in answers.items():
        if first is None or answer is None:
            found[name] = float("nan")
            continue
        found[name] = difference(first, answer)
        allowed = question.tolerance if first.is_floating_point() else question.ties
        if question.candidates[name].same and not found[name] <= allowed:
            raise VarbookError(
                f'In "{question.name}" the answer of "{name}" differs by {found[name]:.2g} from the first one; '
                "a time for something else means nothing."
            )
    return found


def take_turns(
    question: Question, seconds: float, least: int = 3, most: int = 15
) -> dict[str, dict]:
    """Time the candidates in turns for about `seconds` and return a row of `compare` for each.

    At least `least` rounds and at most `most`. A round is all plain candidates, then all of the
    package, and every other round goes backwards, so that settings change but once in a round.
    """
    times: dict[str, list[float]] = {name: [] for name in question.candidates}
    order = sorted(question.candidates.items(), key=lambda pair: not pair[1].plain)
    began = time.perf_counter()
    for done in range(most):
        if done >= least and time.perf_counter() - began > seconds:
            break
        for name, candidate in order if done % 2 == 0 else reversed(order):
            if settings.choose(candidate.plain):
                settle(question, candidate.plain, times)
            start = time.perf_counter()
            candidate()
            times[name].append(time.perf_counter() - start)
    return compare(times)


def settle(question: Question, plain: bool, times: dict[str, list[float]]) -> None:
    """After a change of settings: run those candidates once whose settings hold now, untimed, so
    that the memory which they keep is theirs again.

    Of slow ones the first alone, and no plain one: they keep too little for it to matter.
    """
    for number, (name, candidate) in enumerate(
        (name, one) for name, one in question.candidates.items() if one.plain is plain
    ):
        quick = bool(times[name]) and times[name][-1] < SLOW
        if quick or (number == 0 and not plain):
            candidate()


def _fused_attention(q: Any, k: Any, v: Any, *unused: Any, **also_unused: Any) -> int:
    """Two products for each query and key, each of two operations for every channel."""
    return 4 * q[0] * q[1] * q[2] * k[2] * q[3]


def _fused_attention_backward(grad: Any, q: Any, k: Any, *unused: Any, **also_unused: Any) -> int:
    """Five products: the scores once more, and the four gradients."""
    return 5 * _fused_attention(q, k, None) // 2


# What torch's registry does not know: attention's kernel on a CPU.
CPU_KERNELS = {
    "_scaled_dot_product_flash_attention_for_cpu": _fused_attention,
    "_scaled_dot_product_flash_attention_for_cpu_backward": _fused_attention_backward,
}


class FlopCounter(TorchDispatchMode):
    """Counts the floating-point operations of `products` and of `convolutions` while it is entered,
    by torch's own formulas.

    torch's counter itself also follows modules, and fails where a parameter is cut under no_grad.
    """

    def __init__(self) -> None:
        super().__init__()
        self.products = self.convolutions = 0
        known = {
            getattr(torch.ops.aten, name): shape_wrapper(formula)
            for name, formula in CPU_KERNELS.items()
            if hasattr(torch.ops.aten, name)
        }
        self.formulas = {**flop_registry, **known}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation and count it."""
        kwargs = kwargs or {}
        formula = self.formulas.get(func._overloadpacket)
        if formula is None and func is not torch.ops.prim.device.default:
            with self:  # an operation may be made of others that have a formula
                made = func.decompose(*args, **kwargs)
            if made is not NotImplemented:
                return made
        out = func(*args, **kwargs)
        if formula is not None and "conv" in str(func._overloadpacket):
            self.convolutions += formula(*args, **kwargs, out_val=out)
        elif formula is not None:
            self.products += formula(*args, **kwargs, out_val=out)
        return out


def count_flops(question: Question) -> tuple[int, int]:
    """Return the floating-point operations that the package needs for one answer in float32: in
    matrix products, and in convolutions.
    """
    ours = [candidate for candidate in question.candidates.values() if not candidate.plain]
    with precision_of("float32"), FlopCounter() as counter:
        (question.counted or ours[0])()
    return counter.products, counter.convolutions
