"""The rivals that translate by diffusion: SDEdit, DDIB and Cycle-Diffusion, three ways to use one
class-conditional model.

None is trained to translate. Each takes the source's features up towards noise and comes down again
with the other class; they differ in the way up: any noise at all (SDEdit, Meng et al. 2022), the
noise that the model itself walks to (DDIB, Su et al. 2023), or random noise on the way up that is
remembered and used again on the way down (Cycle-Diffusion, Wu and De la Torre 2023).
"""

import math

import torch
from torch import Tensor, nn

from varbook.errors import VarbookError
from varbook.generate.rival_sampling import direction, walk
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.transformer.rival_generators import DiffusionModel

# How far up each method goes by default: 1 is pure noise. SDEdit keeps of the source only what this
# much noise leaves.
STRENGTHS = {"sdedit": 0.6, "ddib": 1.0, "cyclediffusion": 0.8}


def noised(clean: Tensor, noise: Tensor, t: float) -> Tensor:
    """Return clean maps under noise at time t in [0, 1]: cos(pi t / 2) clean + sin(pi t / 2) noise."""
    angle = math.pi / 2 * t
    return math.cos(angle) * clean + math.sin(angle) * noise


def random_step(x: Tensor, clean: Tensor, t: float, to: float) -> tuple[Tensor, float]:
    """Return mean and spread of the map at time `to` < t, given x at time t and the clean map:
    DDPM's step (DDIM's eta = 1).
    """
    a, b = math.pi / 2 * t, math.pi / 2 * to
    # share of the noise at `to` that is fresh: sin(b) / sin(a) sqrt(1 - cos(a)^2 / cos(b)^2)
    spread = math.sin(b) / math.sin(a) * math.sqrt(max(0.0, 1 - (math.cos(a) / math.cos(b)) ** 2))
    noise = (x - math.cos(a) * clean) / math.sin(a)
    return math.cos(b) * clean + math.sqrt(max(0.0, math.sin(b) ** 2 - spread**2)) * noise, spread


class DiffusionTranslator(nn.Module):
    """A class-conditional diffusion model that translates, called as CycleVAR is: images (B, 3, H,
    W), target classes (B,) -> images.

    `targets` are the two class labels; a source is taken to be of the class
    that is not its target. `strength` in (0, 1] is how far up the source goes,
    `guidance` the strength towards the target on the way down (0: none).
    Raises VarbookError for an unknown method or a strength outside (0, 1].
    """

    def __init__(
        self,
        model: DiffusionModel,
        tokenizer: Tokenizer,
        targets: tuple[int, int],
        method: str = "sdedit",
        *,
        strength: float | None = None,
        passes: int = 25,
        guidance: float = 0.0,
        seed: int = 0,
    ):
        super().__init__()
        if method not in STRENGTHS:
            raise VarbookError(
                f"There is no rival {method!r}; choose one of {', '.join(STRENGTHS)}."
            )
        self.model, self.tokenizer, self.targets, self.method = model, tokenizer, targets, method
        self.strength = STRENGTHS[method] if strength is None else strength
        self.passes, self.guidance, self.seed = passes, guidance, seed
        if not 0 < self.strength <= 1:
            raise VarbookError(
                f"The strength must lie above 0 and at most at 1, not at {strength}."
            )

    @torch.no_grad()
    def forward(self, image: Tensor, target: Tensor) -> Tensor:
        """Translate; the same images always give the same
        translations, as the noise is drawn from `seed`.
        """
        clean = self.model.normalise(self.tokenizer.encode(image))  # B C h w
        # The class of the pair that is not the target.
        source = target.new_tensor(sum(self.targets)) - target
        falling = [self.strength * (1 - k / self.passes) for k in range(self.passes + 1)]
        generator = torch.Generator().manual_seed(self.seed)
        if self.method == "cyclediffusion":
            x = self._remembered(clean, source, target, falling, generator)
        else:
            if self.method == "sdedit":
                noise = torch.randn(clean.shape, generator=generator).to(clean.device)
                top = noised(clean, noise, self.strength)
            else:  # the way up is the source class's own: no randomness anywhere
                top = walk(self.model, clean, source, falling[::-1])
            x = walk(self.model, top, target, falling, self.guidance)
        # Rounded to codes, as nothing else was ever decoded; of either pyramid the last picture is
        # the whole one.
        codes = self.tokenizer.quantise(self.model.restore(x)).latents[-1]  # B C h w
        return self.tokenizer.decode(codes).clamp(-1, 1)

    def _clean(self, x: Tensor, labels: Tensor, t: float, guidance: float = 0.0) -> Tensor:
        # What the model takes the clean map to be: cos(a) x - sin(a) v.
        v = direction(self.model, x, labels, t, guidance)
        return math.cos(math.pi / 2 * t) * x - math.sin(math.pi / 2 * t) * v

    def _remembered(
        self, clean: Tensor, source: Tensor, target: Tensor, falling: list[float], generator
    ) -> Tensor:
        def draw() -> Tensor:
            return torch.randn(clean.shape, generator=generator).to(clean.device)

        theirs = ours = noised(clean, draw(), falling[0])
        for t, to in zip(falling, falling[1:], strict=False):
            mean, spread = random_step(theirs, clean, t, to)
            below = mean + spread * draw()  # where a random walk that ends at the source comes by
            # the fresh noise that takes the source class there; spread is 0 on the last step, whose
            # correction is the mean's error
            expected, _ = random_step(theirs, self._clean(theirs, source, t), t, to)
            ours, _ = random_step(ours, self._clean(ours, target, t, self.guidance), t, to)
            ours, theirs = ours + (below - expected), below
        return ours
