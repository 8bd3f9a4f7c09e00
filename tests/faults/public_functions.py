"""Call public functions with good and absurd arguments: each gives a result, or a VarbookError.

    python tests/faults/public_functions.py                      # all, ten minutes together
    python tests/faults/public_functions.py --minutes 1 --only generate

Hypothesis (`pip install hypothesis`) draws the arguments, and looks for the smallest example of
whatever else comes out. It is printed, and makes the exit code 1.
"""

import argparse
import os
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(Path(__file__).parent)]

try:
    from hypothesis import HealthCheck, Phase, given, settings
except ImportError:
    sys.exit("This needs hypothesis: pip install hypothesis.")

from torch import Tensor  # noqa: E402

from varbook.errors import VarbookError  # noqa: E402

MINUTES = 10.0
EXAMPLES = 200  # drawn at a time


@dataclass
class Tally:
    """What became of the calls of one function."""

    results: int = 0
    refusals: int = 0
    faults: dict[str, str] = field(default_factory=dict)  # kind and place -> smallest example


def short(value: object) -> str:
    """Return an argument in a few words: tensors by kind and shape."""
    if isinstance(value, Tensor):
        bad = value.is_floating_point() and not bool(value.isfinite().all())
        few = f" {value.tolist()}" if value.numel() <= 6 else ""
        return f"<{str(value.dtype)[6:]} {tuple(value.shape)}{' not finite' if bad else ''}{few}>"
    if isinstance(value, dict):
        return ", ".join(f"{name}={short(part)}" for name, part in value.items())
    return repr(value)[:200]


def place(error: BaseException) -> str:
    """Return kind, last place in the package, and first line of an error."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "/varbook/" in f.filename]
    spot = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "no place"
    return f"{type(error).__name__} at {spot}: {str(error).splitlines()[0][:100] if str(error) else ''}"


def kind(error: BaseException) -> str:
    """Return what tells two faults apart: as `place`, without the words."""
    return place(error).split(": ")[0]


def tried(call: Callable, strategy: Any, seconds: float) -> Tally:
    """Call a function with what the strategy draws for so long; `call` takes its arguments by name."""
    tally, known, last = Tally(), set(), {}
    end = time.monotonic() + seconds

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
        report_multiple_bugs=False,
        print_blob=False,
    )
    @given(strategy)
    def once(arguments: dict) -> None:
        if time.monotonic() > end:
            return
        try:
            call(**arguments)
            tally.results += 1
        except VarbookError as told:
            tally.refusals += 1
            if "\n" in str(told):
                raise AssertionError(f"more than a line: {told!r}") from None
        except Exception as error:
            if kind(error) not in known:
                last[kind(error)] = f"{place(error)}\n      with {short(arguments)}"
                raise

    while time.monotonic() < end:
        try:
            once()
        except Exception as error:
            known.add(kind(error))
            tally.faults[kind(error)] = last.get(kind(error), place(error))
    return tally


def main() -> int:
    """Run from the command line: 0 where every call gave a result or a VarbookError, else 1."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", help="this function alone")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="for all of them together")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"VARBOOK_HOME": home, "VARBOOK_PROFILE": "smoke", "VARBOOK_BATCH": "1"}
        from arguments_of_functions import functions

        chosen = {n: f for n, f in functions(Path(home)).items() if options.only in (None, n)}
        if not chosen:
            parser.error(f"there is no function {options.only!r} here")
        share = options.minutes * 60 / len(chosen)
        tallies = {name: tried(*function, share) for name, function in chosen.items()}
    for name, tally in tallies.items():
        print(f"{name}: {tally.results} results, {tally.refusals} refusals", flush=True)
        for fault in tally.faults.values():
            print(f"    {fault}")
    calls = sum(tally.results + tally.refusals for tally in tallies.values())
    faults = sum(len(tally.faults) for tally in tallies.values())
    print(f"{len(tallies)} functions, {calls} calls, {faults} kinds of faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
