"""Several processes that train one model, started by `torchrun` or `accelerate launch`.

A process that was started alone shares with nobody: every function here then returns what it was
given, so that a loop has one path. The rule that makes results independent of the number of
processes: each draws the same *global* batch from the same generator and takes every n-th row of
it; losses are means, so that the mean over equal shares is the mean over the batch.
"""

import os
from collections.abc import Callable, Sequence
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn

from varbook.device import pick_device
from varbook.errors import VarbookError

MINUTES = 30  # how long one process waits for the others before it gives up


def join(minutes: float = MINUTES) -> None:
    """Join the processes that were launched together.

    Does nothing for a process that was started alone, or has joined before.
    """
    if dist.is_initialized() or int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return
    device = pick_device()
    if device.type == "cuda":
        torch.cuda.set_device(device)
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, timeout=timedelta(minutes=minutes))


def leave() -> None:
    """Part from the other processes, at the end of a program."""
    if dist.is_initialized():
        dist.destroy_process_group()


def count() -> int:
    """Return the number of processes at work together; 1 for a process alone."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """Return this process's number, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def first() -> bool:
    """Say whether this is the process that writes files and draws bars: number 0."""
    return rank() == 0


def drawn(
    draw: Callable[..., Tensor], shape: Sequence[int], generator: torch.Generator | None
) -> Tensor:
    """Return this process's rows of random numbers `draw(shape, generator=generator)`, on the CPU.

    They are drawn for the rows of all processes, and each takes its own: every image gets the
    numbers it has in one process.
    """
    return share(draw((shape[0] * count(), *shape[1:]), generator=generator))


def share(rows: Tensor) -> Tensor:
    """Return this process's rows of a global batch (B, ...): every n-th of n processes.

    Raises VarbookError where n does not divide B. Every n-th row, not a block: so two batches
    behind each other, each shared, are the share of the two behind each other.
    """
    if count() == 1:
        return rows
    if len(rows) % count():
        raise VarbookError(
            f"A batch of {len(rows)} cannot be shared by {count()} processes; make it a multiple of {count()}."
        )
    return rows[rank() :: count()]


def gather(rows: Tensor) -> Tensor:
    """Return the global batch (B, ...) of all shares, on every process: the inverse of `share`.

    No gradient flows through it.
    """
    if count() == 1:
        return rows
    own = rows.detach().contiguous()
    parts = [torch.empty_like(own) for _ in range(count())]
    dist.all_gather(parts, own)
    # Process i holds the rows i, i + n, i + 2n ...: side by side and flattened they are in order.
    return torch.stack(parts, 1).flatten(0, 1)  # B ...


def mean(values: dict[str, float]) -> dict[str, float]:
    """Return each number averaged over the processes."""
    if count() == 1:
        return values
    numbers = torch.tensor(list(values.values()), dtype=torch.float64, device=_place())
    dist.all_reduce(numbers)
    return dict(zip(values, (numbers / count()).tolist(), strict=True))


def total(number: float) -> float:
    """Return the sum of the processes' numbers, on every process; all wait for it."""
    return count() * mean({"number": number})["number"]


def largest(number: int) -> int:
    """Return the largest of the processes' numbers, on every process; all wait for it."""
    if count() == 1:
        return number
    box = torch.tensor(number, device=_place())
    dist.all_reduce(box, dist.ReduceOp.MAX)
    return int(box)


def average_gradients(module: nn.Module) -> None:
    """Average the gradients of `module` over the processes, in place.

    Those of a sharded model are averaged already.
    """
    if count() == 1:
        return
    gradients = [
        p.grad
        for p in module.parameters()
        if p.grad is not None and not hasattr(p.grad, "full_tensor")
    ]
    if not gradients:
        return
    # One message instead of hundreds.
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    parts = flat.split([gradient.numel() for gradient in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view(gradient.shape) / count())


def start_alike(*modules: nn.Module) -> None:
    """Join the others and take over the first process's weights, before the first training step."""
    join()
    if count() > 1:
        for module in modules:
            for tensor in module.state_dict().values():
                # The same memory, or a copy where the layout is another.
                whole = tensor.detach().contiguous()
                dist.broadcast(whole, 0)
                tensor.copy_(whole)


def from_first(value):
    """Return the first process's `value` on every process; all wait for it.

    `value` is anything that can be pickled.
    """
    if count() == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box, 0, device=_place())
    return box[0]


def _place() -> torch.device:
    # Small messages go over the CPU, where that is possible: they do not make a card wait.
    return torch.device("cpu") if "gloo" in str(dist.get_backend_config()) else pick_device()
