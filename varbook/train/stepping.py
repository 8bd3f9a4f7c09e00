"""One step of an optimiser, the same in every loop."""

import torch
from torch import Tensor, nn

from varbook import processes


def take_step(
    loss: Tensor, module: nn.Module, optimiser: torch.optim.Optimizer, clip: float | None = None
) -> None:
    """Move the parameters of `module` one step of `optimiser` down the gradient of `loss` (a
    scalar).

    Gradients are averaged over the processes that train together; `clip` bounds the norm of all of
    them together.
    """
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    processes.average_gradients(module)
    if clip:
        torch.nn.utils.clip_grad_norm_(module.parameters(), clip)
    optimiser.step()
