"""From logits to tokens: classifier-free guidance, top-k, top-p."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Drawing:
    """How codes are drawn: the settings of `generate` in one piece, for functions that pass them on."""

    guidance: float = 1.5  # strength of classifier-free guidance at the last scale
    top_k: int = 0  # codes that may be drawn at each place, 0: all
    top_p: float = 0.0  # probability that the codes drawn from must reach, 0: all
    temperature: float = 1.0
    ramp_to: int | None = None  # scale from which on the guidance stays as it is, None: the last
    greedy_above: int | None = None  # scales with a longer side get their likeliest codes


def guide(conditional: Tensor, unconditional: Tensor, strength: float) -> Tensor:
    """Return logits pushed away from the unconditional ones: (1 + t) c - t u; strength t = 0 leaves `conditional` as it is."""
    return (1 + strength) * conditional - strength * unconditional


def guidance_at(guidance: float, k: int, steps: int, ramp_to: int | None = None) -> float:
    """Return the strength at scale k (from 0): it grows linearly, from none at the first scale to `guidance` at the last.

    FlexVAR's code ends the ramp at scale `ramp_to` (its 9) and stays constant after; VAR ramps over all scales.
    """
    last = steps - 1 if ramp_to is None else min(steps - 1, ramp_to)
    return guidance * min(k / last, 1.0) if last else 0.0


def sample_tokens(
    logits: Tensor, *, top_k: int = 0, top_p: float = 0.0, temperature: float = 1.0, generator: torch.Generator | None = None
) -> Tensor:
    """Draw one token per row of `logits` (..., V) -> long (...).

    First the `top_k` best are kept (0: all), then the best whose probabilities reach `top_p` (0: all); the best one always
    stays. top_k = 1 is greedy and draws nothing.
    """
    if top_k == 1:
        return logits.argmax(-1)
    size = logits.shape[-1]
    kept = min(top_k or size, size)
    # Sorting the survivors alone, not the vocabulary, is what makes top-p cheap.
    best, index = (logits.float() / temperature).topk(kept, -1)  # ... k, in falling order
    probabilities = best.softmax(-1)
    if 0.0 < top_p < 1.0:
        before = probabilities.cumsum(-1) - probabilities  # mass of the better ones
        probabilities = probabilities.masked_fill(before >= top_p, 0.0)
    drawn = torch.multinomial(probabilities.flatten(0, -2).cpu(), 1, generator=generator).to(logits.device)  # N 1
    return index.flatten(0, -2).gather(1, drawn).view(logits.shape[:-1])
