"""Real signals to real processes: a training saves after the step at work and goes on to the same
bits, and every command ends with a sentence and the usual exit code.
"""

import math
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from functools import cache

import pytest
import torch
from at_work import together
from jupyter_client.manager import start_new_kernel
from trainings import TRAININGS, Held, begun, outcome, trained

from varbook import processes
from varbook.errors import ended
from varbook.files import read_json
from varbook.paths import repository
from varbook.signals import Postponed, Stopped, exit_code, stoppable
from varbook.train.keeper import Keeper
from varbook.train.steps import Steps

pytestmark = pytest.mark.usefixtures("usual_signals")

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


@cache
def undisturbed(name: str, folder) -> tuple:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VARBOOK_HOME", str(folder / name))
        patch.setenv("VARBOOK_DEVICE", "cpu")
        patch.setenv("VARBOOK_PRECISION", "float32")
        return outcome(trained(name))


@pytest.fixture
def quiet(monkeypatch, tmp_path, one_thread):
    """A process with the surroundings of those that are begun, and its home."""
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VARBOOK_DEVICE", "cpu")
    monkeypatch.setenv("VARBOOK_PRECISION", "float32")
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def saved_steps(home) -> list[int]:
    return [read_json(notes)["step"] for notes in home.glob("partial/*/state.json")]


@pytest.mark.parametrize(("name", "number"), zip(TRAININGS, [*CODES, *CODES], strict=True), ids=str)
def test_a_training_that_is_asked_to_end_saves_and_goes_on_to_the_same_bits(
    name, number, quiet, tmp_path_factory
):
    held = Held(quiet, 6)
    process = begun(quiet, name, held)
    held.wait()
    os.kill(process.pid, number)
    held.go_on()
    process.join(60)
    assert process.exitcode == CODES[number]
    assert saved_steps(quiet) == [7]
    assert not list(quiet.glob("runs/*"))
    said = (quiet / "said").read_text()
    assert "after step 7 of 24, is saved: the same call resumes from there" in said
    assert len(said.splitlines()) == 1
    first: list[int] = []
    run = trained(name, lambda step, model: first.append(step))
    assert first[0] == 7 and run.source == "trained"
    assert outcome(run) == undisturbed(name, tmp_path_factory.getbasetemp() / "undisturbed")


def test_a_second_signal_ends_at_once_and_saves_nothing(quiet):
    held = Held(quiet, 6)
    process = begun(quiet, "fit_judge", held)
    held.wait()
    os.kill(process.pid, signal.SIGTERM)
    process.join(0.3)
    assert process.is_alive()  # it is still in its step
    os.kill(process.pid, signal.SIGTERM)
    process.join(60)
    assert process.exitcode == 143 and not saved_steps(quiet)


def test_a_program_without_handlers_of_its_own_is_ended_by_the_signal_itself(quiet):
    held = Held(quiet, 6)
    process = begun(quiet, "fit_judge", held, command=False)
    held.wait()
    os.kill(process.pid, signal.SIGTERM)
    held.go_on()
    process.join(60)
    assert process.exitcode == -signal.SIGTERM and saved_steps(quiet) == [7]
    assert "is saved" in (quiet / "said").read_text()


def interrupted(home, number: int):
    """Be asked to end, in the second process alone -> the exit code of each."""
    os.environ["VARBOOK_HOME"] = str(home)

    def after(step, model):
        raise AssertionError("the first process is not asked")

    if processes.rank() == 1:
        original = processes.largest

        def at_step_four(asked: int) -> int:
            at_step_four.calls += 1
            if at_step_four.calls == 4:
                os.kill(os.getpid(), number)
            return original(asked)

        at_step_four.calls = 0
        processes.largest = at_step_four
    try:
        with stoppable():
            trained("fit_judge")
    except KeyboardInterrupt as interrupt:
        return exit_code(interrupt)
    return 0


def test_of_several_processes_all_end_after_the_same_step(tmp_path):
    """The one that was asked notes it during its fourth step, and tells after the fifth."""
    assert together(2, tmp_path, interrupted, tmp_path, signal.SIGTERM) == [143, 143]
    assert saved_steps(tmp_path) == [5]


