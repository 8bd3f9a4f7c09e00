"""The mathematics of both papers written out, without any of the package's ways to be fast.

Attention has a dense mask, the condition is turned into AdaLN vectors wherever they are needed, all
logits are sorted for top-p, the distances to all codes are kept, and the softmax is a softmax.
Everything computes with the parameters of the package's modules, but through none of their methods,
so that a faster method there changes nothing here. Shapes are those of the package.
"""

from collections.abc import Callable, Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from varbook.tokenizer.pyramid import phi_index
from varbook.tokenizer.schedule import Schedule
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.transformer.model import NextScaleModel

# Of queries, keys and values (B, H, L, D): the answers (B, H, L, D).
Look = Callable[[Tensor, Tensor, Tensor], Tensor]


def nearest(x: Tensor, codes: Tensor) -> Tensor:
    """Return the index of the code (V, C) nearest to each row of `x` (N, C), by |x|^2 + |e|^2 - 2
    x . e, the expression of VAR.
    """
    distances = x.square().sum(1, keepdim=True) + codes.square().sum(1)  # N V
    return distances.addmm_(x, codes.T, alpha=-2).argmin(1)


def nearest_by_einsum(x: Tensor, codes: Tensor) -> Tensor:
    """Return what `nearest` does, by the expression of LlamaGen and FlexVAR."""
    norms = x.square().sum(1, keepdim=True) + codes.square().sum(1)  # N V
    return (norms - 2 * torch.einsum("nc,vc->nv", x, codes)).argmin(1)


def srq(logits: Tensor, codes: Tensor, temperature: float = 2.0) -> Tensor:
    """Return the mixtures (..., C) of the codes (V, C) for logits (..., V) (CycleVAR eqs. 10, 11)."""
    return (logits / temperature).softmax(-1) @ codes


def dense_mask(schedule: Schedule, device: torch.device) -> Tensor:
    """Return the additive mask (L, L): -infinity where a key lies on a finer scale than its query."""
    parts = [torch.full((h * w,), k) for k, (h, w) in enumerate(schedule)]
    scale_of = torch.cat(parts).to(device)  # L
    return torch.where(scale_of[None, :] > scale_of[:, None], -torch.inf, 0.0)


def masked(mask: Tensor | None) -> Look:
    """Return attention by torch's own kernel under a dense mask (L, L), without scaling."""
    return lambda q, k, v: F.scaled_dot_product_attention(
        q, k, v, attn_mask=None if mask is None else mask.to(q.dtype), scale=1.0
    )


def embed(
    model: NextScaleModel,
    maps: Sequence[Tensor | None],
    condition: Tensor,
    schedule: Schedule,
    first: int = 0,
) -> Tensor:
    """Return the input tokens (B, L, C) of VAR for the scales from number `first` on."""
    sizes = [h * w for h, w in schedule]
    positions = model.positions.table.split([h * w for h, w in model.config.schedule], 1)
    tokens = []
    for k, seen in enumerate(maps, start=first):
        x = positions[k] + model.lvl_embed.weight[k]  # 1 h*w C
        if seen is not None:
            words = seen.flatten(2).transpose(1, 2)  # B h*w Cv
            x = x + F.linear(words, model.word_embed.weight, model.word_embed.bias)
        if k == 0:
            x = x + condition[:, None] + model.pos_start
        tokens.append(x.expand(len(condition), sizes[k], -1))
    return torch.cat(tokens, 1)


def adaln(layer: nn.Sequential, condition: Tensor, parts: int) -> tuple[Tensor, ...]:
    """Return the vectors (B, 1, C) that AdaLN makes of a condition (B, C)."""
    vectors = F.linear(F.silu(condition), layer[1].weight, layer[1].bias)
    return vectors[:, None].chunk(parts, -1)


def norm(x: Tensor) -> Tensor:
    """Return the layer norm of `x` (B, L, C) without weights."""
    return F.layer_norm(x, x.shape[-1:], eps=1e-6)


def attention(layer: nn.Module, x: Tensor, look: Look) -> Tensor:
    """Return the self-attention of VAR, unit queries and keys, within x (B, L, C)."""
    B, L, C = x.shape
    bias = torch.cat((layer.q_bias, torch.zeros_like(layer.q_bias), layer.v_bias))
    qkv = F.linear(x, layer.mat_qkv.weight, bias).view(B, L, 3, layer.heads, -1)
    q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each B H L D
    sharpness = layer.scale_mul_1H11.clamp_max(torch.log(torch.tensor(100.0))).exp()
    q, k = F.normalize(q, dim=-1) * sharpness, F.normalize(k, dim=-1)
    out = look(q.to(v.dtype), k.to(v.dtype), v).transpose(1, 2).reshape(B, L, C)
    return F.linear(out, layer.proj.weight, layer.proj.bias)


