"""The smoke profile: every part tiny, for tests: the code runs, its numbers mean nothing.

A field of a chain's parts that is not named here has the default of its class. No profile takes
anything from another.
"""

from varbook.book.models.profiles.fields import (
    WORDS,
    Ablation,
    Chain,
    Flat,
    Judges,
    OtherSizes,
    Profile,
    Rivals,
)
from varbook.tokenizer.schedule import square
from varbook.tokenizer.tokenizer import TokenizerConfig
from varbook.train.fit_cyclevar import CycleVARTraining
from varbook.train.fit_next_scale import NextScaleTraining
from varbook.train.fit_tokenizer import TokenizerTraining
from varbook.transformer.model import NextScaleConfig
from varbook.transformer.text_model import TextNextScaleConfig
from varbook.world.scene import SPECIES

SMOKE = Profile(
    name="smoke",
    seed=0,
    chains={
        # The toy world: the chain of most chapters.
        "toy": Chain(
            image_size=32,
            tokenizer=TokenizerConfig(
                schedule=square(1, 2, 3, 4), vocab_size=64, code_dim=16, channels=(16, 32, 32)
            ),
            tokenizer_training=TokenizerTraining(steps=30, batch=8, warmup=3),
            model=NextScaleConfig(
                schedule=square(1, 2, 3, 4),
                vocab_size=64,
                code_dim=16,
                classes=len(SPECIES),
                depth=2,
                width=32,
                heads=2,
            ),
            model_training=NextScaleTraining(steps=20, batch=8, max_steps=4),
            cyclevar_training=CycleVARTraining(steps=6, batch=2, identity_steps=2, warmup=1),
            other_sizes=OtherSizes(
                training=NextScaleTraining(
                    steps=6,
                    batch=8,
                    max_steps=4,
                    latents=((4, 8), (8, 4), (8, 8)),
                    own_size=0.25,
                ),
                scenes=16,
                told=True,
            ),
        ),
        "photographs": Chain(
            image_size=32,
            tokenizer=TokenizerConfig(
                schedule=square(1, 2, 3, 4), vocab_size=64, code_dim=16, channels=(16, 32, 32)
            ),
            tokenizer_training=TokenizerTraining(steps=30, batch=8, warmup=3),
            model=NextScaleConfig(
                schedule=square(1, 2, 3, 4),
                vocab_size=64,
                code_dim=16,
                classes=2,
                depth=2,
                width=32,
                heads=2,
            ),
            model_training=NextScaleTraining(steps=20, batch=8, max_steps=4),
            cyclevar_training=CycleVARTraining(steps=6, batch=2, identity_steps=2, warmup=1),
        ),
        # Sign bits for codes and a text for the class: Infinity's parts.
        "captions": Chain(
            image_size=32,
            tokenizer=TokenizerConfig(
                schedule=square(1, 2, 3, 4),
                # Sign bits, not learned vectors; Infinity has 32.
                vocab_size=0,
                code_dim=8,
                beta=0.02,
                channels=(16, 32, 32),
                codes_kind="bits",
                bit_entropy=0.05,
            ),
            tokenizer_training=TokenizerTraining(
                steps=20,
                batch=8,
                # There are no vectors that a warm-up could place.
                warmup=0,
            ),
            model=TextNextScaleConfig(
                schedule=square(1, 2, 3, 4),
                vocab_size=0,
                code_dim=8,
                # A text stands where a class stood.
                classes=0,
                depth=2,
                width=32,
                heads=2,
                bits=8,
                words=WORDS,
                text_channels=32,
            ),
            model_training=NextScaleTraining(
                steps=16,
                batch=8,
                max_steps=4,
                # Bitwise self-correction, as in Infinity.
                flips=0.3,
            ),
            cyclevar_training=CycleVARTraining(
                steps=4,
                batch=2,
                lr=8e-4,
                identity_steps=1,
                warmup=1,
                # Day and night differ everywhere: nothing is to be kept as it is.
                keep_l1=0.0,
            ),
        ),
        # The same parts for streets, which this profile never trains.
        "driving": Chain(
            image_size=32,
            tokenizer=TokenizerConfig(
                schedule=square(1, 2, 3, 4),
                vocab_size=0,
                code_dim=8,
                beta=0.02,
                channels=(16, 32, 32),
                codes_kind="bits",
                bit_entropy=0.05,
            ),
            tokenizer_training=TokenizerTraining(steps=10, batch=8, warmup=0),
            model=TextNextScaleConfig(
                schedule=square(1, 2, 3, 4),
                vocab_size=0,
                code_dim=8,
                classes=0,
                depth=2,
                width=32,
                heads=2,
                bits=8,
                words=WORDS,
                text_channels=32,
            ),
            model_training=NextScaleTraining(steps=6, batch=8, max_steps=4, flips=0.3),
            cyclevar_training=CycleVARTraining(
                steps=2,
                batch=2,
                lr=8e-4,
                identity_steps=0,
                warmup=0,
                # Day and night differ everywhere: nothing is to be kept as it is.
                keep_l1=0.0,
            ),
        ),
        # Many trainings at little cost: no perceptual network (at 32 px it sees little), small
        # discriminators, a short average.
        "small": Chain(
            image_size=32,
            tokenizer=TokenizerConfig(
                schedule=square(1, 2, 3, 4), vocab_size=64, code_dim=16, channels=(16, 32, 32)
            ),
            tokenizer_training=TokenizerTraining(steps=30, batch=8, warmup=3),
            model=NextScaleConfig(
                schedule=square(1, 2, 3, 4),
                vocab_size=64,
                code_dim=16,
                classes=len(SPECIES),
                depth=2,
                width=32,
                heads=2,
            ),
            model_training=NextScaleTraining(steps=20, batch=8, max_steps=4),
            cyclevar_training=CycleVARTraining(
                steps=3,
                batch=2,
                identity_steps=0,
                warmup=0,
                cycle_perceptual=0.0,
                identity_perceptual=0.0,
                average=0.98,
                discriminator_channels=(32, 64, 96),
            ),
        ),
    },
    images={
        "toy": 256,
        "captions": 64,
        "small": 256,
    },
    generation="toy",
    published_start=False,
    held_out=16,
    # Nothing is read from outside.
    use_photographs=False,
    use_streets=False,
    flex_depths=(1, 2),
    speed_repeats=2,
    small_seeds=(0, 1),
    ablation=Ablation(
        depth=2,
        width=32,
        heads=2,
        steps=4,
        batch=8,
        images=64,
        seeds=(0, 1),
    ),
    judges=Judges(
        toy_steps=30,
        caption_steps=10,
    ),
    rivals=Rivals(
        generators=("raster", "masked", "diffusion"),
        # Named as in the other profiles; without photographs none is trained.
        photograph_translators=("CycleGAN", "CUT", "SDEdit", "DDIB", "Cycle-Diffusion"),
        pixel_steps={"small": 6, "photographs": 6},
        diffusion_steps={"photographs": 20},
    ),
    flat=Flat(
        steps=4,
        batch=2,
    ),
)
