"""From logits to code vectors, four ways; softmax
relaxed quantization (SRQ) is the one that trains.

All keep one contract: logits (..., V) and a codebook (V, C)
give vectors (..., C). For sign bits see `relax_bits`.
"""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from varbook import processes
from varbook.config import is_real
from varbook.errors import VarbookError
from varbook.generate.sampling import COLDEST
from varbook.tokenizer.bits import BinaryCodes, binary_entropy
from varbook.tokenizer.codebook import Codebook
from varbook.transformer.kernels import full

softmax_backward_into = torch.ops.aten._softmax_backward_data.out

RELAXATIONS = ("argmax", "straight_through", "gumbel", "softmax")


def check_relaxation(name: str) -> None:
    """Raise VarbookError where there is no relaxation of that name."""
    if name not in RELAXATIONS:
        raise VarbookError(f"There is no relaxation {name!r}; use one of {', '.join(RELAXATIONS)}.")


def check_temperature(temperature: object) -> None:
    """Raise VarbookError where logits cannot be divided by a temperature."""
    if not is_real(temperature) or temperature < COLDEST:
        raise VarbookError(
            f"The temperature must be positive, not {temperature!r}; 2.0 is the paper's choice."
        )


def relax(
    logits: Tensor,
    vectors: Tensor,
    method: str = "softmax",
    *,
    temperature: float = 2.0,
    noise: bool = False,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return the code vectors (..., C) that `logits` (..., V)
    choose or mix from the codebook `vectors` (V, C).

    `method` is "argmax" (CycleVAR eqs. 3, 4: no gradient), "straight_through" (argmax
    forward, softmax backward), "gumbel" (a random hard choice, softmax backward) or
    "softmax" (SRQ, CycleVAR eqs. 10, 11; `noise` adds Gumbel noise to its logits).
    Raises VarbookError for another name or a temperature that is not positive.
    """
    check_relaxation(method)
    check_temperature(temperature)
    if vectors.ndim != 2 or not logits.ndim or not logits.shape[-1] == len(vectors) > 0:
        raise VarbookError(
            f"Logits (..., V) choose from vectors (V, C), not {tuple(logits.shape)} from "
            f"{tuple(vectors.shape)}."
        )
    if method == "argmax":
        return vectors[logits.argmax(-1)]
    # A softmax over thousands of codes wants full precision.
    precision = full(vectors.dtype)
    logits, vectors = logits.to(precision), vectors.to(precision)
    if method == "gumbel" or noise:
        logits = logits + gumbel_noise(logits, generator)
    if method == "softmax" and torch.is_grad_enabled() and logits.requires_grad:
        return SoftMixture.apply(logits, vectors, temperature)
    # q_v = exp(l_v / tau) / sum_v exp(l_v / tau)   (CycleVAR eq. 10)
    probabilities = (logits / temperature).softmax(-1)  # ... V
    if method != "softmax":
        hard = F.one_hot(probabilities.argmax(-1), logits.shape[-1]).to(probabilities.dtype)
        probabilities = probabilities + (hard - probabilities).detach()
    # f = sum_v q_v Z_v   (CycleVAR eq. 11)
    return probabilities @ vectors


class SoftMixture(torch.autograd.Function):
    """SRQ for training, softmax(logits / temperature) @ vectors, in pieces of rows that stay in a
    processor's cache. The backward pass makes the probabilities again: no tensor of the logits'
    size is kept but the logits.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, vectors: Tensor, temperature: float):
        """Return the mixtures (..., C) of logits (..., V) and vectors (V, C)."""
        out = logits.new_empty(*logits.shape[:-1], vectors.shape[1])  # ... C
        for rows, mixture in zip(*in_pieces(logits, out), strict=True):
            torch.mm((rows / temperature).softmax(-1), vectors, out=mixture)
        ctx.save_for_backward(logits, vectors)
        ctx.temperature = temperature
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor):
        """Return the gradients of logits and vectors: with q the probabilities and u = grad Z^T /
        temperature, of the logits q (u - sum q u), of the vectors q^T grad.
        """
        logits, vectors = ctx.saved_tensors
        with torch.autocast(grad.device.type, enabled=False):
            return *SoftMixture.gradients(ctx, logits, vectors, grad), None

    @staticmethod
    def gradients(ctx: Any, logits: Tensor, vectors: Tensor, grad: Tensor):
        """Return the two gradients."""
        of_logits, of_vectors = logits.new_empty(logits.shape), None
        warm = vectors / ctx.temperature  # so that the division costs no pass over the logits
        if ctx.needs_input_grad[1]:
            of_vectors = torch.zeros_like(vectors)
        for rows, above, answer in zip(*in_pieces(logits, grad, of_logits), strict=True):
            q = (rows / ctx.temperature).softmax(-1)
            softmax_backward_into(above @ warm.T, q, -1, q.dtype, grad_input=answer)
            if of_vectors is not None:
                of_vectors.addmm_(q.T, above)
        return of_logits, of_vectors


