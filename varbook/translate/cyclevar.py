"""CycleVAR: a next-scale model translates an image that is given to it as context at every scale.

What the paper leaves open is an argument here: see `CycleVARConfig`.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from varbook.config import check_real
from varbook.errors import VarbookError
from varbook.tokenizer.pyramid import down, up
from varbook.tokenizer.schedule import Schedule
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.transformer.checks import check_labels
from varbook.transformer.model import NextScaleModel
from varbook.translate.relaxation import check_relaxation, check_temperature, relax_codes


@dataclass(frozen=True)
class CycleVARConfig:
    """The choices of CycleVAR; the defaults are the paper's where it names one."""

    mode: str = "parallel"  # "parallel": one pass, section 3.2.2; "serial": K passes, section 3.2.1
    alpha: float = 0.5  # share of the generated map in eqs. 6 and 9; the paper gives no value
    temperature: float = 2.0  # tau of eq. 10; the paper's tables use 2
    relaxation: str = "softmax"  # SRQ; the alternatives are for chapter 08
    noise: bool = False  # Gumbel noise on the logits while training; table 5 finds no difference
    context: str = "full"  # "full": F_k of eq. 5 holds the whole picture; "shifted": only the scales before k, as VAR's inputs
    fusion: str = "separate"  # serial mode, eq. 6: "paper": as printed, alpha again at each scale; "separate": fused once
    multi_scale_context: bool = True  # table 4: may scale K see the coarser scales?
    multi_scale_output: bool = True  # table 4: are the coarser scales part of the result?


OPTIONS = {
    "mode": ("parallel", "serial"),
    "context": ("full", "shifted"),
    "fusion": ("paper", "separate"),
}


