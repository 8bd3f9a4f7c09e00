"""The dear parts of a training step, with their gradients written out.

Autograd would keep, copy and add whole tensors several times where once is enough. Each is equal to
the plain formula that its docstring names; the tests hold them against it. Large tensors are taken
in pieces that stay in a processor's cache.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

# Queries start:stop, which attend to keys 0:stop, and a mask (stop, stop) where they need one.
Group = tuple[int, int, Tensor | None]

fused_forward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
fused_backward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward
softmax_backward = torch.ops.aten._softmax_backward_data
layer_norm_backward = torch.ops.aten.native_layer_norm_backward


class Lengthen(torch.autograd.Function):
    """length * x / |x| along the last axis: `length * F.normalize(x, dim=-1)`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, length: Tensor):
        """Return vectors of `length`, which broadcasts to (..., 1), along those of x (..., D)."""
        norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=full(x.dtype))
        stretch = length / norm.clamp_min_(1e-12)  # ... 1
        out = torch.mul(x, stretch, out=torch.empty_like(x))
        ctx.save_for_backward(out, stretch, length)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor):
        """Return for x what the gradient has across the vector, stretched as the vector was; for
        the length what it has along it.
        """
        out, stretch, length = ctx.saved_tensors
        along = (grad * out).sum(-1, keepdim=True, dtype=stretch.dtype) / length  # ... 1
        across = torch.addcmul(grad, out, (along / length).to(out.dtype), value=-1)
        of_x = torch.mul(across, stretch, out=across)
        return of_x, along.sum_to_size(length.shape) if ctx.needs_input_grad[1] else None


class FusedPrefixes(torch.autograd.Function):
    """`attend_prefixes` for training on a CPU by torch's fused kernel, which keeps no scores.

    Autograd alone would make one gradient of all keys and values for each prefix and add them up;
    here every prefix adds its part to one buffer.
    """

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, scale: float, groups: list[Group]):
        """Return the answers (B, H, L, D)."""
        out, sums = torch.empty_like(q), q.new_empty(q.shape[:-1], dtype=full(q.dtype))
        for a, b, mask in groups:
            out[:, :, a:b], sums[:, :, a:b] = fused_forward(
                *(q[:, :, a:b], k[:, :, :b], v[:, :, :b]), scale=scale, attn_mask=like(mask, q)
            )
        ctx.save_for_backward(q, k, v, out, sums)
        ctx.scale, ctx.groups = scale, groups
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor):
        """Return the gradients of q, k and v."""
        q, k, v, out, sums = ctx.saved_tensors
        grad_q, grad_k, grad_v = torch.empty_like(q), torch.zeros_like(k), torch.zeros_like(v)
        for a, b, mask in ctx.groups:
            grad_q[:, :, a:b], of_k, of_v = fused_backward(
                *(grad[:, :, a:b], q[:, :, a:b], k[:, :, :b], v[:, :, :b]),
                *(out[:, :, a:b], sums[:, :, a:b], 0.0, False),
                scale=ctx.scale,
                attn_mask=like(mask, q),
            )
            grad_k[:, :, :b] += of_k
            grad_v[:, :, :b] += of_v
        return grad_q, grad_k, grad_v, None, None