NOTEBOOK = """
from pathlib import Path
from trainings import Held, trained
trained("fit_judge", Held(Path({home!r}), 6))
"""


def reply_to(client, cell: str) -> dict:
    """Wait for the reply to a cell; a slow start leaves replies to other questions before it."""
    while (reply := client.get_shell_msg(timeout=60))["parent_header"]["msg_id"] != cell:
        pass
    return reply["content"]


@contextmanager
def notebook(home):
    """Start a kernel whose cell trains, held after its seventh step -> (kernel, client, the cell's
    message, held).
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{repository()}{os.pathsep}{repository() / 'tests'}")
        manager, client = start_new_kernel(kernel_name="python3")
    try:
        held = Held(home, 6)
        cell = client.execute(NOTEBOOK.format(home=str(home)))
        held.wait()
        yield manager, client, cell, held
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_in_a_notebook_an_interrupt_stays_one_and_the_state_is_saved(quiet):
    with notebook(quiet) as (manager, client, cell, held):
        manager.interrupt_kernel()
        held.go_on()
        reply = reply_to(client, cell)
        assert reply["ename"] == "KeyboardInterrupt" and "is saved" in reply["evalue"]
        assert saved_steps(quiet) == [7]
        again = client.execute_interactive("1 + 1", timeout=60, output_hook=lambda message: None)
        assert again["content"]["status"] == "ok"  # the kernel lives


def test_a_notebook_that_a_cluster_ends_has_saved_its_state(quiet):
    with notebook(quiet) as (manager, *_, held):
        manager.signal_kernel(signal.SIGTERM)
        held.go_on()
        for _ in range(600):
            if not manager.is_alive():
                break
            time.sleep(0.05)
        assert not manager.is_alive() and saved_steps(quiet) == [7]


WAITING = """
import sys, time
from varbook.errors import ended
def command():
    print("ready", flush=True)
    time.sleep(60)
sys.exit(ended(command))
"""


@pytest.mark.parametrize(("number", "code"), CODES.items())
def test_every_command_ends_with_a_sentence_and_the_usual_code(number, code):
    process = subprocess.Popen(
        [sys.executable, "-c", WAITING],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code
    assert (
        said
        == "varbook: stopped; what was finished is kept, and the next run resumes from there.\n"
    )


def test_handlers_are_those_of_before_afterwards():
    before = {number: signal.getsignal(number) for number in CODES}
    with stoppable(), Postponed():
        assert all(signal.getsignal(number) != before[number] for number in CODES)
    assert {number: signal.getsignal(number) for number in CODES} == before
    assert ended(lambda: 0) == 0
    assert {number: signal.getsignal(number) for number in CODES} == before


def test_what_is_ignored_or_handled_by_the_program_itself_stays_so(monkeypatch):
    heard: list[int] = []
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # nohup
    own = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    try:
        with stoppable(), Postponed() as asked:
            os.kill(os.getpid(), signal.SIGHUP)
            os.kill(os.getpid(), signal.SIGTERM)
            assert asked.number == 0 and heard == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGHUP, before)
        signal.signal(signal.SIGTERM, own)


def test_of_several_processes_a_second_signal_changes_nothing(capfd):
    with stoppable(), Postponed(several=True) as asked:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
            os.kill(os.getpid(), number)
        assert asked.number == signal.SIGTERM
    assert "second" not in capfd.readouterr().err


def test_a_training_that_never_saves_is_not_held_up(tmp_path):
    """As those by which a machine's speed is measured: the signal ends them in the step at work."""
    state = {"layer": torch.nn.Linear(2, 1)}
    steps = Steps("line", 5, state, [], lambda step: 1.0, 0, Keeper(tmp_path, seconds=math.inf))
    with pytest.raises(Stopped), stoppable():
        for _ in steps:
            os.kill(os.getpid(), signal.SIGTERM)
            raise AssertionError("it went on")
    assert steps.step == 0 and not list(tmp_path.iterdir())


def test_outside_of_the_main_thread_nothing_is_handled():
    found = []

    def work():
        with stoppable(), Postponed():
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.SIG_DFL]
