"""Runs a reader's function and says what differs, and which common mistake it looks like."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Case:
    """One call of the reader's function."""

    given: tuple  # its arguments
    # What it should return, or a function that says in words what is wrong with an answer ("" for
    # nothing).
    wanted: object
    told: str  # what the call is about, for a message: "scores of 1000"


@dataclass(frozen=True)
class Mistake:
    """A common mistake: a function that makes it, and what to think of."""

    function: Callable
    hint: str


def try_out(
    name: str, function: object, cases: Sequence[Case], mistakes: Sequence[Mistake] = ()
) -> None:
    """Print how a reader's function does: not answered yet, right, or what is wrong, with a hint
    where it is one of `mistakes`.

    Nothing is raised, whatever the function does, so that a notebook runs on.
    """
    if not callable(function):
        print(f"{name}: not yet\n  pass the function itself, not what it returns")
        return
    answers: list[object] = []
    fault = ""
    for case in cases:
        try:
            answers.append(function(*_copies(case.given)))
            here = _fault(answers[-1], case.wanted)
        except Exception as error:  # a reader's code may raise anything; the notebook runs on
            answers.append(None)
            here = f"it stops with {type(error).__name__}: {error}"
        if len(answers) == 1 and answers[0] is None and not here.startswith("it stops"):
            print(f"{name}: not answered yet")
            return
        fault = fault or (here and f"{case.told}: {here}")
    if not fault:
        print(f"{name}: right")
        return
    print(f"{name}: not yet\n  {fault}")
    for mistake in mistakes:
        if all(_same(_of(mistake, case), a) for case, a in zip(cases, answers, strict=True)):
            print(f"  {mistake.hint}")
            return


def _copies(given: tuple) -> tuple:
    """Return arguments that the reader may overwrite."""
    return tuple(_copy(x) for x in given)


def _copy(x: object) -> object:
    if isinstance(x, list):
        return [_copy(one) for one in x]
    return x.clone() if torch.is_tensor(x) else x


def _of(mistake: Mistake, case: Case) -> object:
    try:
        return mistake.function(*_copies(case.given))
    except Exception:  # as the reader's function would
        return None


def _fault(answer: object, wanted: object) -> str:
    """Return what is wrong with an answer in words: its kind, its shape, or how far it is off."""
    if callable(wanted):
        return str(wanted(answer))
    if isinstance(wanted, (list, tuple)):
        return _fault_of_list(answer, wanted)
    if wanted is None or answer is None:
        return "" if wanted is answer else f"got {_told(answer)}, wanted {_told(wanted)}"
    if not _is_number(answer) or torch.is_tensor(wanted) and not torch.is_tensor(answer):
        return f"got {_told(answer)}, wanted {_told(wanted)}"
    got, right = torch.as_tensor(answer), torch.as_tensor(wanted)
    if got.shape != right.shape:
        return f"got shape {tuple(got.shape)}, wanted {tuple(right.shape)}"
    if _same(got, right):
        return ""
    off = (got.double() - right.double()).abs().max().item()
    if off != off:
        return "got numbers that are not numbers (nan)"
    if got.ndim:
        return f"the largest difference is {off:.3g}"
    return f"got {got.item():g}, wanted {right.item():g}"


def _fault_of_list(answer: object, wanted: Sequence) -> str:
    if not isinstance(answer, (list, tuple)):
        return f"got {_told(answer)}, wanted a list of {len(wanted)}"
    if len(answer) != len(wanted):
        return f"got a list of {len(answer)}, wanted a list of {len(wanted)}"
    faults = ((k, _fault(a, b)) for k, (a, b) in enumerate(zip(answer, wanted, strict=True)))
    return next((f"entry {k} (from 0): {fault}" for k, fault in faults if fault), "")


def _is_number(answer: object) -> bool:
    return torch.is_tensor(answer) or isinstance(answer, (int, float))


def _told(answer: object) -> str:
    if torch.is_tensor(answer):
        return f"a tensor of shape {tuple(answer.shape)}"
    if answer is None or _is_number(answer):
        return str(answer)
    return f"a {type(answer).__name__}"


def _same(a: object, b: object) -> bool:
    """Say whether two answers are equal but for rounding; nan equals nan."""
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
    if a is None or b is None or not (_is_number(a) and _is_number(b)):
        return a is b
    x, y = (torch.as_tensor(one).double() for one in (a, b))
    return x.shape == y.shape and torch.allclose(x, y, rtol=1e-4, atol=1e-5, equal_nan=True)


def faults_of_tensor(answer: object, shape: tuple[int, ...]) -> str:
    """Return what keeps an answer from being a tensor of finite numbers of `shape`, "" for nothing."""
    if not isinstance(answer, Tensor):
        return f"got {_told(answer)}, wanted a tensor of shape {shape}"
    if answer.shape != shape:
        return f"got shape {tuple(answer.shape)}, wanted {shape}"
    return "" if bool(answer.isfinite().all()) else "got numbers that are not numbers, or infinite"