def in_pieces(*tensors: Tensor) -> list[tuple[Tensor, ...]]:
    """Return tensors (..., V) of equally many rows as rows (n, V), on a CPU 64 for each thread at a
    time.
    """
    flat = [tensor.reshape(-1, tensor.shape[-1]) for tensor in tensors]
    on_cpu = tensors[0].device.type == "cpu"
    count = 64 * torch.get_num_threads() if on_cpu else max(len(flat[0]), 1)
    return [tensor.split(count) for tensor in flat]


def relax_bits(
    logits: Tensor,
    method: str = "softmax",
    *,
    temperature: float = 2.0,
    noise: bool = False,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return the code vectors (..., d) of sign bits from two logits per bit, (..., 2 d): first that
    of minus, then that of plus.

    `relax` with a codebook of two numbers per bit, -1 / sqrt(d) and +1 / sqrt(d). SRQ needs no sum
    over codes then: a softmax of two is a tanh, and a mixture is tanh(difference / (2 temperature))
    / sqrt(d), from hard bits (cold) to zero (hot). Raises VarbookError as `relax` does, and for an
    odd number of logits.
    """
    if not logits.ndim or not logits.shape[-1] or logits.shape[-1] % 2:
        raise VarbookError(
            f"A bit has two logits, and those of {tuple(logits.shape)} are not pairs."
        )
    pairs = logits.float().unflatten(-1, (-1, 2))  # ... d 2
    length = math.sqrt(pairs.shape[-2])
    check_temperature(temperature)
    if method == "softmax" and not noise:
        return torch.tanh((pairs[..., 1] - pairs[..., 0]) / (2 * temperature)) / length
    signs = pairs.new_tensor([[-1.0], [1.0]]) / length  # 2 1
    return relax(pairs, signs, method, temperature=temperature, noise=noise, generator=generator)[
        ..., 0
    ]


def relax_codes(
    logits: Tensor,
    codebook: Codebook | BinaryCodes,
    method: str = "softmax",
    *,
    temperature: float = 2.0,
    noise: bool = False,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return the code vectors (..., C) of a codebook of either kind for its logits: `relax` over
    its vectors, or `relax_bits`.
    """
    if isinstance(codebook, BinaryCodes):
        return relax_bits(logits, method, temperature=temperature, noise=noise, generator=generator)
    vectors = codebook.vectors()  # V C
    return relax(logits, vectors, method, temperature=temperature, noise=noise, generator=generator)


def gumbel_noise(like: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Return Gumbel(0, 1) noise of the shape of `like`; adding it to logits and taking the argmax
    samples from their softmax.
    """
    uniform = (
        processes.drawn(torch.rand, like.shape, generator).clamp(1e-9, 1 - 1e-7).to(like.device)
    )
    return -torch.log(-torch.log(uniform))


def mixture_state(logits: Tensor, vectors: Tensor, temperature: float) -> dict[str, float]:
    """Return how soft the mixtures are: perplexity of the probabilities, norm of the mixture over
    the mean norm of a code.
    """
    probabilities = (logits.detach().float() / temperature).softmax(-1)
    entropy = -(probabilities * probabilities.clamp_min(1e-12).log()).sum(-1)
    mixture = probabilities @ vectors.detach().float()
    return {
        "perplexity": entropy.exp().mean().item(),
        "norm_ratio": (mixture.norm(dim=-1).mean() / vectors.detach().norm(dim=-1).mean()).item(),
        "logit_std": logits.detach().float().std(-1).mean().item(),
    }


def bit_state(logits: Tensor, temperature: float) -> dict[str, float]:
    """Return how soft the bits of `logits` (..., 2 d) are: mean
    entropy in bits, mean length of the mixture (1: hard).
    """
    mixture = relax_bits(logits.detach(), temperature=temperature)  # ... d
    chance = (mixture * math.sqrt(mixture.shape[-1]) + 1) / 2
    return {
        "entropy": binary_entropy(chance).mean().item(),
        "norm_ratio": mixture.norm(dim=-1).mean().item(),
    }
