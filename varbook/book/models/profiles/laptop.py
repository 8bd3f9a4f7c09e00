"""The laptop profile: what comes with the book: minutes to hours on a processor of a few cores.

A field of a chain's parts that is not named here has the default of its class. No profile takes
anything from another.
"""

from varbook.book.models.profiles.fields import (
    WORDS,
    Ablation,
    Chain,
    Flat,
    Judges,
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

LAPTOP = Profile(
    name="laptop",
    seed=0,
    chains={
        # The toy world: the chain of most chapters.
        "toy": Chain(
            image_size=64,
            tokenizer=TokenizerConfig(
                schedule=square(1, 2, 3, 4, 5, 6, 8),
                vocab_size=512,
                code_dim=16,
                channels=(24, 64, 96),
            ),
            tokenizer_training=TokenizerTraining(steps=2400, batch=8),
            model=NextScaleConfig(
                schedule=square(1, 2, 3, 4, 5, 6, 8),
                vocab_size=512,
                code_dim=16,
                classes=len(SPECIES),
                depth=4,
                width=192,
                heads=6,
            ),
            model_training=NextScaleTraining(steps=1600, batch=16, max_steps=7),
            cyclevar_training=CycleVARTraining(steps=1800, batch=4),
        ),
        # Photographs, of horses and zebras: a tokenizer that is trained in minutes. A line
        # through it helps at once; no discriminator.
        "photographs": Chain(
            image_size=64,
            tokenizer=TokenizerConfig(
                schedule=square(1, 2, 4, 8, 16), vocab_size=1024, code_dim=16, channels=(32, 96)
            ),
            tokenizer_training=TokenizerTraining(
                steps=3000, batch=16, l2=1.0, perceptual=0.15, gan=0.0, gan_start=0.7
            ),
            model=NextScaleConfig(
                schedule=square(1, 2, 4, 8, 16),
                vocab_size=1024,
                code_dim=16,
                classes=2,
                depth=4,
                width=128,
                heads=4,
            ),
            model_training=NextScaleTraining(steps=300, batch=16, max_steps=5),
            cyclevar_training=CycleVARTraining(
                steps=2400,
                batch=2,
                lr=3e-4,
                cycle_l1=0.5,
                cycle_perceptual=0.25,
                # The land differs from domain to domain too, so less is to be kept.
                keep_l1=0.5,
                gan=2.0,
                # Patches judge texture; frozen features judge which object has it.
                discriminator="patch+features",
            ),
        ),
        # The toy world in sign bits and captions: Infinity's parts at this profile's sizes.
        "captions": Chain(
            image_size=48,
            tokenizer=TokenizerConfig(
                schedule=square(1, 2, 3, 4, 6),
                # Sign bits, not learned vectors; Infinity has 32.
                vocab_size=0,
                code_dim=24,
                beta=0.02,
                channels=(24, 64, 64),
                codes_kind="bits",
                bit_entropy=0.05,
            ),
            tokenizer_training=TokenizerTraining(
                steps=2000,
                batch=8,
                # There are no vectors that a warm-up could place.
                warmup=0,
            ),
            model=TextNextScaleConfig(
                schedule=square(1, 2, 3, 4, 6),
                vocab_size=0,
                code_dim=24,
                # A text stands where a class stood.
                classes=0,
                depth=2,
                width=192,
                heads=6,
                bits=24,
                words=WORDS,
                text_channels=32,
            ),
            model_training=NextScaleTraining(
                steps=1500,
                batch=24,
                max_steps=5,
                # Bitwise self-correction, as in Infinity.
                flips=0.3,
            ),
            cyclevar_training=CycleVARTraining(
                steps=300,
                batch=2,
                lr=8e-4,
                identity_steps=100,
                # Day and night differ everywhere: nothing is to be kept as it is.
                keep_l1=0.0,
            ),
        ),
        # Photographs of streets by day and by night: bits and texts as for the captions, texture
        # as for the horses, trained in minutes.
        "driving": Chain(
            image_size=64,
            tokenizer=TokenizerConfig(
                schedule=square(1, 2, 4, 8, 16),
                vocab_size=0,
                code_dim=32,
                beta=0.02,
                channels=(32, 96),
                codes_kind="bits",
                bit_entropy=0.05,
            ),
            tokenizer_training=TokenizerTraining(
                steps=2000, batch=8, l2=1.0, perceptual=0.15, gan=0.0, gan_start=0.7, warmup=0
            ),
            model=TextNextScaleConfig(
                schedule=square(1, 2, 4, 8, 16),
                vocab_size=0,
                code_dim=32,
                classes=0,
                depth=3,
                width=128,
                heads=4,
                bits=32,
                words=WORDS,
                text_channels=64,
            ),
            model_training=NextScaleTraining(steps=300, batch=8, max_steps=5, flips=0.3),
            cyclevar_training=CycleVARTraining(
                steps=600,
                batch=2,
                lr=8e-4,
                identity_steps=100,
                cycle_l1=1.0,
                # Day and night differ everywhere: nothing is to be kept as it is.
                keep_l1=0.0,
            ),
        ),
        # Many trainings at little cost: no perceptual network (at 32 px it sees little), small
        # discriminators, a short average.
        "small": Chain(
            image_size=32,
            tokenizer=TokenizerConfig(
                schedule=square(1, 2, 3, 4, 5, 6, 8), vocab_size=512, code_dim=16, channels=(32, 64)
            ),
            tokenizer_training=TokenizerTraining(steps=1200, batch=8),
            model=NextScaleConfig(
                schedule=square(1, 2, 3, 4, 5, 6, 8),
                vocab_size=512,
                code_dim=16,
                classes=len(SPECIES),
                depth=3,
                width=64,
                heads=4,
            ),
            model_training=NextScaleTraining(steps=700, batch=16, max_steps=7),
            cyclevar_training=CycleVARTraining(
                steps=480,
                batch=2,
                lr=8e-4,
                identity_steps=60,
                warmup=20,
                cycle_perceptual=0.0,
                identity_perceptual=0.0,
                average=0.98,
                discriminator_channels=(32, 64, 96),
            ),
        ),
    },
    images={
        "toy": 12_000,
        "captions": 6000,
        "small": 4000,
    },
    generation="toy",
    published_start=False,
    held_out=256,
    use_photographs=True,
    use_streets=True,
    flex_depths=(2, 3, 4),
    speed_repeats=10,
    small_seeds=(0, 1, 2),
    ablation=Ablation(
        depth=3,
        width=64,
        heads=4,
        steps=150,
        batch=8,
        images=1000,
        seeds=(0, 1, 2),
    ),
    judges=Judges(
        toy_steps=400,
        caption_steps=600,
    ),
    rivals=Rivals(
        generators=("raster", "masked", "diffusion"),
        photograph_translators=("CycleGAN", "CUT", "SDEdit", "DDIB", "Cycle-Diffusion"),
        # On photographs as long, on the clock, as CycleVAR is trained there.
        pixel_steps={"small": 1100, "photographs": 3600},
        diffusion_steps={"photographs": 4000},
    ),
    flat=Flat(
        steps=600,
        batch=4,
    ),
)