class ProductPrefixes(torch.autograd.Function):
    """The same by plain matrix products, a few heads at a time, so that their scores stay in the
    cache.

    The backward pass needs the attention weights again: they are kept up to KEPT bytes, above it
    taken anew, for a third of the time and a fraction of the memory.
    """

    SCORES = 2**23  # at a time, 32 MiB in float32: fewer would cost threads more meetings
    KEPT = 100 * 2**20  # of one layer; 256 heads' of 680 tokens take 130 MiB in bfloat16

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, scale: float, groups: list[Group]):
        """Return the answers (B, H, L, D)."""
        flat = [tensor.flatten(0, 1) for tensor in (q, k, v)]  # B*H L D each
        out, kept = torch.empty_like(flat[0]), []
        keeps = weight_bytes(q, groups) <= ProductPrefixes.KEPT
        with torch.autocast("cpu", enabled=False):  # a softmax computes in float32 as it is
            for queries, keys, values, answers in heads_at_a_time(*flat, out):
                for a, b, mask in groups:
                    weights = attention_weights(queries[:, a:b], keys[:, :b], scale, mask)
                    answers[:, a:b] = weights @ values[:, :b]
                    if keeps:
                        kept.append(weights)
        ctx.save_for_backward(*flat, *kept)
        ctx.scale, ctx.groups = scale, groups
        return out.view(q.shape)

    @staticmethod
    def backward(ctx: Any, grad: Tensor):
        """Return the gradients of q, k and v."""
        q, k, v, *kept = ctx.saved_tensors
        grads = torch.empty_like(q), torch.zeros_like(k), torch.zeros_like(v)  # B*H L D each
        weights = iter(kept)
        for queries, keys, values, upper, grad_q, grad_k, grad_v in heads_at_a_time(
            q, k, v, grad.flatten(0, 1), *grads
        ):
            for a, b, mask in ctx.groups:
                asking, above = queries[:, a:b], upper[:, a:b]
                p = (
                    next(weights)
                    if kept
                    else attention_weights(asking, keys[:, :b], ctx.scale, mask)
                )
                grad_v[:, :b].baddbmm_(p.transpose(1, 2), above)
                of_scores = softmax_backward(above @ values[:, :b].transpose(1, 2), p, -1, p.dtype)
                grad_q[:, a:b] = (of_scores @ keys[:, :b]).mul_(ctx.scale)
                grad_k[:, :b].baddbmm_(of_scores.transpose(1, 2), asking, alpha=ctx.scale)
        return *(each.view(grad.shape) for each in grads), None, None


def attend_by_products(
    q: Tensor, k: Tensor, v: Tensor, scale: float, mask: Tensor | None
) -> Tensor:
    """Return softmax(scale * q k^T + mask) v, (B, H, n, D), for queries (B, H, n, D), keys and values
    (B, H, m, D) in the precision of v; without gradients.
    """
    flat = [tensor.to(v.dtype).flatten(0, 1) for tensor in (q, k, v)]  # B*H n D, B*H m D twice
    out = torch.empty_like(flat[0])
    with torch.autocast("cpu", enabled=False):
        for queries, keys, values, answers in heads_at_a_time(*flat, out):
            answers.copy_(attention_weights(queries, keys, scale, mask) @ values)
    return out.view(q.shape)


def attention_weights(queries: Tensor, keys: Tensor, scale: float, mask: Tensor | None) -> Tensor:
    """Return softmax(scale * q k^T + mask), (N, n, m), of queries (N, n, D) to keys (N, m, D)."""
    scores = (queries if scale == 1 else queries * scale) @ keys.transpose(1, 2)
    mask = like(mask, scores)
    return (scores if mask is None else scores + mask).softmax(-1)


def weight_bytes(q: Tensor, groups: list[Group]) -> int:
    """Return how many bytes the attention weights of queries (B, H, L, D) by `groups` take."""
    each_head = sum((b - a) * b for a, b, _ in groups)
    return q.shape[0] * q.shape[1] * each_head * q.element_size()


def full(dtype: torch.dtype) -> torch.dtype:
    """Return the precision of sums over tensors of `dtype`: float32 or more."""
    return torch.promote_types(dtype, torch.float32)


def like(mask: Tensor | None, q: Tensor) -> Tensor | None:
    """Return the mask in the precision of `q`."""
    return None if mask is None else mask.to(q.dtype)


