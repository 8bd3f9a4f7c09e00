"""How much the package's fast forms gain over the obvious ones, in under a minute: `make bench`.

Candidates of one question take turns in one process, so that whatever else the machine does slows
all of them alike; the table gives medians and their ratios to the first candidate. Candidates that
compute the same thing are compared before they are timed. Absolute times say little on a shared
machine; ratios do.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from varbook.data.render_parallel import Order, render_files
from varbook.device import pick_device
from varbook.errors import VarbookError
from varbook.generate.loop import generate
from varbook.generate.sampling import Drawing
from varbook.tokenizer.codebook import Codebook
from varbook.tokenizer.schedule import VAR_256, square, token_count
from varbook.tokenizer.tokenizer import Tokenizer, TokenizerConfig
from varbook.transformer.attention import attend, scale_groups
from varbook.transformer.model import NextScaleConfig, NextScaleModel
from varbook.translate.cyclevar import CycleVAR, CycleVARConfig
from varbook.translate.relaxation import relax
from varbook.world.species import SPECIES

SECONDS = 4.0  # for each question; there are seven
LEAST = 3  # rounds
MOST = 15

Candidate = Callable[[], Tensor | None]


@dataclass(frozen=True)
class Question:
    """Candidates that are timed against the first of them.

    `equal` says that they all compute the same tensor.
    """

    name: str
    candidates: dict[str, Candidate]
    equal: bool = True
    per_call: int = 0  # where it is above 0, the table also shows this many items per second


def _wait() -> None:
    if pick_device().type == "cuda":
        torch.cuda.synchronize()


def _same(outputs: list[Tensor | None]) -> bool:
    first = outputs[0]
    if not first.is_floating_point():
        # A tie between two codes may go either way.
        return all((one == first).float().mean().item() > 0.999 for one in outputs)
    scale = first.abs().max().clamp_min(1e-6)
    return all(((one - first).abs().max() / scale).item() < 1e-3 for one in outputs)


def answer(
    question: Question, seconds: float = SECONDS, least: int = LEAST, most: int = MOST
) -> list[dict]:
    """Time the candidates in turns for about `seconds` and return one row each.

    Raises VarbookError where they should agree and do not.
    """
    outputs = [candidate() for candidate in question.candidates.values()]  # also the warm-up
    if question.equal and not _same(outputs):
        raise VarbookError(
            f'The candidates of "{question.name}" do not compute the same thing; a time for that means nothing.'
        )
    times: dict[str, list[float]] = {name: [] for name in question.candidates}
    began = time.perf_counter()
    for done in range(most):
        if done >= least and time.perf_counter() - began > seconds:
            break
        for name, candidate in question.candidates.items():
            _wait()
            start = time.perf_counter()
            candidate()
            _wait()
            times[name].append(time.perf_counter() - start)
    base = statistics.median(next(iter(times.values())))
    rows = []
    for name, spent in times.items():
        median = statistics.median(spent)
        rows.append(
            {
                "question": question.name if not rows else "",
                "candidate": name,
                "median ms": round(1000 * median, 2),
                "fastest ms": round(1000 * min(spent), 2),
                "times as fast": round(base / median, 2),
                "rounds": len(spent),
                "per second": round(question.per_call / median) if question.per_call else None,
            }
        )
    return rows


def _normal(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0)).to(pick_device())


def nearest_code(small: bool = False) -> Question:
    """Four images' 680 tokens against VAR's codebook: all distances, or one product and an argmax."""
    rows, vocab_size, width = (64, 32, 8) if small else (4 * token_count(VAR_256), 4096, 32)
    book = Codebook(vocab_size, width).to(pick_device())
    x = _normal(rows, width)
    with torch.no_grad():
        book.embedding.weight.copy_(_normal(vocab_size + 1, width)[1:])
    vectors = book.vectors().detach()
    return Question(
        "nearest code",
        {
            "cdist and argmin": lambda: torch.cdist(x, vectors).argmin(1),
            "varbook": lambda: book.nearest(x),
        },
    )


def attention(small: bool = False, backward: bool = False) -> Question:
    """Block-causal attention over VAR's 680 tokens: a dense mask, or each scale on its prefix."""
    schedule, heads, width = (square(1, 2, 3), 2, 8) if small else (VAR_256, 8, 64)
    length = token_count(schedule)
    device = pick_device()
    q, k, v = (
        _normal(3, heads, length, width)[i : i + 1].requires_grad_(backward) for i in range(3)
    )
    scale_of = torch.cat([torch.full((h * w,), i) for i, (h, w) in enumerate(schedule)])
    dense = torch.where(scale_of[None] > scale_of[:, None], -torch.inf, 0.0).to(device)
    groups = scale_groups(schedule, device)

    def prefixes(kernel: Callable) -> Tensor:
        return torch.cat(
            [kernel(q[:, :, a:b], k[:, :, :b], v[:, :, :b], mask) for a, b, mask in groups], 2
        )

    def run(function: Candidate) -> Tensor:
        out = function()
        return torch.cat(torch.autograd.grad(out.square().sum(), (q, k, v))) if backward else out

    return Question(
        f"attention, {'forward and backward' if backward else 'forward'}",
        {
            "scaled_dot_product_attention, dense mask": lambda: run(
                lambda: F.scaled_dot_product_attention(q, k, v, attn_mask=dense)
            ),
            "fused kernel on each scale's prefix": lambda: run(
                lambda: prefixes(F.scaled_dot_product_attention)
            ),
            "varbook": lambda: run(
                lambda: prefixes(lambda q, k, v, mask: attend(q, k, v, width**-0.5, mask))
            ),
        },
    )


