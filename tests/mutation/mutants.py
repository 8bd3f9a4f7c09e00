"""Harm the code in one small way after the other, and see whether a test notices.

    python tests/mutation/mutants.py                    # all that have no verdict yet, then the table
    python tests/mutation/mutants.py --only 3,17        # these alone, again
    python tests/mutation/mutants.py --minutes 5        # as many as fit; the next call goes on
    python tests/mutation/mutants.py --table            # docs/mutants.md from the verdicts that are there

mutants.toml beside this lists them: a file below varbook/, what the harm means, the text and what is
put in its place. Each is tried in a copy of the checkout, against the unit tests of its file and
those that it names. `survives` says why no test can notice one that changes nothing.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VERDICTS = ROOT / "build" / "mutants.json"
TABLE = ROOT / "docs" / "mutants.md"
COPIED = ("varbook", "tests", "data_scripts", "benchmarks")
LINKED = ("notebooks", "figures", "docs", "profiles", "shared")
LONGEST = 600  # seconds for the tests of one mutant
SLOW = "thousand_steps"  # a test that takes minutes and looks at what shorter ones look at
KILLED, SURVIVED, ENDLESS = "killed", "survived", "ran too long"


@dataclass(frozen=True)
class Mutant:
    """One harm: `old` becomes `new` in a file of the package."""

    file: str
    what: str
    old: str
    new: str
    tests: tuple[str, ...]
    survives: str = ""

    @property
    def key(self) -> str:
        """What a verdict is kept under: another text, or other tests, is another mutant."""
        text = json.dumps([self.file, self.old, self.new, self.tests])
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def harmed(self, root: Path) -> str:
        """Return the file's text with the harm done; ValueError where it is not there once."""
        text = (root / "varbook" / self.file).read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.file} holds {self.old!r} {text.count(self.old)} times")
        return text.replace(self.old, self.new)


def read_mutants() -> list[Mutant]:
    """Return the table of mutants; the first test is that of the file itself."""
    table = tomllib.loads((Path(__file__).parent / "mutants.toml").read_text(encoding="utf-8"))
    mutants = []
    for row in table["mutants"]:
        own = f"tests/test_{row['file'].replace('/', '_')}"
        tests = ([own] if (ROOT / own).is_file() else []) + row.pop("tests", [])
        mutants.append(Mutant(tests=tuple(tests), **row))
    return mutants


def copy_checkout(folder: Path) -> Path:
    """Copy what tests run on into `folder`; what they only read is linked."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            skip = shutil.ignore_patterns("__pycache__", "shipped")
            shutil.copytree(ROOT / name, folder / name, ignore=skip)
    (folder / "varbook" / "shipped").symlink_to(ROOT / "varbook" / "shipped")
    for entry in ROOT.iterdir():
        if entry.name in LINKED:
            (folder / entry.name).symlink_to(entry)
        elif entry.is_file() and not entry.name.startswith(".git"):
            shutil.copy(entry, folder / entry.name)
    return folder


def run_tests(copy: Path, tests: tuple[str, ...]) -> tuple[str, str]:
    """Return (verdict, the first test that fails) of some test files in a copy."""
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    command += ["-k", f"not {SLOW}", *tests]
    env = dict(os.environ) | {
        "PYTHONPATH": str(copy),
        "VARBOOK_PROFILE": "smoke",
        "VARBOOK_BATCH": "1",
        "VARBOOK_HOME": str(copy / "home"),
    }
    try:
        done = subprocess.run(
            command, cwd=copy, env=env, capture_output=True, text=True, timeout=LONGEST
        )
    except subprocess.TimeoutExpired:
        return ENDLESS, ""
    if done.returncode == 0:
        return SURVIVED, ""
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return KILLED, failed[0].split(" - ")[0].split("::")[-1] if failed else "does not run"


def try_mutants(mutants: list[Mutant], verdicts: dict, minutes: float) -> None:
    """Try each mutant and keep its verdict, until the time is over."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        copy = copy_checkout(Path(name))
        for number, mutant in enumerate(mutants):
            if time.monotonic() - began > 60 * minutes:
                print(f"{len(mutants) - number} are left: run the same command again")
                return
            file = copy / "varbook" / mutant.file
            whole = file.read_text(encoding="utf-8")
            for test in mutant.tests:  # a test that fails anyway would notice everything
                if test not in verdicts["whole"]:
                    verdicts["whole"][test] = run_tests(copy, (test,))[0] == SURVIVED
                if not verdicts["whole"][test]:
                    raise SystemExit(f"{test} fails without any mutant: mend that first")
            file.write_text(mutant.harmed(copy), encoding="utf-8")
            verdict = run_tests(copy, mutant.tests)
            file.write_text(whole, encoding="utf-8")
            verdicts[mutant.key] = verdict
            VERDICTS.parent.mkdir(exist_ok=True)
            VERDICTS.write_text(json.dumps(verdicts, indent=1), encoding="utf-8")
            print(f"{verdict[0]:<9} {mutant.file}: {mutant.what} ({verdict[1]})", flush=True)


def write_table(mutants: list[Mutant], verdicts: dict) -> int:
    """Write docs/mutants.md; return how many survived without a reason."""
    rows, unexplained = [], 0
    found = [(mutant, *verdicts[mutant.key]) for mutant in mutants if mutant.key in verdicts]
    for number, (mutant, verdict, test) in enumerate(found, 1):
        unexplained += verdict == SURVIVED and not mutant.survives
        told = test.replace("test_", "", 1).replace("_", " ") if test else mutant.survives or "-"
        rows.append(f"| {number} | `{mutant.file}` | {mutant.what} | {verdict} | {told} |")
    killed = sum(verdict != SURVIVED for _, verdict, _ in found)
    TABLE.write_text(
        "# Which harms the tests notice\n\n"
        "Each row is one small change to the code, tried against the unit tests of that file (`make mutants`;\n"
        f"`tests/mutation/mutants.toml`). {killed} of {len(found)} are noticed; of the others each row says why not.\n\n"
        "| # | file | harm | verdict | first test that fails, or why none can |\n|---|---|---|---|---|\n"
        + "\n".join(rows)
        + "\n",
        encoding="utf-8",
    )
    print(f"{killed} of {len(found)} are noticed, {unexplained} survive without a reason")
    return unexplained


def main() -> int:
    """Run the command; 1 where a mutant survives for which no reason is given."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--only", help="numbers of rows, from 1: 3,17")
    parser.add_argument("--minutes", type=float, default=1e9, help="stop after so many")
    parser.add_argument("--table", action="store_true", help="write the table, try nothing")
    options = parser.parse_args()
    mutants = read_mutants()
    verdicts = json.loads(VERDICTS.read_text(encoding="utf-8")) if VERDICTS.is_file() else {}
    verdicts.setdefault("whole", {})
    if not options.table:
        asked = [int(part) - 1 for part in options.only.split(",")] if options.only else None
        todo = (
            [mutants[n] for n in asked] if asked else [m for m in mutants if m.key not in verdicts]
        )
        try_mutants(todo, verdicts, options.minutes)
    return 1 if write_table(mutants, verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
