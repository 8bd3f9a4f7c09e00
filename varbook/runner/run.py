"""Run the book: check the parameters, let Snakemake run the notebooks, write the report."""

import argparse
import base64
import contextlib
import fcntl
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from varbook import locks
from varbook.book.claims.registry import of_chapter
from varbook.book.models.profile_names import chosen_profile
from varbook.config import check_seed
from varbook.cores import cores, may_replace, thread_count
from varbook.errors import VarbookError, ended
from varbook.files import peek_json, read_json, remove_temporaries, write_json
from varbook.paths import (
    check_checkout,
    check_data_place,
    check_writable,
    figures,
    home,
    only_in,
    published,
    repository,
    weights_places,
)
from varbook.runner import guard, pages, parameters, plan, publish
from varbook.runner.options import add_arguments


def given_values(
    settings: Sequence[str], chosen: Sequence[plan.Node]
) -> dict[str, dict[str, object]]:
    """Return node name -> {parameter: value} for settings "name=value".

    A setting goes to every chosen notebook that has such a parameter. Raises VarbookError for a
    setting without "=", a name that no chosen notebook has, and a value that is not of the
    parameter's type.
    """
    known = {node.name: parameters.of_notebook(node.path) for node in chosen}
    values: dict[str, dict[str, object]] = {name: {} for name in known}
    for setting in settings:
        name, equals, text = setting.partition("=")
        name = name.strip()
        if not equals:
            raise VarbookError(f"--set {setting!r} has no value; write --set name=value.")
        takers = [node for node, cell in known.items() if name in cell]
        if not takers:
            names = sorted({parameter for cell in known.values() for parameter in cell})
            raise VarbookError(
                f"No notebook among {', '.join(known)} has a parameter {name!r}; "
                f"they have: {', '.join(names) or 'none'}."
            )
        for taker in takers:
            value = parameters.convert(known[taker][name], text)
            # What every chapter takes is held against what it may be, too.
            if name == "seed":
                check_seed(value)
            elif name == "profile_name" and value:
                chosen_profile(str(value))
            values[taker][name] = value
    return values


def at_a_time(profile_name: str, jobs: int | None) -> int:
    """Return how many notebooks run at a time: `jobs`, else several of smoke, which compute with one
    thread each, and one elsewhere, which has the machine.
    """
    return max(1, jobs or (min(4, cores()) if profile_name == "smoke" else 1))


def environment(profile_name: str, retrain: bool, jobs: int = 1) -> dict[str, str]:
    """Return the environment of every notebook: this checkout, this Python's kernel, batch mode, and
    the profile's number of threads, however many notebooks (`jobs`) run at a time.
    """
    count = thread_count(profile_name)
    env = dict(os.environ)
    here = str(Path(sys.prefix) / "bin")
    paths = [str(repository()), *filter(None, [env.get("PYTHONPATH")])]
    env.update(
        PATH=os.pathsep.join([here, env.get("PATH", "")]),
        PYTHONPATH=os.pathsep.join(paths),  # so that a shared environment serves any checkout
        # Its own kernel, not one of the user's folder.
        JUPYTER_PATH=str(Path(sys.prefix) / "share" / "jupyter"),
        IPYTHONDIR=str(plan.build() / "ipython"),
        PYDEVD_DISABLE_FILE_VALIDATION="1",
        VARBOOK_BATCH="1",
        VARBOOK_PROFILE=profile_name,
        # For what reads it when it starts: OpenMP, and NumPy's products.
        VARBOOK_THREADS=str(count),
        OMP_NUM_THREADS=str(count),
    )
    if jobs * count > cores():
        # Notebooks share the cores: a thread that waits for others of its own must not keep one.
        env.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if retrain:
        # The start of this run: what was trained before it is trained again, what it trains itself
        # is not.
        env["VARBOOK_RETRAIN"] = str(int(time.time()))
    return env


def snakemake(
    mode: str, profile_name: str, options: argparse.Namespace, values: Mapping, lock: int
) -> int:
    """Call Snakemake on the chosen notebooks and return its exit code; its messages go to build/.

    All that it starts ends with this process, and holds the `lock` (a descriptor) until then.
    """
    jobs = at_a_time(profile_name, options.jobs)
    # Base64, so that quotes and spaces in a value survive the shell of a job.
    encoded = {
        name: base64.b64encode(json.dumps(parameters_given).encode()).decode()
        for name, parameters_given in values.items()
        if parameters_given
    }
    config = {
        "mode": mode,
        "profile": profile_name,
        "only": options.only or "",
        "solutions": options.solutions,
        "values": encoded,
        "runner": True,
    }
    config_file = plan.build() / "config.json"
    config_file.write_text(json.dumps(config, sort_keys=True), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--snakefile",
        str(repository() / "Snakefile"),
        "--directory",
        str(plan.build()),
        "--configfile",
        str(config_file),
        "--cores",
        str(jobs * thread_count(profile_name)),
        "--keep-going",
        "--rerun-incomplete",
        "--nolock",
        "--quiet",
        "all",
    ]
    if options.force or options.retrain or mode == "check":
        command.append("--forceall")
    log = plan.build() / "snakemake.log"
    with log.open("w", encoding="utf-8") as messages:
        return guard.run(
            command,
            str(plan.build()),
            env=environment(profile_name, options.retrain, jobs),
            cwd=repository(),
            stdout=sys.stdout,
            stderr=messages,
            lock=lock,
        )


