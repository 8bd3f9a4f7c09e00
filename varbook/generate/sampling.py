"""From logits to tokens: classifier-free guidance, top-k, top-p."""

from dataclasses import dataclass

import torch
from torch import Tensor

from varbook.config import added, check_whole, is_real, is_whole
from varbook.errors import VarbookError
from varbook.tokenizer.schedule import Scale

# FlexVAR's released code draws at random at these sides alone, and its guidance reaches full
# strength at this scale (from 0).
RELEASED_SIDES = (1, 2, 3, 4, 5, 6, 8, 10, 13, 16)
RELEASED_RAMP = 9
COLDEST = 1e-6  # a temperature below which logits over it no longer fit into float32


@dataclass(frozen=True)
class Drawing:
    """How codes are drawn from the logits of a next-scale model."""

    guidance: float = 1.5  # strength of classifier-free guidance at the last scale
    top_k: int = 0  # codes that may be drawn at each place, 0: all
    top_p: float = 0.0  # cumulative probability that top-p sampling keeps, 0: all
    temperature: float = 1.0
    ramp_to: int | None = None  # scale from which on the guidance stays as it is, None: the last
    greedy_above: int | None = None  # scales with a longer side get their likeliest codes
    released: bool = added(False)  # as FlexVAR's code draws: see `released_choices`

    def __post_init__(self):
        check_drawing(self.guidance, self.top_k, self.top_p, self.temperature)
        if self.ramp_to is not None:
            check_whole("ramp_to", self.ramp_to, 0)
        if self.greedy_above is not None:
            check_whole("greedy_above", self.greedy_above, 0)


def check_drawing(
    guidance: float = 0.0, top_k: int = 0, top_p: float = 0.0, temperature: float = 1.0
) -> None:
    """Raise VarbookError where one of the settings of a draw is outside of its range.

    The one place for all: a command, `Drawing` and `sample_tokens` refuse the same.
    """
    if not is_real(guidance):
        raise VarbookError(f"Guidance is a finite number such as 1.5 (0: none), not {guidance!r}.")
    if not is_whole(top_k) or top_k < 0:
        raise VarbookError(f"top_k is a whole number from 1 on, or 0 for all codes, not {top_k!r}.")
    if not is_real(top_p) or not 0.0 <= top_p <= 1.0:
        raise VarbookError(f"top_p is a probability, 0 to 1 (0 and 1: all codes), not {top_p!r}.")
    if not is_real(temperature) or temperature < COLDEST:
        raise VarbookError(
            f"A temperature is a number above 0, not {temperature!r}; for the likeliest codes use top_k=1."
        )


PLAIN = Drawing()  # guided, from all codes


def guide(conditional: Tensor, unconditional: Tensor, strength: float) -> Tensor:
    """Return logits pushed away from the unconditional ones: (1 + s) c - s u with the strength s; 0
    leaves `conditional` as it is.
    """
    return (1 + strength) * conditional - strength * unconditional


def guidance_at(guidance: float, k: int, steps: int, ramp_to: int | None = None) -> float:
    """Return the strength at scale k (from 0): it grows linearly, from none at the first scale to
    `guidance` at the last.

    With `ramp_to` it gets there at that scale and stays; VAR ramps over all scales. For FlexVAR's
    code see `released_choices`.
    """
    if ramp_to == 0:
        return guidance  # no ramp: full strength at every scale
    last = steps - 1 if ramp_to is None else min(steps - 1, ramp_to)
    return guidance * min(k / last, 1.0) if last else 0.0


def released_choices(
    guidance: float, top_k: int, k: int, steps: int, size: Scale
) -> tuple[float, int]:
    """Return strength and top-k at scale k (from 0) of
    `size` as FlexVAR's released code chooses them.

    Sides that its training did not favour, and all beyond 16, are drawn
    greedily. The ramp does not stop at full strength: with 13 steps up to
    16 the last scale has 12 / 9 of it. Beyond 16 the guidance is constant.
    """
    ramp = k / max(min(steps - 1, RELEASED_RAMP), 1)
    strength = guidance if max(size) > max(RELEASED_SIDES) else guidance * ramp
    return strength, top_k if set(size) <= set(RELEASED_SIDES) else 1


def guidance_and_top_k(drawing: Drawing, k: int, steps: int, size: Scale) -> tuple[float, int]:
    """Return strength of guidance and top-k at scale k (from 0) of `size` = (h, w)."""
    strength, top_k = guidance_at(drawing.guidance, k, steps, drawing.ramp_to), drawing.top_k
    if drawing.released:
        strength, top_k = released_choices(drawing.guidance, top_k, k, steps, size)
    greedy = drawing.greedy_above and max(size) > drawing.greedy_above
    return strength, 1 if greedy else top_k


Generators = torch.Generator | list[torch.Generator] | None


def sample_tokens(
    logits: Tensor,
    *,
    top_k: int = 0,
    top_p: float = 0.0,
    temperature: float = 1.0,
    generator: Generators = None,
) -> Tensor:
    """Draw one token per row of `logits` (..., V) -> long (...).

    First the `top_k` best are kept (0: all), then the best whose probabilities reach `top_p` (0:
    all); the best one always stays. top_k = 1 is greedy and draws nothing. With a list of
    generators, image i of (B, ..., V) draws from generator i.
    """
    check_drawing(top_k=top_k, top_p=top_p, temperature=temperature)
    if not logits.ndim or not logits.numel():
        raise VarbookError(f"There is nothing to draw from in logits {tuple(logits.shape)}.")
    if top_k == 1:
        return logits.argmax(-1)
    size = logits.shape[-1]
    candidates = min(top_k or size, size)
    # Sorting the survivors alone, not the vocabulary, is what makes top-p cheap.
    best, index = (logits.float() / temperature).topk(candidates, -1)  # ... k, in falling order
    probabilities = best.softmax(-1)
    if 0.0 < top_p < 1.0:
        before = probabilities.cumsum(-1) - probabilities  # mass of the better ones
        probabilities = probabilities.masked_fill((before >= top_p) & (before > 0), 0.0)
    drawn = _draw(probabilities.cpu(), generator).to(logits.device)  # N 1
    return index.reshape(-1, candidates).gather(1, drawn).view(logits.shape[:-1])


def _draw(probabilities: Tensor, generator: Generators) -> Tensor:
    if not bool(probabilities.isfinite().all()):
        raise VarbookError(
            "These logits hold values that are not numbers, or become too large: look at the model, or "
            "take less guidance and a higher temperature."
        )
    if not isinstance(generator, list):
        flat = probabilities.reshape(-1, probabilities.shape[-1])
        return torch.multinomial(flat, 1, generator=generator)
    if len(generator) != len(probabilities):
        raise VarbookError(
            f"{len(generator)} generators do not serve {len(probabilities)} images; give one for each, or one."
        )
    rows = zip(probabilities, generator, strict=True)
    return torch.cat(
        [torch.multinomial(image.flatten(0, -2), 1, generator=own) for image, own in rows]
    )