def block(layer: nn.Module, x: Tensor, condition: Tensor, look: Look) -> Tensor:
    """Return a block's output (B, L, C) for the condition (B, C)."""
    gate1, gate2, scale1, scale2, shift1, shift2 = adaln(layer.ada_lin, condition, 6)
    x = x + gate1 * attention(layer.attn, norm(x) * (1 + scale1) + shift1, look)
    hidden = norm(x) * (1 + scale2) + shift2
    hidden = F.linear(hidden, layer.ffn.fc1.weight, layer.ffn.fc1.bias)
    hidden = F.gelu(hidden, approximate="tanh")
    return x + gate2 * F.linear(hidden, layer.ffn.fc2.weight, layer.ffn.fc2.bias)


def head(model: NextScaleModel, x: Tensor, condition: Tensor) -> Tensor:
    """Return the logits (B, L, V) of hidden states (B, L, C)."""
    scale, shift = adaln(model.head_nm.ada_lin, condition, 2)
    return F.linear(norm(x) * (1 + scale) + shift, model.head.weight, model.head.bias)


def predict(
    model: NextScaleModel, maps: Sequence[Tensor | None], labels: Tensor, look: Look
) -> Tensor:
    """Return the logits (B, L, V) of all scales at once for labels (B,)."""
    condition = model.class_emb.weight[labels]  # B C
    x = embed(model, maps, condition, model.config.schedule)
    for layer in model.blocks:
        x = block(layer, x, condition, look)
    return head(model, x, condition)


def draw(logits: Tensor, top_k: int, top_p: float, generator: torch.Generator | None) -> Tensor:
    """Return one token for each row of `logits` (N, V): the top k, then top-p over all of V,
    sorted; the likeliest where `top_k` is 1.
    """
    if top_k == 1:
        return logits.argmax(-1)
    smallest = logits.topk(top_k, -1).values[:, -1:]
    logits = logits.masked_fill(logits < smallest, -torch.inf)
    ordered, places = logits.sort(-1, descending=True)
    chances = ordered.softmax(-1)
    chances = chances.masked_fill(chances.cumsum(-1) - chances >= top_p, 0.0)
    chances = torch.zeros_like(chances).scatter_(-1, places, chances)
    return torch.multinomial(chances, 1, generator=generator)[:, 0]


