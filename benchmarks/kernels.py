"""Questions about single operations: nearest code, pyramid, SRQ, attention, head with loss."""

import importlib.util
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks import plain
from benchmarks.question import Candidate, Question, autocast
from varbook.device import pick_device
from varbook.tokenizer.codebook import Codebook
from varbook.tokenizer.schedule import VAR_256, square, token_count
from varbook.tokenizer.tokenizer import Tokenizer, TokenizerConfig
from varbook.transformer.attention import attend_prefixes, scale_groups
from varbook.transformer.kernels import HeadLoss
from varbook.translate.relaxation import relax

SRQ_WANTED = 1e-9  # largest difference in float64


def normal(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return normal random numbers, always the same, on the device."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(*shape, generator=generator, dtype=dtype).to(pick_device())


def nearest_code(small: bool = False) -> Question:
    """The codes nearest to four images' 680 tokens, of 8,192 codes with 32 channels."""
    rows, vocab_size, width = (64, 32, 8) if small else (4 * token_count(VAR_256), 8192, 32)
    book = Codebook(vocab_size, width).to(pick_device())
    x = normal(rows, width)
    with torch.no_grad():
        book.embedding.weight.copy_(normal(vocab_size + 1, width)[1:])
    codes = book.vectors().detach()
    candidates = {
        "VAR's expression": Candidate(lambda: plain.nearest(x, codes), plain=True),
        "LlamaGen's and FlexVAR's": Candidate(
            lambda: plain.nearest_by_einsum(x, codes), plain=True
        ),
    }
    checks = []
    if importlib.util.find_spec("vector_quantize_pytorch"):
        candidates["vector-quantize-pytorch"] = Candidate(_library(codes, x), plain=True)
    else:
        missing = "vector-quantize-pytorch is not installed here and was not timed."
        checks.append(lambda: missing)
    candidates["varbook"] = Candidate(lambda: book.nearest(x))
    scores = rows * vocab_size * 4
    return Question("nearest code", candidates, traffic=2 * scores, checks=checks)


def _library(codes: Tensor, x: Tensor) -> Callable[[], Tensor]:
    """Return what the package vector-quantize-pytorch does in evaluation, with the same codes."""
    from vector_quantize_pytorch import VectorQuantize

    library = VectorQuantize(dim=codes.shape[1], codebook_size=len(codes)).to(codes.device).eval()
    library._codebook.embed.data.copy_(codes[None])

    def run() -> Tensor:
        with torch.no_grad():
            return library(x[None])[1][0]

    return run


def pyramid(small: bool = False) -> Question:
    """Ten scales of VAR's residual pyramid: features of four images to tokens."""
    schedule, vocab_size = (square(1, 2, 4), 32) if small else (VAR_256, 4096)
    torch.manual_seed(0)
    config = TokenizerConfig(schedule=schedule, vocab_size=vocab_size, code_dim=32, channels=(8, 8))
    tokenizer = Tokenizer(config).to(pick_device()).eval()
    features = normal(4, 32, *schedule[-1])
    with torch.no_grad():
        tokenizer.codebook.embedding.weight.copy_(normal(vocab_size + 1, 32)[1:])

    @torch.no_grad()
    def flat(make: Callable[[], list[Tensor]]) -> Tensor:
        return torch.cat([tokens.flatten(1) for tokens in make()], 1)

    return Question(
        "pyramid, quantise",
        {
            "plain": Candidate(
                lambda: flat(lambda: plain.quantise(tokenizer, features)[0]), plain=True
            ),
            "varbook": Candidate(lambda: flat(lambda: tokenizer.quantise(features).tokens)),
        },
        # A tie at a coarse scale changes what the finer ones must say.
        ties=0.01,
    )


def srq(small: bool = False) -> Question:
    """SRQ of eight images' 680 tokens over 4,096 codes with its gradient. The answer is the value
    and the largest and smallest entry of each row of the gradient.
    """
    rows, vocab_size, width = (16, 32, 8) if small else (8 * token_count(VAR_256), 4096, 32)
    logits = normal(rows, vocab_size).requires_grad_()
    codes, towards = normal(vocab_size, width), normal(rows, width)

    def both(mix: Callable[[Tensor, Tensor], Tensor]) -> Callable[[], Tensor]:
        def run() -> Tensor:
            mixed = mix(logits, codes)
            gradient = torch.autograd.grad(mixed, logits, towards)[0]
            # Not the whole gradient: to copy it would cost time and memory.
            return torch.cat((mixed.detach().flatten(), gradient.amax(1), gradient.amin(1)))

        return run

    def ours(logits: Tensor, codes: Tensor) -> Tensor:
        return relax(logits, codes, "softmax", temperature=2.0)

    # Forward reads the logits once; backward reads them and writes their gradient.
    return Question(
        "SRQ, forward and backward",
        {
            "softmax(l / tau) @ Z": Candidate(both(plain.srq), plain=True),
            "varbook": Candidate(both(ours)),
        },
        tolerance=1e-5,
        traffic=3 * logits.numel() * logits.element_size(),
        checks=[srq_in_float64],
    )


def srq_in_float64() -> str:
    """Say by how much plain and packaged SRQ of 680 rows and 4,096 codes differ in float64, in
    value and gradient, and whether that is the 1e-9 that is wanted.
    """
    worst = srq_difference()
    held = "held" if worst <= SRQ_WANTED else "not held"
    return f"SRQ in float64: value and gradient differ by {worst:.1e} at most; wanted {SRQ_WANTED}: {held}."


def srq_difference() -> float:
    """Return that difference, as a share of the largest value."""
    codes = normal(4096, 32, dtype=torch.float64)
    logits = normal(token_count(VAR_256), 4096, dtype=torch.float64)
    towards = normal(len(logits), 32, dtype=torch.float64)
    answers = []
    for mix in (plain.srq, lambda a, b: relax(a, b, "softmax", temperature=2.0)):
        start = logits.clone().requires_grad_()
        mixed = mix(start, codes)
        answers.append((mixed.detach(), torch.autograd.grad(mixed, start, towards.to(mixed))[0]))
    pairs = zip(*answers, strict=True)
    return max(((other - one).abs().max() / one.abs().max()).item() for one, other in pairs)


def attention(small: bool = False, backward: bool = True) -> Question:
    """Block-causal attention of VAR's 680 tokens, batch 4, 16 heads of 64 channels."""
    schedule, batch, heads, width = (square(1, 2, 3), 2, 2, 8) if small else (VAR_256, 4, 16, 64)
    length, device = token_count(schedule), pick_device()
    q, k, v = (
        one.requires_grad_(backward) for one in normal(3, batch, heads, length, width).unbind()
    )
    mask, groups = plain.dense_mask(schedule, device), scale_groups(schedule, device)
    towards = normal(batch, heads, length, width)

    def run(function: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Callable[[], Tensor]:
        def once() -> Tensor:
            # Unit vectors need no scale; these would make a softmax that is nearly hard.
            out = function(q / 8, k, v)
            if not backward:
                return out.detach()
            gradients = torch.autograd.grad(out, (q, k, v), towards.to(out.dtype))
            return torch.cat([out.detach().float(), *(one.float() for one in gradients)])

        return once

    def low(function: Callable) -> Callable:
        return lambda q, k, v: autocast(
            lambda: function(q.bfloat16(), k.bfloat16(), v.bfloat16())
        )()

    def ours(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return attend_prefixes(q, k, v, 1.0, groups)

    dense = plain.masked(mask)
    return Question(
        f"attention, forward{' and backward' if backward else ''}",
        {
            "fused kernel, dense mask": Candidate(run(dense), plain=True),
            "the same, bfloat16": Candidate(run(low(dense)), "bfloat16", plain=True, same=False),
            "varbook": Candidate(run(ours)),
            "varbook, bfloat16": Candidate(run(low(ours)), "bfloat16", same=False),
        },
    )


def head_with_loss(small: bool = False) -> Question:
    """The last layer and the cross-entropy of eight images' 680 tokens, with their gradients."""
    rows, vocab_size, width = (16, 32, 8) if small else (8 * token_count(VAR_256), 4096, 256)
    x = normal(rows, width).requires_grad_()
    weight = (normal(vocab_size + 1, width)[1:] / width**0.5).requires_grad_()
    bias = torch.zeros(vocab_size, device=x.device, requires_grad=True)
    target = torch.arange(rows, device=x.device) % vocab_size

    def gradients(loss: Callable[[], Tensor]) -> Callable[[], Tensor]:
        def run() -> Tensor:
            value = loss()
            parts = torch.autograd.grad(value, (x, weight, bias))
            return torch.cat([value.detach()[None], *(part.float().flatten() for part in parts)])

        return run

    def unchunked() -> Tensor:
        return F.cross_entropy(F.linear(x, weight, bias).float(), target)

    def packaged(dtype: torch.dtype) -> Tensor:
        return HeadLoss.apply(x, weight, bias, target[:, None], dtype)[0]

    candidates = {
        "head, then cross-entropy": Candidate(gradients(unchunked), plain=True),
        "the same, bfloat16": Candidate(
            gradients(autocast(unchunked)), "bfloat16", plain=True, same=False
        ),
        "varbook": Candidate(gradients(lambda: packaged(torch.float32))),
        "varbook, bfloat16": Candidate(
            gradients(lambda: packaged(torch.bfloat16)), "bfloat16", same=False
        ),
    }
    return Question("head and cross-entropy", candidates)