def heads_at_a_time(*tensors: Tensor) -> Sequence[Sequence[Tensor]]:
    """Return queries (B*H, n, D), keys (B*H, m, D) and what else there is (B*H, ...) in slices of a
    few heads each.
    """
    heads = max(ProductPrefixes.SCORES // (tensors[0].shape[1] * tensors[1].shape[1]), 8)
    return list(zip(*(tensor.split(heads) for tensor in tensors), strict=True))


def cpu_kernel(dtype: torch.dtype) -> type[torch.autograd.Function]:
    """Return which of the two is the faster one on this processor.

    By measurement (docs/benchmarks.md): the fused kernel's bfloat16 is slow on every processor, and
    products in float32 win where registers are wide, on some by a factor of seven.
    """
    wide = torch.backends.cpu.get_cpu_capability() == "AVX512"
    return ProductPrefixes if wide or dtype == torch.bfloat16 else FusedPrefixes


class SteeredNorm(torch.autograd.Function):
    """`shift + F.layer_norm(x, (C,), eps=eps) * (1 + scale)` that keeps x, not the normed x beside it,
    for the backward pass.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, shift: Tensor, scale: Tensor, eps: float):
        """Map x (B, L, C) by a shift and a scale (B, 1, C)."""
        normed, mean, stretch = torch.native_layer_norm(x, x.shape[-1:], None, None, eps)
        ctx.save_for_backward(x, mean, stretch, scale)  # mean and stretch: B L 1
        return torch.addcmul(shift, normed, 1 + scale)

    @staticmethod
    def backward(ctx: Any, grad: Tensor):
        """Return the gradients of x, shift and scale."""
        x, mean, stretch, scale = ctx.saved_tensors
        normed = (x - mean) * stretch
        of_scale = (normed * grad).sum_to_size(scale.shape)
        of_normed = torch.mul(grad, 1 + scale).to(x.dtype)
        of_x = layer_norm_backward(
            of_normed, x, x.shape[-1:], mean, stretch, None, None, [True, False, False]
        )[0]
        return of_x, grad.sum_to_size(scale.shape), of_scale, None


class HeadLoss(torch.autograd.Function):
    """Mean cross-entropy of a linear head, `F.cross_entropy(F.linear(x, weight, bias), target)`,
    without ever holding all logits: their gradients are taken at once, piece by piece.

    Where a token makes several choices (sign bits), each has its share of the head's outputs.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, target: Tensor, dtype: torch.dtype
    ):
        """Return the loss and the accuracy, scalars, for states x (N, C), weight (D V, C), bias
        (D V,) and the true choices `target` (N, D) in [0, V); products are taken in `dtype`.
        """
        matrix = weight.to(dtype)  # D*V C
        grad_x, grad_weight = torch.empty_like(x), torch.zeros_like(weight, dtype=torch.float32)
        grad_bias, loss, right = torch.zeros_like(bias), bias.new_zeros(()), bias.new_zeros(())
        rows = max(2 ** (20 if x.device.type == "cpu" else 26) // len(weight), 1)
        for states, true, grad in zip(
            x.split(rows), target.split(rows), grad_x.split(rows), strict=True
        ):
            states = states.to(dtype)
            logits = torch.addmm(bias.to(dtype), states, matrix.T).float()  # n D*V
            chances = logits.view(*true.shape, -1).log_softmax(-1)  # n D V
            of_true = chances.gather(-1, true[..., None])
            loss -= of_true.sum()
            right += (of_true[..., 0] == chances.amax(-1)).sum()
            # The gradient of the cross-entropy: the probabilities, less one for the true choice
            surplus = chances.exp_().scatter_add_(-1, true[..., None], -torch.ones_like(of_true))
            surplus = surplus.div_(target.numel()).view_as(logits)
            grad_bias += surplus.sum(0)
            surplus = surplus.to(dtype)
            grad.copy_(surplus @ matrix)
            grad_weight += surplus.T @ states
        ctx.save_for_backward(grad_x, grad_weight, grad_bias)
        accuracy = right / target.numel()
        ctx.mark_non_differentiable(accuracy)
        return loss / target.numel(), accuracy

    @staticmethod
    def backward(ctx: Any, grad: Tensor, _: Tensor):
        """Return the gradients of x, weight and bias."""
        grad_x, grad_weight, grad_bias = ctx.saved_tensors
        return grad_x.mul_(grad), grad_weight.mul_(grad), grad_bias.mul_(grad), None, None
