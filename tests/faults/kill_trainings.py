"""Kill small trainings of all six loops at many moments, and see whether they go on to the same bits.

    python tests/faults/kill_trainings.py                       # all, 20 moments each; docs/faults.md
    python tests/faults/kill_trainings.py --only fit_judge --moments 4      # prints, and writes nothing

Each training saves after every step, which is the worst case: half of the kills (SIGKILL) fall while
a file is half written, the others anywhere. Each is then begun once more and runs to its end.
"""

import argparse
import platform
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from multiprocessing.process import BaseProcess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import torch  # noqa: E402
from trainings import STEPS, TRAININGS, begun  # noqa: E402

from varbook.files import peek_json, read_json  # noqa: E402

TABLE = ROOT / "docs" / "faults.md"
MOMENTS = 20
LONGEST = 120  # seconds that a small training may take
TRIES = 5  # at one moment: a training may be over before the kill
HEADING = "## Trainings that are killed"  # from here on the page is written anew
INTRODUCTION = """

Each loop trains a small model of {steps} steps that saves after every one, and is killed (SIGKILL) at {moments} moments over
its course: half of them while a file of a save is half written, half anywhere. It is then begun once more. *saved*: a state was
there to go on from. *same bits*: weights and curve equal those of a training that nobody disturbed. *files left*: half-written
files, locks and states that are there after the end. Made by `make faults` with torch {torch} on {system}.

"""


@dataclass
class Tried:
    """What became of one loop: how many kills, and of how many of them what is named."""

    kills: int = 0
    saved: int = 0  # a state was there to go on from
    within_a_save: int = 0
    same_bits: int = 0
    files_left: int = 0


def state_step(home: Path) -> int:
    """Return the step of the saved state below `home`, 0 without one."""
    notes = [peek_json(file) for file in home.glob("partial/*/state.json")]
    return max((int(note.get("step", 0)) for note in notes), default=0)


def half_written(home: Path) -> list[Path]:
    """Return the files that are being written below `home`, or were when their writer died."""
    return list(home.rglob(".*.varbook"))


def kept(home: Path) -> tuple:
    """Return the digest of the weights and the curve of the finished run below `home`."""
    (record,) = (read_json(file) for file in home.glob("runs/*.json"))
    return record["sha256"], record["curve"]


def until(process: BaseProcess, moment: Callable[[], object]) -> None:
    """Wait for a moment, or the end of the process."""
    end = time.monotonic() + LONGEST
    while process.is_alive() and not moment() and time.monotonic() < end:
        time.sleep(0.0003)


def killed(name: str, home: Path, step: int, within: bool, dice: random.Random) -> bool:
    """Train, and kill the process some time after its state of `step`, `within` a save or anywhere;
    say whether it was still alive.
    """
    process = begun(home, name, seconds=0)
    until(process, lambda: state_step(home) >= step)
    if within:
        until(process, lambda: half_written(home))
    else:
        time.sleep(dice.uniform(0, 0.05))
    process.kill()
    process.join()
    return process.exitcode == -signal.SIGKILL


def tried(name: str, moments: int, say: Callable[[str], None] = print) -> Tried:
    """Kill the training of a loop at `moments` moments, each time from its beginning."""
    result, dice = Tried(), random.Random(name)
    with tempfile.TemporaryDirectory() as folder:
        undisturbed = finished(name, Path(folder))
    for moment in range(moments):
        for _ in range(TRIES):
            with tempfile.TemporaryDirectory() as folder:
                home = Path(folder)
                if not killed(name, home, moment * STEPS // moments, moment % 2 == 1, dice):
                    continue
                step, within = state_step(home), bool(half_written(home))
                same = finished(name, home) == undisturbed
                left = [*half_written(home), *home.rglob("*.lock"), *home.glob("partial/*/*")]
            say(f"{name}, killed after step {step}: {'the same' if same else 'OTHER BITS'}")
            result.kills += 1
            result.saved += step > 0
            result.within_a_save += within
            result.same_bits += same
            result.files_left += len(left)
            break
    return result


def finished(name: str, home: Path) -> tuple:
    """Train to the end in a process of its own, and return what is kept; () where it failed."""
    process = begun(home, name)
    process.join(LONGEST)
    if process.exitcode != 0:
        process.kill()
        return ()
    return kept(home)


def lines(rows: dict[str, Tried]) -> Iterator[str]:
    """Yield the lines of the table."""
    names = [field.name for field in fields(Tried)]
    yield f"| loop | {' | '.join(name.replace('_', ' ') for name in names)} |"
    yield "|---" * (len(names) + 1) + "|"
    for name, row in rows.items():
        yield f"| `{name}` | {' | '.join(str(getattr(row, part)) for part in names)} |"


def main() -> int:
    """Run from the command line: 0 when every training went on to the same bits, else 1."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", choices=TRAININGS, help="this loop alone")
    parser.add_argument("--moments", type=int, default=MOMENTS, help="kills of each loop")
    options = parser.parse_args()
    rows = {}
    for name in [options.only] if options.only else TRAININGS:
        rows[name] = tried(name, options.moments)
    table = "\n".join(lines(rows)) + "\n"
    print(table)
    if not options.only and options.moments == MOMENTS:
        facts = {"torch": torch.__version__.split("+")[0], "system": platform.system()}
        introduction = INTRODUCTION.format(steps=STEPS, moments=MOMENTS, **facts)
        above = TABLE.read_text(encoding="utf-8").split(HEADING)[0]
        TABLE.write_text(above + HEADING + introduction + table, encoding="utf-8")
    good = all(
        row.same_bits == row.kills and row.kills and not row.files_left for row in rows.values()
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