class CycleVAR(nn.Module):
    """A frozen tokenizer and a trainable next-scale model: G(I, t) of CycleVAR eq. 12."""

    def __init__(
        self, tokenizer: Tokenizer, model: NextScaleModel, config: CycleVARConfig | None = None
    ):
        super().__init__()
        self.config = config or CycleVARConfig()
        if not tokenizer.pyramid.cumulative:
            raise VarbookError(
                "CycleVAR adds up residual scales (eq. 9), so it needs a tokenizer with a residual pyramid."
            )
        for field, options in OPTIONS.items():
            if getattr(self.config, field) not in options:
                raise VarbookError(
                    f'There is no {field} {getattr(self.config, field)!r}; use "{options[0]}" or "{options[1]}".'
                )
        check_real("alpha", self.config.alpha, 0, 1)
        check_temperature(self.config.temperature)
        check_relaxation(self.config.relaxation)
        # Frozen, but not under no_grad: the cycle loss reaches the first translation through it
        # (CycleVAR section 3.2).
        self.tokenizer = tokenizer.requires_grad_(False).eval()
        self.model = model

    def train(self, mode: bool = True) -> "CycleVAR":
        """Set training mode for the model; the tokenizer stays as it is."""
        super().train(mode)
        self.tokenizer.eval()
        return self

    @property
    def schedule(self) -> Schedule:
        """The scales of the tokenizer and of the model."""
        return self.tokenizer.config.schedule

    def source(self, image: Tensor) -> list[Tensor]:
        """Return the context maps F_1..F_K (each B, C, h_k, w_k)
        of an image (B, 3, H, W) in [-1, 1] (CycleVAR eq. 5).

        The gradient passes straight through the quantization to the image (CycleVAR footnote 2).
        """
        quantised = self.tokenizer.quantise(self.tokenizer.encode(image), self.schedule)
        return self.context(quantised.latents)

    def context(self, latents: list[Tensor]) -> list[Tensor]:
        """Return F_1..F_K from the running sums after each scale (each B, C, h, w)."""
        # What VAR sees while it is trained: the sum before scale k.
        if self.config.context == "shifted":
            before = [torch.zeros_like(latents[0]), *latents[:-1]]
            return [
                down(total, size) for total, size in zip(before, self.schedule, strict=False)
            ] + [latents[-1]]
        # F_k = down(sum_j up(R_j), (h_k, w_k))   (CycleVAR eq. 5)
        return [down(latents[-1], size) for size in self.schedule]

    def forward(
        self, image: Tensor, target: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """Translate images (B, 3, H, W) in [-1, 1] into the classes, or texts, `target` (B,) or (B,
        T) -> (B, 3, H, W), not clamped.

        Raises VarbookError where there is no image, or not as many targets.
        """
        targets = check_labels(target, reads=hasattr(self.model, "ids"))
        if image.ndim != 4 or not len(image) or len(targets) not in (1, len(image)):
            raise VarbookError(
                f"{len(targets)} targets do not fit images of shape {tuple(image.shape)}: give images (B, 3, H, W), "
                "one or more, and a target for each."
            )
        return self.tokenizer.decode(self.latent(self.source(image), target, generator))

    def latent(
        self, source: list[Tensor], target: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """Return the translated feature map E (B, C, h, w)
        for context maps F_1..F_K and target classes (B,).
        """
        if self.config.mode == "parallel":
            return self._parallel(source, target, generator)
        return self._serial(source, target, generator)

    def code_map(
        self, logits: Tensor, size: tuple[int, int], generator: torch.Generator | None = None
    ) -> Tensor:
        """Return the relaxed code map R_k (B, C, h, w) of one
        scale's logits (B, h*w, V) (CycleVAR eqs. 10, 11).
        """
        mixed = relax_codes(
            logits,
            self.tokenizer.codebook,
            self.config.relaxation,
            temperature=self.config.temperature,
            noise=self.config.noise and self.training,
            generator=generator,
        )  # B h*w C
        return mixed.transpose(1, 2).unflatten(2, size)  # B C h w

    def _parallel(
        self, source: list[Tensor], target: Tensor, generator: torch.Generator | None
    ) -> Tensor:
        """All scales in one pass: R_k = Q(T(F_k, (F_1..F_k), t)) (CycleVAR eq. 8)."""
        steps, pyramid = len(self.schedule), self.tokenizer.pyramid
        logits = self._all_logits(source[:steps], target).split(
            [h * w for h, w in self.schedule], 1
        )
        total = torch.zeros_like(source[-1])
        for k, size in enumerate(self.schedule):
            if self.config.multi_scale_output or k == steps - 1:
                total = pyramid.add(total, self.code_map(logits[k], size, generator), k, steps)
        # E = alpha sum_k up(R_k) + (1 - alpha) F_K   (CycleVAR eq. 9)
        return self.config.alpha * total + (1 - self.config.alpha) * source[-1]

    def _all_logits(self, source: list[Tensor], target: Tensor) -> Tensor:
        if self.config.multi_scale_context:
            return self.model(list(source), target, self.schedule)  # B L V
        # Table 4, last row: every scale is a sequence of its own and sees no coarser one.
        model, condition = self.model, self.model.condition(target)
        modulations = model.modulations(condition)
        parts = []
        for k, seen in enumerate(source):
            x = model.embed([seen], condition, self.schedule, first=k)  # B h*w C
            parts.append(model.step(x, condition, modulations, model.new_caches(self.schedule[k:])))
        return torch.cat(parts, 1)

    def _serial(
        self, source: list[Tensor], target: Tensor, generator: torch.Generator | None
    ) -> Tensor:
        """Scale by scale, each pass seeing what the earlier ones made (CycleVAR eqs. 6, 7)."""
        model, alpha, steps = self.model, self.config.alpha, len(self.schedule)
        pyramid, latent = self.tokenizer.pyramid, self.schedule[-1]
        condition = model.condition(target)  # B C
        modulations, caches = model.modulations(condition), model.new_caches()
        fused: Tensor | None = None  # H_{k-1}; H_0 is the class embedding, no picture yet
        total = torch.zeros_like(source[-1])  # S_k, for fusion="separate"
        for k, size in enumerate(self.schedule):
            seen = None if fused is None else down(fused, size)
            logits = model.step(
                model.embed([seen], condition, self.schedule, first=k),
                condition,
                modulations,
                caches,
            )
            # R_k = Q(T(H_{k-1}, (H_0..H_{k-1}), t))   (CycleVAR eq. 7)
            codes = self.code_map(logits, size, generator)
            if self.config.fusion == "paper":
                # H_k = up(alpha (R_k + H_{k-1}) + (1 - alpha) F_k)   (CycleVAR eq. 6, as printed)
                before = torch.zeros_like(source[-1]) if fused is None else fused
                fused = alpha * pyramid.add(before, codes, k, steps) + (1 - alpha) * up(
                    source[k], latent
                )
            else:
                # the generated sum is kept apart, so that alpha weighs every scale once, as in eq.
                # 9
                total = pyramid.add(total, codes, k, steps)
                fused = alpha * total + (1 - alpha) * up(source[k], latent)
        assert fused is not None  # a schedule has one scale or more
        return fused
