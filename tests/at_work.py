"""Processes that work together, for tests: each runs the same function, joined over gloo on the
CPU.
"""

import multiprocessing
import os
import socket
import traceback
from pathlib import Path

import torch

import varbook.device
from varbook import processes

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        "torch",
        "varbook.train.fit_cyclevar",
        "varbook.train.fit_judge",
        "varbook.train.sharding",
        "torch._dynamo",
    ]
)


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


def _work(
    rank: int, count: int, port: int, minutes: float, answer: Path, function, arguments
) -> None:
    os.environ.update(
        RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(count), MASTER_ADDR="127.0.0.1"
    )
    os.environ.update(MASTER_PORT=str(port), VARBOOK_DEVICE="cpu", VARBOOK_BATCH="1")
    torch.set_num_threads(1)
    varbook.device.has_bfloat16 = lambda device: (
        False
    )  # sums in another order would show in bfloat16 at once
    try:
        processes.join(minutes)
        result = function(*arguments)
        torch.save(result, answer)
    except BaseException:
        answer.with_suffix(".error").write_text(traceback.format_exc())
        os._exit(1)
    processes.leave()


def together(count: int, folder: Path, function, *arguments, minutes: float = 4.0) -> list:
    """Run `function(*arguments)` in `count` processes and return what each returned: a value, or
    the text of its error.

    None waits for another longer than `minutes`. The answer of one that has not ended much later is
    None: it hangs.
    """
    port, folder = free_port(), folder / f"{function.__name__}-{count}"
    folder.mkdir(parents=True)
    answers = [folder / f"{rank}.pt" for rank in range(count)]
    workers = [
        FORKS.Process(
            target=_work, args=(rank, count, port, minutes, answers[rank], function, arguments)
        )
        for rank in range(count)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(300)
        if worker.is_alive():
            worker.kill()
            worker.join()
    return [_answer(path) for path in answers]


def _answer(path: Path):
    if path.exists():
        return torch.load(path, weights_only=False)
    error = path.with_suffix(".error")
    return error.read_text() if error.exists() else None