def clean_up() -> None:
    """End the processes and remove the half-written files that an earlier run left: it was killed."""
    left = guard.end_all(str(plan.build()))
    if left:
        print(f"Ended {left} processes that an earlier run had left.", file=sys.stderr)
    states = home() / "partial"
    made = (plan.build(), figures(), published(), repository() / "notebooks")
    for folder in (*made, home() / "runs", states):
        remove_temporaries(folder)
    locks.remove_dead(states.glob("*.lock"))


def owing(mode: str, profile_name: str, chosen: Sequence[plan.Node]) -> list[plan.Node]:
    """Return the notebooks of which a result is not in `figures()`, whatever their outcome says."""
    folder = figures() / profile_name
    rows = {node: of_chapter(node.name) for node in chosen if mode != "check"}
    return [
        node
        for node, made in rows.items()
        if not all((folder / f"{row.id}.json").is_file() for row in made)
    ]


def note_times(
    mode: str, profile_name: str, chosen: Sequence[plan.Node], since: float, retrain: bool
) -> None:
    """Write the measured minutes of the notebooks that ran now to times.json in `figures()`, with
    how busy the machine was; those of a busy one never over those of a quiet one.
    """
    path = figures() / profile_name / "times.json"
    times = {name: row for name, row in peek_json(path).items() if isinstance(row, dict)}
    minutes, load = ("retrain_minutes", "retrain_load") if retrain else ("minutes", "load")
    for node in chosen:
        state = plan.state_file(mode, profile_name, node)
        if (
            not plan.outcome(mode, profile_name, node)
            or state.stat().st_mtime < since
            or node.solutions
        ):
            continue
        now, row = peek_json(state).get("load", {}), times.setdefault(node.name, {})
        if minutes in row and not may_replace(now, row.get(load, {})):
            continue
        notebook = read_json(plan.executed(mode, profile_name, node))
        row[minutes] = round(notebook["metadata"]["papermill"]["duration"] / 60, 1)
        row[load] = now
    if times:
        write_json(path, times)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the command line as options."""
    parser = argparse.ArgumentParser(prog="python -m varbook.runner.run", description=__doc__)
    add_arguments(parser)
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> int:
    """Check everything that can be checked, run the notebooks, and return the exit code."""
    check_checkout()
    name = chosen_profile(options.profile)
    mode = "check" if options.check else "publish" if options.publish else "figures"
    chosen = plan.nodes(options.only, options.solutions)
    if not chosen:
        raise VarbookError("There is no notebook in notebooks/ yet, so there is nothing to run.")
    if options.status:
        code, text = plan.summary(mode, name, chosen)
        print(text, file=sys.stderr)
        return code
    values = given_values(options.set, chosen)
    if options.publish and options.set:
        raise VarbookError(
            "What is published comes from the notebooks' own parameters: leave out --set or "
            "--publish."
        )
    if not options.publish and figures().resolve() == published().resolve():
        raise VarbookError(
            "VARBOOK_FIGURES names the figures that come with the book, which a run leaves alone: "
            "name another folder, or unset it."
        )
    with only_in(published()) if options.publish else contextlib.nullcontext():
        return _run_checked(mode, name, options, chosen, values)


def _run_checked(
    mode: str, name: str, options: argparse.Namespace, chosen: list[plan.Node], values: dict
) -> int:
    elsewhere = "work in a copy of the checkout that can be written"
    check_writable(plan.build(), elsewhere)
    remedy = elsewhere if mode == "publish" else "name another folder in VARBOOK_FIGURES"
    check_writable(figures(), remedy)
    check_writable(home(), "name another folder in VARBOOK_HOME")
    check_data_place()
    weights_places()
    # The system frees this lock once this process and all that it started have ended.
    with (plan.build() / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise VarbookError(
                "Another run of this checkout is under way; wait for it or stop it."
            ) from error
        clean_up()
        return _run_locked(mode, name, options, chosen, values, lock.fileno())


def _run_locked(
    mode: str,
    name: str,
    options: argparse.Namespace,
    chosen: list[plan.Node],
    values: dict,
    lock: int,
) -> int:
    since = time.time()
    plan.forget(mode, name, chosen, failed_only=mode != "check")
    plan.forget(mode, name, owing(mode, name, chosen), failed_only=False)
    before = publish.timed_results(name, chosen) if mode == "publish" else {}
    code = snakemake(mode, name, options, values, lock)
    failed, text = plan.summary(mode, name, chosen)
    if code and not failed:
        text += f"\nSnakemake stopped with code {code}: see build/snakemake.log"
    if mode != "check":
        note_times(mode, name, chosen, since - 1, options.retrain)
    if mode == "publish":
        held = publish.keep_quiet_times(name, before)
        publish.write_back(name, chosen, held)
        text += f"\n{publish.told(held)}" if held else ""
        code = code or bool(held)
    if mode != "check":
        text = f"{pages.written(mode, name, chosen)}\n{text}"
    print(text)
    return 1 if failed or code else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; return 0, 1 when a notebook failed, 2 when the request is wrong."""
    return ended(lambda: run(parse(arguments)))


if __name__ == "__main__":
    sys.exit(main())