class GrowingCache:
    """Keys and values of one layer, put together anew at every scale."""

    def __init__(self) -> None:
        self.keys: list[Tensor] = []
        self.values: list[Tensor] = []

    def __call__(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Look from a new scale's queries at everything so far."""
        self.keys = [torch.cat([*self.keys, k], 2)]
        self.values = [torch.cat([*self.values, v], 2)]
        return F.scaled_dot_product_attention(q, self.keys[0], self.values[0], scale=1.0)


@torch.no_grad()
def generate(
    model: NextScaleModel,
    tokenizer: Tokenizer,
    labels: Tensor,
    guidance: float,
    top_k: int,
    top_p: float = 0.0,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, list[Tensor]]:
    """Return images (B, 3, H, W) and token maps of VAR: one pass for each scale, with a cache of
    keys and values, AdaLN at each of them, guidance that grows from scale to scale.
    """
    schedule, count = model.config.schedule, len(labels)
    codes = tokenizer.codebook.embedding.weight  # V C
    doubled = torch.cat((labels, torch.full_like(labels, model.config.classes)))
    condition = model.class_emb.weight[doubled]  # 2B C
    caches = [GrowingCache() for _ in model.blocks]
    latent = torch.zeros(count, codes.shape[1], *schedule[-1], device=labels.device)
    seen: Tensor | None = None
    tokens = []
    for k, (height, width) in enumerate(schedule):
        x = embed(model, [seen], condition, schedule, first=k)
        for layer, cache in zip(model.blocks, caches, strict=True):
            x = block(layer, x, condition, cache)
        strength = guidance * k / max(len(schedule) - 1, 1)
        with_class, without = head(model, x, condition).float().chunk(2)
        logits = (1 + strength) * with_class - strength * without  # B h*w V
        drawn = draw(logits.flatten(0, 1), top_k, top_p, generator).view(count, height, width)
        tokens.append(drawn)
        latent = add(tokenizer, latent, codes[drawn].permute(0, 3, 1, 2), k, len(schedule))
        if k + 1 < len(schedule):
            seen = F.interpolate(latent, size=schedule[k + 1], mode="area")
            seen = torch.cat((seen, seen))
    return decode(tokenizer, latent).float().clamp(-1, 1), tokens


def add(tokenizer: Tokenizer, latent: Tensor, codes: Tensor, k: int, steps: int) -> Tensor:
    """Return the sum (B, C, h, w) after the code map (B, C, h_k, w_k) of scale k of `steps`."""
    large = F.interpolate(codes, size=latent.shape[-2:], mode="bicubic")
    phi = tokenizer.pyramid.phi
    conv = phi[phi_index(k, steps, len(phi))].conv
    return latent + 0.5 * large + 0.5 * F.conv2d(large, conv.weight, conv.bias, padding=1)


def quantise(tokenizer: Tokenizer, f: Tensor) -> tuple[list[Tensor], Tensor]:
    """Return the token maps of features (B, C, h, w) in VAR's residual pyramid and the sum of all
    scales (B, C, h, w).
    """
    schedule, codes = tokenizer.config.schedule, tokenizer.codebook.embedding.weight
    latent, tokens = torch.zeros_like(f), []
    for k, size in enumerate(schedule):
        rest = F.interpolate(f.detach() - latent.detach(), size=size, mode="area")
        rows = rest.permute(0, 2, 3, 1).reshape(-1, f.shape[1])  # B*h*w C
        tokens.append(nearest(rows, codes.detach()).view(len(f), *size))
        latent = add(tokenizer, latent, codes[tokens[-1]].permute(0, 3, 1, 2), k, len(schedule))
    return tokens, latent


def sums(tokenizer: Tokenizer, tokens: Sequence[Tensor]) -> Iterator[Tensor]:
    """Yield the sum (B, C, h, w) after each of the token maps, coarse to fine."""
    codes, last = tokenizer.codebook.embedding.weight, tokens[-1]
    latent = torch.zeros(len(last), codes.shape[1], *last.shape[-2:], device=last.device)
    for k, drawn in enumerate(tokens):
        latent = add(tokenizer, latent, codes[drawn].permute(0, 3, 1, 2), k, len(tokens))
        yield latent


def conv(layer: nn.Conv2d, x: Tensor) -> Tensor:
    """Return the convolution of `x` (B, C, H, W)."""
    return F.conv2d(x, layer.weight, layer.bias, layer.stride, layer.padding)


def group_norm(layer: nn.GroupNorm, x: Tensor) -> Tensor:
    """Return SiLU of the group norm of `x` (B, C, H, W)."""
    return F.silu(F.group_norm(x, layer.num_groups, layer.weight, layer.bias, layer.eps))


def residual(layer: nn.Module, x: Tensor) -> Tensor:
    """Return the residual block of either autoencoder for `x` (B, C, H, W)."""
    out = conv(layer.conv1, group_norm(layer.norm1, x))
    out = conv(layer.conv2, group_norm(layer.norm2, out))
    shortcut = getattr(layer, "nin_shortcut", None)
    return out + (conv(shortcut, x) if isinstance(shortcut, nn.Conv2d) else x)


def map_attention(layer: nn.Module, x: Tensor) -> Tensor:
    """Return the attention of VQGAN between all places of `x` (B, C, H, W)."""
    normed = F.group_norm(x, layer.norm.num_groups, layer.norm.weight, layer.norm.bias, 1e-6)
    q, k, v = conv(layer.qkv, normed).flatten(2).chunk(3, 1)  # each B C H*W
    weights = (q.transpose(1, 2) @ k * q.shape[1] ** -0.5).softmax(-1)  # B H*W H*W
    return x + conv(layer.proj_out, (v @ weights.transpose(1, 2)).view_as(x))


def decode(tokenizer: Tokenizer, f: Tensor) -> Tensor:
    """Return the images (B, 3, H, W), not clamped, of features (B, C, h, w)."""
    x, decoder = conv(tokenizer.post_quant_conv, f), tokenizer.decoder
    if tokenizer.config.autoencoder == "folded":
        return folded(decoder, x)
    x = conv(decoder.conv_in, x)
    x = residual(decoder.mid[2], map_attention(decoder.mid[1], residual(decoder.mid[0], x)))
    for level in decoder.levels:
        for res, attn in zip(level.res, level.attn, strict=True):
            x = residual(res, x)
            x = x if isinstance(attn, nn.Identity) else map_attention(attn, x)
        if not isinstance(level.resample, nn.Identity):
            x = conv(level.resample.conv, F.interpolate(x, scale_factor=2.0, mode="nearest"))
    return conv(decoder.conv_out, group_norm(decoder.norm_out, x))


def encode(tokenizer: Tokenizer, image: Tensor) -> Tensor:
    """Return the features (B, C, h, w) of images (B, 3, H, W), by the small "folded" encoder."""
    return conv(tokenizer.quant_conv, folded(tokenizer.encoder, image))


def folded(network: nn.Module, x: Tensor) -> Tensor:
    """Return what the small encoder or decoder makes of `x`: its layers, and the line beside them."""
    line = network.line(x) if network.line is not None else 0.0
    for layer in network.layers:
        x = residual(layer, x) if hasattr(layer, "norm1") else layer(x)
    return x + line
