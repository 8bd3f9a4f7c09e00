"""Questions about drawing: VAR-d16 scale by scale, CycleVAR in one pass or in ten."""

import torch
from torch import Tensor

from benchmarks import plain
from benchmarks.kernels import normal
from benchmarks.question import Candidate, Question, autocast
from benchmarks.steps import models
from varbook.device import autocast as package_autocast
from varbook.device import pick_device
from varbook.generate.loop import generate
from varbook.generate.sampling import Drawing
from varbook.pretrained.catalogue import PUBLISHED
from varbook.tokenizer.schedule import square
from varbook.tokenizer.tokenizer import Tokenizer, TokenizerConfig
from varbook.transformer.model import NextScaleConfig, NextScaleModel
from varbook.translate.cyclevar import CycleVAR, CycleVARConfig

GUIDANCE, TOP_K, TOP_P = 1.5, 900, 0.95
SHARPER = 50  # random heads give nearly equal logits, of which rounding would choose the largest


def var_d16(small: bool) -> tuple[Tokenizer, NextScaleModel]:
    """Return VAR-d16 and its tokenizer with random weights, or a tiny pair of the same kind."""
    torch.manual_seed(0)
    if small:
        shape = {"schedule": square(1, 2, 4), "vocab_size": 32, "code_dim": 8}
        coder = TokenizerConfig(
            **shape, channels=(32, 32), patch=1, line=False, autoencoder="vqgan"
        )
        config = NextScaleConfig(**shape, classes=4, depth=2, width=16, heads=2)
    else:
        coder, config = PUBLISHED["var-tokenizer"].config, PUBLISHED["var-d16"].config
    tokenizer, model = Tokenizer(coder), NextScaleModel(config)
    with torch.no_grad():
        tokenizer.codebook.embedding.weight.normal_()
        model.head.weight.mul_(SHARPER)
    return tokenizer.to(pick_device()).eval(), model.to(pick_device()).eval()


class Generation:
    """One image of VAR-d16 at 256 x 256 with guidance, top-k 900 and top-p 0.95."""

    def __init__(self, small: bool):
        self.tokenizer, self.model = var_d16(small)
        self.labels = torch.zeros(1, dtype=torch.long, device=pick_device())
        self.top_k = 16 if small else TOP_K

    def plain(self, greedy: bool = False) -> Tensor:
        """Return the image written out; its tokens (1, L) where `greedy`."""
        generator = torch.Generator(pick_device()).manual_seed(0)
        top_k = 1 if greedy else self.top_k
        image, tokens = plain.generate(
            self.model, self.tokenizer, self.labels, GUIDANCE, top_k, TOP_P, generator
        )
        return torch.cat([one.flatten(1) for one in tokens], 1) if greedy else image

    def package(self, greedy: bool = False) -> Tensor:
        """Return the same from the package."""
        drawing = Drawing(GUIDANCE, 1 if greedy else self.top_k, 0.0 if greedy else TOP_P)
        generator = torch.Generator().manual_seed(0)
        with package_autocast(pick_device()):
            made = generate(
                self.model, self.tokenizer, self.labels, drawing=drawing, generator=generator
            )
        return torch.cat([t.flatten(1) for t in made.tokens], 1) if greedy else made.images

    def equal_tokens(self) -> str:
        """Say in which share of the places the greedy tokens of package and plain form agree."""
        forms = [
            Candidate(lambda: self.plain(greedy=True), plain=True),
            Candidate(lambda: self.package(greedy=True)),
        ]
        first, other = (form() for form in forms)
        share = (first == other).float().mean().item()
        held = "held" if share == 1 else "not held"
        return (
            f"VAR-d16 in float32: {share:.1%} of the greedy tokens are equal; wanted all: {held}."
        )


def generation(small: bool = False) -> Question:
    """The serial generation with a cache; what is drawn differs, greedy tokens are compared."""
    made = Generation(small)
    return Question(
        "VAR-d16, one 256 px image",
        {
            "plain": Candidate(made.plain, plain=True, same=False),
            "plain, bfloat16": Candidate(autocast(made.plain), "bfloat16", plain=True, same=False),
            "varbook": Candidate(made.package, same=False),
            "varbook, bfloat16": Candidate(made.package, "bfloat16", same=False),
        },
        checks=[made.equal_tokens],
    )


def translation(small: bool = False) -> Question:
    """CycleVAR's transformer alone at the papers' geometry: ten passes with a cache, one pass, and
    one pass under a dense mask (CycleVAR table 3).
    """
    tokenizer, model = (one.to(pick_device()).eval() for one in models(small))
    modes = {
        mode: CycleVAR(tokenizer, model, CycleVARConfig(mode=mode))
        for mode in ("serial", "parallel")
    }
    latent, schedule = tokenizer.config.schedule[-1], tokenizer.config.schedule
    labels = torch.zeros(1, dtype=torch.long, device=pick_device())
    with torch.no_grad():
        features = normal(1, tokenizer.config.code_dim, *latent)
        source = modes["serial"].context(tokenizer.quantise(features).latents)
    look = plain.masked(plain.dense_mask(schedule, labels.device))

    @torch.no_grad()
    def package(mode: str) -> Tensor:
        with package_autocast(pick_device()):
            return modes[mode].latent(source, labels)

    @torch.no_grad()
    def written_out() -> Tensor:
        logits = plain.predict(model, source, labels, look)
        total, codes = torch.zeros_like(source[-1]), tokenizer.codebook.embedding.weight
        for k, part in enumerate(logits.split([h * w for h, w in schedule], 1)):
            mixed = plain.srq(part.float(), codes, 2.0).transpose(1, 2).unflatten(2, schedule[k])
            total = plain.add(tokenizer, total, mixed, k, len(schedule))
        return 0.5 * total + 0.5 * source[-1]

    return Question(
        "CycleVAR's transformer",
        {
            "one pass, plain": Candidate(written_out, plain=True),
            "ten passes with cache": Candidate(lambda: package("serial"), same=False),
            "varbook": Candidate(lambda: package("parallel")),
            "varbook, bfloat16": Candidate(lambda: package("parallel"), "bfloat16", same=False),
        },
    )
