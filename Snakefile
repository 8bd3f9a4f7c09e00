# The order of the notebooks, which of them are up to date, and which still run after a failure. `make figures` and
# `make test` call it through varbook/runner/run.py, which checks every parameter first; from an activated environment it
# also runs by itself:
#     snakemake --cores 2 --keep-going --config profile=smoke
# and with one of Snakemake's executor plugins on a cluster.
#
# Why the stack is this tall (make, run.py, Snakemake, papermill) for a few dozen notebooks: Snakemake takes the same rules to
# SLURM or Kubernetes, where each chapter is a job with a card of its own and waits for the chapters whose checkpoints it
# loads. On one machine a loop would do; but the papers' sizes need a cluster, and two ways to run the book would drift
# apart. run.py stands before it because Snakemake would find a mistyped parameter only when its notebook starts, hours
# later; parameters travel as base64 because they cross a shell on another machine.
#
# A rule notes whether its notebook ended well instead of failing itself: the chapters after a failure then still run
# (each trains what it needs and does not find), the failed notebook is kept, and rule `all` fails at the end.
import os
import shlex
import sys
from pathlib import Path

ROOT = Path(workflow.basedir)
sys.path.insert(0, str(ROOT))

from varbook.cores import thread_count
from varbook.runner import plan
from varbook.runner.depends import Dependencies

MODE = config.get("mode", "figures")  # "figures" and "publish": papermill; "check": nbval
PROFILE = config.get("profile") or os.environ.get("VARBOOK_PROFILE") or "laptop"
VALUES = config.get("values", {})  # notebook -> parameters, JSON in base64
NODES = plan.nodes(str(config.get("only", "")) or None, bool(config.get("solutions", False)))
# The same choice of notebooks for the last step, which says how they ended.
STATUS = " ".join(
    [f"--only {','.join(sorted({node.chapter for node in NODES}))}"]
    + [f"--{MODE}"] * (MODE != "figures")
    + ["--solutions"] * any(node.solutions for node in NODES)
)
DEPENDS = Dependencies(ROOT)
THREADS = thread_count(PROFILE)  # the same however many notebooks run at a time: sums depend on it


workdir: str(ROOT / "build")


def state(node):
    return str(plan.state_file(MODE, PROFILE, node))


def command(node):
    if MODE == "check":
        options = f"--nbval-lax --nbval-current-env --nbval-sanitize-with {shlex.quote(str(ROOT / 'tests' / 'nbval_sanitize.cfg'))}"
        return f"python -m pytest -q --color=no -p no:cacheprovider {options} --nbval-cell-timeout 600 {shlex.quote(str(node.path))}"
    given = f"-b {VALUES[node.name]}" if node.name in VALUES else ""
    target = plan.executed(MODE, PROFILE, node)
    return (
        f"python -m papermill --no-progress-bar -k python3 --cwd {shlex.quote(str(node.path.parent))} {given} "
        f"{shlex.quote(str(node.path))} {shlex.quote(str(target))}"
    )


rule all:
    input:
        [state(node) for node in NODES],
    params:
        python=sys.executable,
    localrule: True  # says what failed: no work for a cluster
    shell:
        "cd {ROOT:q} && python -m varbook.runner.run --status --profile {PROFILE} " + STATUS


for node in NODES:

    rule:
        name:
            f"notebook_{node.name}"
        input:
            notebook=str(node.path),
            # A chapter whose checkpoints come from one that ran again runs again too. (Not `ancient(...)`: Snakemake 9.27
            # then overlooks a job whose own inputs changed when the job before it changed as well.)
            before=[state(other) for other in NODES if other.name in node.needs],
        output:
            state(node),
        log:
            str(plan.log_file(MODE, PROFILE, node)),
        params:
            command=command(node),
            label=node.path.stem,
            # By content, not by time: what the cells reach of the package, what comes with the book, the pinned versions.
            depends=DEPENDS.fingerprint(node.path, PROFILE),
            folder=str(plan.executed(MODE, PROFILE, node).parent),
        threads: THREADS
        shell:
            "mkdir -p {params.folder:q}; cd {ROOT:q}; start=$SECONDS; echo '  {params.label} ...'; "
            # said in the job itself, so that it holds on another machine too; Snakemake alone would give a job no more
            # threads than it has cores
            "export VARBOOK_BATCH=1 VARBOOK_PROFILE={PROFILE} PYTHONPATH={ROOT:q}${{PYTHONPATH:+:$PYTHONPATH}}; "
            "export VARBOOK_THREADS={THREADS} OMP_NUM_THREADS={THREADS} MKL_NUM_THREADS={THREADS} OPENBLAS_NUM_THREADS={THREADS}; "
            "{params.command} > {log:q} 2>&1 < /dev/null && code=0 || code=$?; "
            "[ $code = 0 ] && word=done || word=FAILED; "
            "echo \"  {params.label} $word ($((SECONDS - start)) s)\"; "
            "load=$(python -c 'import json; from varbook.cores import load; print(json.dumps(load()))') || load='{{}}'; "
            "echo \"{{\\\"exit\\\": $code, \\\"load\\\": $load}}\" > {output:q}"


onerror:
    if not config.get("runner"):  # varbook.runner.run reads the failures first, and forgets them when it starts again
        plan.forget(MODE, PROFILE, NODES)  # so that the next run tries them again