def relaxed(small: bool = False) -> Question:
    """Softmax relaxed quantization of 680 tokens with its gradient: as printed, or the package's."""
    rows, vocab_size, width = (16, 32, 8) if small else (token_count(VAR_256), 4096, 32)
    logits = _normal(rows, vocab_size).requires_grad_()
    vectors = _normal(vocab_size, width)

    def gradient(mixed: Tensor) -> Tensor:
        return torch.autograd.grad(mixed.square().sum(), logits)[0]

    return Question(
        "SRQ, forward and backward",
        {
            "softmax(l / tau) @ Z": lambda: gradient((logits / 2.0).softmax(-1) @ vectors),
            "varbook": lambda: gradient(relax(logits, vectors, "softmax", temperature=2.0)),
        },
    )


def _models(small: bool) -> tuple[Tokenizer, NextScaleModel]:
    schedule, width, vocab_size = (square(1, 2, 4), 32, 32) if small else (VAR_256, 256, 1024)
    torch.manual_seed(0)
    tokenizer = Tokenizer(
        TokenizerConfig(schedule=schedule, vocab_size=vocab_size, code_dim=16, channels=(16, 32))
    )
    model = NextScaleModel(
        NextScaleConfig(
            schedule=schedule,
            vocab_size=vocab_size,
            code_dim=16,
            classes=4,
            depth=4,
            width=width,
            heads=4,
        )
    )
    with torch.no_grad():
        model.head.weight.mul_(50)  # sharp enough for two ways of summing to choose the same token
    return tokenizer.to(pick_device()).eval(), model.to(pick_device()).eval()


@torch.no_grad()
def _generate_again(model: NextScaleModel, tokenizer: Tokenizer, labels: Tensor) -> Tensor:
    """Greedy generation without a cache: every scale runs all scales before it once more."""
    schedule, pyramid = model.config.schedule, tokenizer.pyramid
    picture, maps = pyramid.start(len(labels), schedule[-1]), [None]
    for k, (height, width) in enumerate(schedule):
        logits = model(maps, labels, schedule[: k + 1])[:, -height * width :]  # B h*w V
        tokens = logits.argmax(-1).view(-1, height, width)
        picture = pyramid.add(
            picture, tokenizer.codebook.lookup(tokens).permute(0, 3, 1, 2), k, len(schedule)
        )
        if k + 1 < len(schedule):
            maps.append(pyramid.next_input(picture, schedule[k + 1]))
    return picture


def sampling(small: bool = False) -> Question:
    """Ten scales of one image, greedy: with a key-value cache, or without."""
    tokenizer, model = _models(small)
    labels = torch.zeros(1, dtype=torch.long, device=pick_device())
    return Question(
        "sampling, 10 scales",
        {
            "no cache": lambda: _generate_again(model, tokenizer, labels),
            "varbook": lambda: generate(
                model, tokenizer, labels, drawing=Drawing(guidance=0.0, top_k=1)
            ).latents[-1],
        },
    )


def translation(small: bool = False) -> Question:
    """CycleVAR's transformer alone: K serial passes with a cache, or one pass (CycleVAR table 3)."""
    tokenizer, model = _models(small)
    modes = {
        mode: CycleVAR(tokenizer, model, CycleVARConfig(mode=mode))
        for mode in ("serial", "parallel")
    }
    latent = tokenizer.config.schedule[-1]
    labels = torch.zeros(1, dtype=torch.long, device=pick_device())
    with torch.no_grad():
        source = modes["serial"].context(tokenizer.quantise(_normal(1, 16, *latent)).latents)

    def run(mode: str) -> Tensor:
        with torch.no_grad():
            return modes[mode].latent(source, labels)

    return Question(
        "CycleVAR, transformer alone",
        {
            "serial, with cache": lambda: run("serial"),
            "parallel": lambda: run("parallel"),
        },
        equal=False,
    )


def toy_world(small: bool = False) -> Question:
    """Drawing the toy world at 64 x 64: in this process, or in as many as there are cores."""
    count = 4 if small else 600
    order = Order(0, 64, 64, SPECIES, (1.0,) * len(SPECIES), False, False)

    def draw(processes: int | None) -> None:
        with tempfile.TemporaryDirectory() as folder:
            render_files(order, count, Path(folder), processes)

    return Question(
        "toy world, 64 x 64",
        {
            "one process": lambda: draw(1),
            "varbook": lambda: draw(None),
        },
        equal=False,
        per_call=count,
    )


QUESTIONS: tuple[Callable[[bool], Question], ...] = (
    nearest_code,
    attention,
    lambda small: attention(small, backward=True),
    relaxed,
    sampling,
    translation,
    toy_world,
)


COLUMNS = {
    "question": 32,
    "candidate": 42,
    "median ms": 11,
    "fastest ms": 11,
    "times as fast": 14,
    "per second": 11,
    "rounds": 7,
}


def line(row: dict) -> str:
    """Return a row of the table as text of fixed width, numbers to the right."""
    cells = []
    for name, width in COLUMNS.items():
        text = "" if row[name] is None else str(row[name])
        cells.append(text.ljust(width) if name in ("question", "candidate") else text.rjust(width))
    return "".join(cells)


def main() -> int:
    """Answer every question and print the table as it grows."""
    print(
        f"torch {torch.__version__}, {pick_device()}, {torch.get_num_threads()} threads; candidates take turns, medians\n"
    )
    print(line({name: name for name in COLUMNS}))
    began = time.perf_counter()
    for make in QUESTIONS:
        for row in answer(make(False)):
            print(line(row), flush=True)
    print(f"\n{time.perf_counter() - began:.0f} s in all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
