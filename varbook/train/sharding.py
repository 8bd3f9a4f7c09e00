"""Models too large for one card: weights, gradients and
optimiser state spread over the processes (FSDP).

A sharded model computes what the whole one does: each block gathers its weights
just before it needs them. On disk there is no difference: what is saved is whole,
so that a training may resume with another number of processes, or without sharding.
"""

import copy
import os
from typing import cast

import torch
import torch.distributed as dist
from torch import Tensor, nn

from varbook import processes
from varbook.errors import VarbookError
from varbook.transformer.model import NextScaleModel

# What CycleVAR calls beside `forward` (serial mode); each must find its weights gathered too.
METHODS = ("condition", "embed", "modulations", "step")


def shard_wanted() -> bool:
    """Say whether models are to be sharded: VARBOOK_SHARD=1
    (`varbook train --model NAME --shard` sets it).
    """
    return os.environ.get("VARBOOK_SHARD", "0") not in ("", "0")


def sharded(model: NextScaleModel) -> NextScaleModel:
    """Return a copy of `model` whose weights are spread over the processes, one block at a time.

    Raises VarbookError in a process that was started alone: there is nobody to share with.
    """
    # Slow to import, and seldom needed.
    from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method

    if not dist.is_initialized():
        raise VarbookError(
            "A model is sharded over several processes, and this is one alone: start it with torchrun."
        )
    mesh = dist.init_device_mesh(next(model.parameters()).device.type, (processes.count(),))
    spread = copy.deepcopy(model)
    for block in spread.blocks:
        fully_shard(block, mesh=mesh)
        register_fsdp_forward_method(block, "modulation")
    fully_shard(spread, mesh=mesh)
    for method in METHODS:
        register_fsdp_forward_method(spread, method)
    return spread


def whole(tensor: Tensor) -> Tensor:
    """Return a tensor as it is where it lies in one place, gathered where it is sharded (all
    processes must call this).
    """
    return tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor


def whole_state(module: nn.Module) -> dict[str, Tensor]:
    """Return the state of a module with every sharded
    tensor gathered (all processes must call this).
    """
    return {name: whole(tensor) for name, tensor in module.state_dict().items()}


def spread_like(tensor: Tensor, own: Tensor) -> Tensor:
    """Return a whole `tensor` in the form of `own`: sharded where `own` is sharded, and in the same
    order in memory, which the optimiser's one pass over weights, gradients and moments goes by.
    """
    if tensor.shape != own.shape:  # an optimiser's count of steps
        return tensor
    if not hasattr(own, "full_tensor"):
        return torch.empty_like(own, dtype=tensor.dtype).copy_(tensor)
    from torch.distributed.tensor import DTensor, distribute_tensor

    sharded_own = cast(DTensor, own)
    return distribute_tensor(tensor.to(own.device), sharded_own.device_mesh, sharded_own.placements)


def fill(module: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Load whole tensors into a module, sharded or not."""
    own = module.state_dict()
    module.load_state_dict(
        {name: spread_like(tensor, own.get(name, tensor)) for name, tensor in tensors.items()}
    )
