"""The command as a whole: it answers at once, explains itself, and ends every fault in a sentence."""

import errno
import subprocess
import sys
import tomllib

import pytest

import varbook
from varbook.cli import main
from varbook.errors import ended
from varbook.paths import check_writable, repository

QUICK = """
import sys
from varbook.cli.main import COMMANDS, main, make_parser
make_parser()
edits = [["edit", name] for name in ("refine", "inpaint", "outpaint", "extend")]
for command in ([], *([name] for name in COMMANDS), *edits):
    try:
        main([*command, "--help"])
    except SystemExit as end:
        assert end.code == 0, command
slow = {"torch", "numpy", "PIL", "matplotlib", "nbformat"} & set(sys.modules)
assert not slow, slow
"""


def test_the_help_of_every_command_needs_nothing_slow_and_shows_examples():
    done = subprocess.run([sys.executable, "-c", QUICK], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("examples:\n") == 11
    for command in main.COMMANDS:
        assert f"  varbook {command}" in done.stdout


def test_without_a_command_the_help_is_shown(capsys):
    assert main.main([]) == 0
    assert "COMMAND" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["paint"], ["translate", "a", "b", "--colour"], ["edit", "erase", "a.png"]]
)
def test_a_wrong_word_is_told_in_one_sentence(arguments, capsys):
    assert main.main(arguments) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1 and "--help`." in told


def test_the_command_is_installed_under_its_name_and_the_old_one_and_runs_as_a_module():
    scripts = tomllib.loads((repository() / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts == {
        "varbook": "varbook.cli.main:main",
        "varbook-translate": "varbook.cli.translate:main",
    }
    done = subprocess.run(
        [sys.executable, "-m", "varbook", "--version"], capture_output=True, text=True
    )
    assert done.returncode == 0 and done.stdout.startswith("varbook ")


def refuse(code: int):
    def command() -> int:
        raise OSError(code, "as the system says it", "the/place")

    return command


@pytest.mark.parametrize(
    "code, told",
    [
        (errno.ENOSPC, "the/place cannot be used: no space is left there"),
        (errno.EACCES, "the/place cannot be used: there is no right to do so"),
        (errno.EROFS, "the disk is read-only"),
        (errno.ENOMEM, "the memory does not suffice; end other programs"),
        (errno.EIO, "the/place cannot be used: as the system says it."),
    ],
)
def test_what_the_system_refuses_is_told_in_one_sentence(code, told, capsys):
    assert ended(refuse(code)) == 2
    said = capsys.readouterr().err
    assert told in said and len(said.splitlines()) == 1


def test_an_interrupt_ends_with_130(capsys):
    def command() -> int:
        raise KeyboardInterrupt

    assert ended(command) == 130
    assert "stopped" in capsys.readouterr().err


def test_of_processes_started_together_one_tells_the_fault(capsys, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    assert ended(refuse(errno.ENOSPC)) == 2
    assert not capsys.readouterr().err


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch, capsys):
    monkeypatch.delenv("VARBOOK_HOME", raising=False)
    monkeypatch.setattr(
        "pathlib.Path.expanduser", lambda path: (_ for _ in ()).throw(RuntimeError())
    )
    assert main.main(["translate", "--list"]) == 2
    assert "set VARBOOK_HOME to a folder that can be written" in capsys.readouterr().err


@pytest.mark.parametrize("error", [KeyError, OSError])
def test_a_user_without_a_name_gets_a_cache_for_torch(monkeypatch, error):
    environment: dict[str, str] = {}
    monkeypatch.setattr(varbook.os, "environ", environment)
    monkeypatch.setattr("getpass.getuser", lambda: "me")
    varbook.name_torch_s_cache()
    assert not environment  # who has a name is left to torch

    def nobody():
        raise error("uid not found")

    monkeypatch.setattr("getpass.getuser", nobody)
    varbook.name_torch_s_cache()
    (folder,) = environment.values()
    assert list(environment) == ["TORCHINDUCTOR_CACHE_DIR"]
    assert folder.endswith(f"torchinductor_{varbook.os.getuid()}")
    environment["TORCHINDUCTOR_CACHE_DIR"] = "mine"
    varbook.name_torch_s_cache()
    assert environment["TORCHINDUCTOR_CACHE_DIR"] == "mine"


def test_a_folder_is_writable_or_says_why(tmp_path):
    assert check_writable(tmp_path / "new" / "folder").is_dir()
    (tmp_path / "file").touch()
    needed = "file cannot be written: a file stands where a folder is needed"
    with pytest.raises(ValueError, match=f"{needed}; name another place.$"):
        check_writable(tmp_path / "file")
    with pytest.raises(ValueError, match=f"{needed}; ask for another.$"):  # and no second advice
        check_writable(tmp_path / "file", "ask for another")


def test_a_home_that_cannot_be_written_is_told_before_any_training(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setenv("VARBOOK_HOME", str(tmp_path / "file"))
    assert main.main(["train", "--model", "toy-judge", "--profile", "smoke"]) == 2
    assert "name another folder in VARBOOK_HOME" in capsys.readouterr().err


def test_the_book_needs_its_checkout(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("varbook.paths.repository", lambda: tmp_path)
    assert main.main(["figures", "--only", "01"]) == 2
    told = capsys.readouterr().err
    assert "clone the repository" in told and len(told.splitlines()) == 1


def test_a_chapter_that_is_not_there_is_told(capsys):
    assert main.main(["figures", "--only", "99"]) == 2
    assert 'no chapter "99"' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["translate", "a", "b"], "give a smaller --batch"),
        (["generate"], "give a smaller --size"),
        (["edit", "refine", "a.png"], "take a smaller picture"),
        (["train", "--list"], "a smaller --size"),
    ],
)
def test_too_little_memory_is_told_with_what_to_lower(arguments, advice, monkeypatch, capsys):
    def starve(options) -> int:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate")

    monkeypatch.setattr(main.module_of(arguments[0]), "run", starve)
    assert main.main(arguments) == 2
    told = capsys.readouterr().err
    assert f"varbook {arguments[0]} needs more memory than there is: " in told and advice in told
    assert len(told.splitlines()) == 1


def test_a_command_of_its_own_tells_too_little_memory_too(monkeypatch, capsys):
    def starve(options) -> int:
        raise MemoryError

    module = main.module_of("translate")
    monkeypatch.setattr(module, "run", starve)
    assert module.main(["a", "b"]) == 2
    assert "give a smaller --batch" in capsys.readouterr().err


def test_a_fault_of_the_program_keeps_its_traceback():
    def command() -> int:
        raise RuntimeError("sizes do not match")

    with pytest.raises(RuntimeError, match="sizes do not match"):
        ended(command)
