"""Four profiles of the book: sizes and steps only, never other code paths."""

import os
from dataclasses import dataclass, replace

from varbook.errors import VarbookError
from varbook.tokenizer.schedule import square
from varbook.tokenizer.tokenizer import TokenizerConfig
from varbook.train.fit_cyclevar import CycleVARTraining
from varbook.train.fit_next_scale import NextScaleTraining
from varbook.train.fit_tokenizer import TokenizerTraining
from varbook.transformer.model import NextScaleConfig
from varbook.transformer.text_model import TextNextScaleConfig
from varbook.transformer.words import vocabulary
from varbook.world.scene import SPECIES, every_caption

# The animals of chapter 11, whose captions its models read.
CAPTIONED = ("horse", "zebra", "cow", "giraffe", "elephant", "sheep")


@dataclass(frozen=True)
class Chain:
    """What a translator needs, one after the other: tokenizer, next-scale model, CycleVAR."""

    image_size: int
    tokenizer: TokenizerConfig
    tokenizer_training: TokenizerTraining
    model: NextScaleConfig
    model_training: NextScaleTraining
    cyclevar_training: CycleVARTraining


@dataclass(frozen=True)
class Profile:
    """Sizes and steps of one profile."""

    name: str
    seed: int
    toy: Chain  # the toy world
    photographs: Chain  # horse2zebra
    captions: Chain  # the toy world in sign bits and captions (chapter 11)
    driving: Chain  # the same parts on photographs of streets by day and by night (chapter 11)
    study: Chain  # a small toy chain on which CycleVAR is taken apart (chapter 10): dozens of short trainings
    toy_images: int  # training images of the toy world; half of them horses and zebras
    held_out: int  # held-out scenes per domain
    judge_steps: int
    use_photographs: bool = True
    use_streets: bool = (
        False  # does chapter 11 show day2night, too: a tokenizer, a model and a translator more?
    )
    flex_depths: tuple[int, ...] = (
        4,
    )  # quality over steps is drawn for these (FlexVAR figure 7, tables 2 and 7)
    rivals: tuple[
        str, ...
    ] = ()  # of FlexVAR table 2, each trained like the next-scale models: "raster", "masked", "diffusion"
    speed_repeats: int = 10  # timings are averaged over this many runs (CycleVAR table 3)
    baseline_steps: int = 1100  # of the translators in pixels, CycleGAN and CUT, on the chain `study` (CycleVAR table 1)
    photograph_rivals: tuple[
        str, ...
    ] = ()  # of CycleVAR table 1, those that are trained on photographs too
    photograph_baseline_steps: int = 3600  # of CycleGAN and CUT there: as long, on the clock, as CycleVAR on photographs is trained
    photograph_diffusion_steps: int = 4000  # of the diffusion model that the other three share
    ablation_size: tuple[int, int, int] = (
        3,
        64,
        4,
    )  # depth, width, heads of the next-scale models of FlexVAR tables 4 to 6
    ablation_steps: int = 150  # of each of them
    ablation_batch: int = 8
    ablation_images: int = (
        1000  # training images of these models; their mirror images count as well
    )
    caption_images: int = (
        6000  # training images of chapter 11, by day and by night, as photographs and flat
    )
    caption_judge_steps: int = 600
    style_steps: int = 600  # of the translator between photographs and flat pictures: outlines take longer than light
    style_batch: int = 4
    ablation_seeds: tuple[int, ...] = (0, 1, 2)  # every row is trained once with each
    study_images: int = 4000  # training images of the chain `study`; half of them horses and zebras
    study_seeds: tuple[int, ...] = (
        0,
        1,
        2,
    )  # of the rows of chapter 10 that carry a claim; the others have the first alone

    @property
    def image_size(self) -> int:
        """Side of the toy world's images in pixels."""
        return self.toy.image_size

    @property
    def photograph_diffusion(self) -> Chain:
        """The chain `photographs` with the steps of its diffusion model."""
        training = replace(self.photographs.model_training, steps=self.photograph_diffusion_steps)
        return replace(self.photographs, model_training=training)

    @property
    def ground_truth_steps(self) -> int:
        """Steps of the tokenizers that FlexVAR figure 3 holds against the residual one: as many as
        that one has.
        """
        return self.toy.tokenizer_training.steps


