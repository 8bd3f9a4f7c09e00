"""The profile for SLURM: its settings exist, and a dry run orders the chapters as the book does;
nothing is submitted.
"""

import importlib.util
import os
import subprocess
import sys

import pytest
import yaml

from varbook.paths import repository

PROFILE = repository() / "profiles" / "slurm"
PLUGIN = importlib.util.find_spec("snakemake_executor_plugin_slurm") is not None


def dry_run(*arguments: str) -> str:
    """Return what Snakemake would do for chapters 02 and 03 with the profile."""
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--profile",
        str(PROFILE),
        "--nolock",
        "--dry-run",
        *arguments,
    ]
    environment = os.environ | {
        "PYTHONPATH": str(repository()) + os.pathsep + os.environ.get("PYTHONPATH", "")
    }
    done = subprocess.run(
        [*command, "--config", "profile=paper", "only=02,03"],
        cwd=repository(),
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_the_settings_are_those_of_a_cluster():
    settings = yaml.safe_load((PROFILE / "config.yaml").read_text())
    assert (
        settings["executor"] == "slurm" and settings["keep-going"] and settings["rerun-incomplete"]
    )
    asked = dict(one.split("=", 1) for one in settings["default-resources"])
    assert set(asked) == {"gres", "cpus_per_task", "mem_mb", "runtime"}


# Without the plugin, which only the extra `cluster` brings, Snakemake's own executor of dry runs
# stands in for it.
@pytest.mark.parametrize(
    "arguments",
    [
        ("--executor", "dryrun"),
        pytest.param(
            (),
            marks=pytest.mark.skipif(
                not PLUGIN,
                reason="snakemake-executor-plugin-slurm is not installed: pip install -e '.[cluster]'",
            ),
        ),
    ],
)
def test_a_dry_run_orders_the_chapters_and_asks_for_a_card_each(arguments):
    told = dry_run(*arguments)
    assert told.index("rule notebook_02") < told.index("rule notebook_03") < told.index("rule all")
    assert told.count("gres=gpu:1, cpus_per_task=8, runtime=540") >= 2
    assert "This was a dry-run" in told
    assert not (repository() / "build" / "paper").exists()