_SMALL = square(1, 2, 3, 4)
_EIGHT = square(1, 2, 3, 4, 5, 6, 8)
_SIXTEEN = square(1, 2, 4, 8, 16)
_VAR = square(1, 2, 3, 4, 5, 6, 8, 10, 13, 16)
_SIX = square(1, 2, 3, 4, 6)


def _chain(
    size: int,
    schedule,
    channels,
    codes: int,
    width: int,
    heads: int,
    steps,
    batch,
    classes: int = len(SPECIES),
    depth: int = 4,
) -> Chain:
    warmup = min(150, steps[0] // 8)  # steps without quantisation
    return Chain(
        image_size=size,
        tokenizer=TokenizerConfig(schedule=schedule, channels=channels, codes=codes, code_dim=16),
        tokenizer_training=TokenizerTraining(steps=steps[0], batch=batch[0], warmup=warmup),
        model=NextScaleConfig(
            schedule=schedule,
            codes=codes,
            code_dim=16,
            classes=classes,
            depth=depth,
            width=width,
            heads=heads,
        ),
        model_training=NextScaleTraining(steps=steps[1], batch=batch[1], max_steps=len(schedule)),
        cyclevar_training=CycleVARTraining(
            steps=steps[2],
            batch=batch[2],
            warmup=min(50, steps[2] // 4),
            identity_steps=min(150, steps[2] // 3),
        ),
    )


def _study(chain: Chain, lr: float = 4e-4) -> Chain:
    # Many trainings at little cost: no perceptual network (at 32 px it sees little), small
    # discriminators, a short average.
    training = replace(
        chain.cyclevar_training,
        lr=lr,
        identity_steps=chain.cyclevar_training.steps // 8,
        warmup=min(20, chain.cyclevar_training.steps // 4),
        cycle_perceptual=0.0,
        identity_perceptual=0.0,
        average=0.98,
        critic_channels=(32, 64, 96),
    )
    return replace(chain, cyclevar_training=training)


def _photographs(chain: Chain) -> Chain:
    # Photographs are all texture: more weight on what a network perceives, and a discriminator that
    # starts earlier.
    training = replace(
        chain.tokenizer_training, lr=1e-3, l2=1.0, perceptual=0.25, gan=0.05, gan_start=0.7
    )
    # Translations: here the land differs from domain to domain too, and a picture of few horses is
    # best seen often.
    translation = replace(
        chain.cyclevar_training, lr=3e-4, cycle_l1=1.0, cycle_perceptual=0.5, keep_l1=0.5
    )
    tokenizer = replace(chain.tokenizer, line=False)
    return replace(
        chain, tokenizer=tokenizer, tokenizer_training=training, cyclevar_training=translation
    )


def _bits(
    chain: Chain,
    bits: int,
    words: tuple[str, ...] = vocabulary(every_caption(CAPTIONED)),
    channels: int = 64,
) -> Chain:
    """Return `chain` with sign bits for codes and a text for the class: Infinity's parts at this
    chain's sizes.
    """
    tokenizer = replace(
        chain.tokenizer, codes_kind="bits", code_dim=bits, codes=0, beta=0.02, bit_entropy=0.05
    )
    given = chain.model
    model = TextNextScaleConfig(
        schedule=given.schedule,
        bits=bits,
        code_dim=bits,
        codes=0,
        classes=0,
        depth=given.depth,
        width=given.width,
        heads=given.heads,
        words=words,
        text_channels=channels,
    )
    return replace(
        chain,
        tokenizer=tokenizer,
        tokenizer_training=replace(
            chain.tokenizer_training, warmup=0
        ),  # there are no vectors that a warm-up could place
        model=model,
        model_training=replace(chain.model_training, flips=0.3),
        # Day and night differ everywhere: nothing is to be kept as it is.
        cyclevar_training=replace(
            chain.cyclevar_training,
            lr=8e-4,
            keep_l1=0.0,
            identity_steps=min(100, chain.cyclevar_training.steps // 3),
        ),
    )


def _in_minutes(chain: Chain) -> Chain:
    """Return `chain` with a tokenizer of photographs that is trained in minutes: a line through it
    helps at once.
    """
    training = replace(chain.tokenizer_training, lr=2e-3, perceptual=0.15, gan=0.0)
    return replace(
        chain, tokenizer=replace(chain.tokenizer, line=True), tokenizer_training=training
    )


def _horses(chain: Chain) -> Chain:
    """Return a chain of photographs for horses and zebras, whose stripes patches know, and frozen
    features know whose they are.
    """
    training = replace(
        chain.cyclevar_training,
        critic="patch+features",
        gan=2.0,
        cycle_l1=0.5,
        cycle_perceptual=0.25,
    )
    return replace(chain, cyclevar_training=training)


_LAPTOP = Profile(
    name="laptop",
    seed=0,
    toy=_chain(64, _EIGHT, (24, 64, 96), 512, 192, 6, steps=(2400, 1600, 1800), batch=(8, 16, 4)),
    photographs=_horses(
        _in_minutes(
            _photographs(
                _chain(
                    64,
                    _SIXTEEN,
                    (32, 96),
                    1024,
                    128,
                    4,
                    steps=(3000, 300, 2400),
                    batch=(16, 16, 2),
                    classes=2,
                )
            )
        )
    ),
    captions=_bits(
        _chain(
            48, _SIX, (24, 64, 64), 0, 192, 6, steps=(2000, 1500, 300), batch=(8, 24, 2), depth=2
        ),
        bits=24,
        channels=32,
    ),
    driving=_in_minutes(
        _bits(
            _photographs(
                _chain(
                    64,
                    _SIXTEEN,
                    (32, 96),
                    0,
                    128,
                    4,
                    steps=(2000, 300, 600),
                    batch=(8, 8, 2),
                    depth=3,
                )
            ),
            bits=32,
        )
    ),
    study=_study(
        _chain(32, _EIGHT, (32, 64), 512, 64, 4, steps=(1200, 700, 480), batch=(8, 16, 2), depth=3),
        lr=8e-4,
    ),
    toy_images=12_000,
    held_out=256,
    judge_steps=400,
    use_streets=True,
    flex_depths=(2, 3, 4),
    rivals=("raster", "masked", "diffusion"),
    photograph_rivals=("CycleGAN", "CUT", "SDEdit", "DDIB", "Cycle-Diffusion"),
)

_GPU = replace(
    _LAPTOP,
    name="gpu",
    style_steps=10_000,
    style_batch=16,
    toy=_chain(
        64,
        _EIGHT,
        (64, 128, 192),
        1024,
        384,
        6,
        steps=(20_000, 20_000, 10_000),
        batch=(64, 128, 16),
        depth=8,
    ),
    photographs=_horses(
        _photographs(
            _chain(
                128,
                _VAR,
                (64, 128, 192),
                2048,
                512,
                8,
                steps=(30_000, 20_000, 15_000),
                batch=(32, 64, 8),
                classes=2,
                depth=8,
            )
        )
    ),
    captions=_bits(
        _chain(
            64,
            _EIGHT,
            (64, 128, 192),
            0,
            384,
            6,
            steps=(20_000, 20_000, 10_000),
            batch=(64, 128, 16),
            depth=8,
        ),
        bits=32,
    ),
    driving=_bits(
        _photographs(
            _chain(
                128,
                _VAR,
                (64, 128, 192),
                0,
                512,
                8,
                steps=(30_000, 20_000, 15_000),
                batch=(32, 64, 8),
                depth=8,
            )
        ),
        bits=32,
    ),
    study=_study(
        _chain(
            64,
            _EIGHT,
            (64, 128, 192),
            1024,
            384,
            6,
            steps=(20_000, 20_000, 3000),
            batch=(64, 128, 16),
            depth=8,
        )
    ),
    study_images=50_000,
    toy_images=50_000,
    held_out=1000,
    judge_steps=2000,
    baseline_steps=20_000,
    photograph_baseline_steps=15_000,
    photograph_diffusion_steps=20_000,
    flex_depths=(4, 6, 8),
    ablation_size=(8, 384, 6),
    ablation_steps=5000,
    ablation_batch=128,
    ablation_images=50_000,
)

_PAPER = replace(
    _LAPTOP,
    name="paper",
    style_steps=10_000,
    style_batch=16,
    toy=_GPU.toy,
    flex_depths=_GPU.flex_depths,  # the depth of `toy` must be among them
    captions=_GPU.captions,
    driving=_GPU.driving,
    study=_GPU.study,
    study_images=_GPU.study_images,
    photographs=_horses(
        _photographs(
            _chain(
                256,
                _VAR,
                (64, 128, 256, 256),
                4096,
                1024,
                16,
                steps=(200_000, 300_000, 25_000),
                batch=(128, 768, 4),
                classes=1000,
                depth=16,
            )
        )
    ),
    toy_images=200_000,
    held_out=5000,
    judge_steps=5000,
    baseline_steps=100_000,
    photograph_baseline_steps=100_000,
    photograph_diffusion_steps=300_000,
    ablation_size=(20, 1280, 20),
    ablation_steps=70_000,  # FlexVAR section 4.3
    ablation_batch=768,
    ablation_images=200_000,
)

_SMOKE = replace(
    _LAPTOP,
    name="smoke",
    toy=_chain(32, _SMALL, (16, 32, 32), 64, 32, 2, steps=(30, 20, 6), batch=(8, 8, 2), depth=2),
    photographs=_chain(
        32, _SMALL, (16, 32, 32), 64, 32, 2, steps=(30, 20, 6), batch=(8, 8, 2), classes=2, depth=2
    ),
    captions=_bits(
        _chain(32, _SMALL, (16, 32, 32), 0, 32, 2, steps=(20, 16, 4), batch=(8, 8, 2), depth=2),
        bits=8,
        channels=32,
    ),
    driving=_bits(
        _chain(32, _SMALL, (16, 32, 32), 0, 32, 2, steps=(10, 6, 2), batch=(8, 8, 2), depth=2),
        bits=8,
        channels=32,
    ),
    caption_images=64,
    caption_judge_steps=10,
    style_steps=4,
    style_batch=2,
    toy_images=256,
    held_out=16,
    judge_steps=30,
    use_photographs=False,
    use_streets=False,
    flex_depths=(1, 2),
    speed_repeats=2,
    baseline_steps=6,
    study=_study(
        _chain(32, _SMALL, (16, 32, 32), 64, 32, 2, steps=(30, 20, 3), batch=(8, 8, 2), depth=2)
    ),
    study_images=256,
    ablation_size=(2, 32, 2),
    ablation_steps=4,
    ablation_images=64,
    ablation_seeds=(0, 1),
    study_seeds=(0, 1),
)

PROFILES: dict[str, Profile] = {
    profile.name: profile for profile in (_SMOKE, _LAPTOP, _GPU, _PAPER)
}


def profile(name: str | None = None) -> Profile:
    """Return the profile `name`; without a name the one of VARBOOK_PROFILE, else "laptop".
    VarbookError for an unknown name.
    """
    name = name or os.environ.get("VARBOOK_PROFILE") or "laptop"
    if name not in PROFILES:
        raise VarbookError(f"There is no profile {name!r}; use one of {', '.join(PROFILES)}.")
    return PROFILES[name]
