"""The gpu profile: one card, a day: larger models of the same worlds.

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

GPU = Profile(
    name="gpu",
    seed=0,
    chains={
        # The toy world: the chain of most chapters.
        "toy": Chain(
            image_size=64,
            tokenizer=TokenizerConfig(
                schedule=square(1, 2, 3, 4, 5, 6, 8),
                vocab_size=1024,
                code_dim=16,
                channels=(64, 128, 192),
            ),
            tokenizer_training=TokenizerTraining(steps=20_000, batch=64),
            model=NextScaleConfig(
                schedule=square(1, 2, 3, 4, 5, 6, 8),
                vocab_size=1024,
                code_dim=16,
                classes=len(SPECIES),
                depth=8,
                width=384,
                heads=6,
            ),
            model_training=NextScaleTraining(steps=20_000, batch=128, max_steps=7),
            cyclevar_training=CycleVARTraining(steps=10_000, batch=16),
            other_sizes=OtherSizes(
                training=NextScaleTraining(
                    steps=4000,
                    batch=128,
                    lr=5e-4,
                    hold=0.4,
                    max_steps=7,
                    latents=((6, 12), (12, 6), (8, 16), (16, 8), (12, 12), (16, 16)),
                    own_size=0.25,
                ),
                scenes=10_000,
                told=True,
            ),
        ),
        # Photographs, of horses and zebras. They are all texture: more weight on what a network
        # perceives, and a discriminator that starts earlier.
        "photographs": Chain(
            image_size=128,
            tokenizer=TokenizerConfig(
                schedule=square(1, 2, 3, 4, 5, 6, 8, 10, 13, 16),
                vocab_size=2048,
                code_dim=16,
                channels=(64, 128, 192),
                line=False,
            ),
            tokenizer_training=TokenizerTraining(
                steps=30_000, batch=32, lr=1e-3, l2=1.0, perceptual=0.25, gan=0.05, gan_start=0.7
            ),
            model=NextScaleConfig(
                schedule=square(1, 2, 3, 4, 5, 6, 8, 10, 13, 16),
                vocab_size=2048,
                code_dim=16,
                classes=2,
                depth=8,
                width=512,
                heads=8,
            ),
            model_training=NextScaleTraining(steps=20_000, batch=64, max_steps=10),
            cyclevar_training=CycleVARTraining(
                steps=15_000,
                batch=8,
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
            image_size=64,
            tokenizer=TokenizerConfig(
                schedule=square(1, 2, 3, 4, 5, 6, 8),
                # Sign bits, not learned vectors; Infinity has 32.
                vocab_size=0,
                code_dim=32,
                beta=0.02,
                channels=(64, 128, 192),
                codes_kind="bits",
                bit_entropy=0.05,
            ),
            tokenizer_training=TokenizerTraining(
                steps=20_000,
                batch=64,
                # There are no vectors that a warm-up could place.
                warmup=0,
            ),
            model=TextNextScaleConfig(
                schedule=square(1, 2, 3, 4, 5, 6, 8),
                vocab_size=0,
                code_dim=32,
                # A text stands where a class stood.
                classes=0,
                depth=8,
                width=384,
                heads=6,
                bits=32,
                words=WORDS,
                text_channels=64,
            ),
            model_training=NextScaleTraining(
                steps=20_000,
                batch=128,
                max_steps=7,
                # Bitwise self-correction, as in Infinity.
                flips=0.3,
            ),
            cyclevar_training=CycleVARTraining(
                steps=10_000,
                batch=16,
                lr=8e-4,
                identity_steps=100,
                # Day and night differ everywhere: nothing is to be kept as it is.
                keep_l1=0.0,
            ),
        ),
        # Photographs of streets by day and by night: bits and texts as for the captions, texture
        # as for the horses.
        "driving": Chain(
            image_size=128,
            tokenizer=TokenizerConfig(
                schedule=square(1, 2, 3, 4, 5, 6, 8, 10, 13, 16),
                vocab_size=0,
                code_dim=32,
                beta=0.02,
                channels=(64, 128, 192),
                line=False,
                codes_kind="bits",
                bit_entropy=0.05,
            ),
            tokenizer_training=TokenizerTraining(
                steps=30_000,
                batch=32,
                lr=1e-3,
                l2=1.0,
                perceptual=0.25,
                gan=0.05,
                gan_start=0.7,
                warmup=0,
            ),
            model=TextNextScaleConfig(
                schedule=square(1, 2, 3, 4, 5, 6, 8, 10, 13, 16),
                vocab_size=0,
                code_dim=32,
                classes=0,
                depth=8,
                width=512,
                heads=8,
                bits=32,
                words=WORDS,
                text_channels=64,
            ),
            model_training=NextScaleTraining(steps=20_000, batch=64, max_steps=10, flips=0.3),
            cyclevar_training=CycleVARTraining(
                steps=15_000,
                batch=8,
                lr=8e-4,
                identity_steps=100,
                cycle_l1=1.0,
                # Day and night differ everywhere: nothing is to be kept as it is.
                keep_l1=0.0,
            ),
        ),
        # Many trainings: no perceptual network, small discriminators, a short average.
        "small": Chain(
            image_size=64,
            tokenizer=TokenizerConfig(
                schedule=square(1, 2, 3, 4, 5, 6, 8),
                vocab_size=1024,
                code_dim=16,
                channels=(64, 128, 192),
            ),
            tokenizer_training=TokenizerTraining(steps=20_000, batch=64),
            model=NextScaleConfig(
                schedule=square(1, 2, 3, 4, 5, 6, 8),
                vocab_size=1024,
                code_dim=16,
                classes=len(SPECIES),
                depth=8,
                width=384,
                heads=6,
            ),
            model_training=NextScaleTraining(steps=20_000, batch=128, max_steps=7),
            cyclevar_training=CycleVARTraining(
                steps=3000,
                batch=16,
                identity_steps=375,
                warmup=20,
                cycle_perceptual=0.0,
                identity_perceptual=0.0,
                average=0.98,
                discriminator_channels=(32, 64, 96),
            ),
        ),
    },
    images={
        "toy": 50_000,
        "captions": 6000,
        "small": 50_000,
    },
    generation="toy",
    published_start=False,
    held_out=1000,
    use_photographs=True,
    use_streets=True,
    flex_depths=(4, 6, 8),
    speed_repeats=10,
    small_seeds=(0, 1, 2),
    ablation=Ablation(
        depth=8,
        width=384,
        heads=6,
        steps=5000,
        batch=128,
        images=50_000,
        seeds=(0, 1, 2),
    ),
    judges=Judges(
        toy_steps=2000,
        caption_steps=600,
    ),
    rivals=Rivals(
        generators=("raster", "masked", "diffusion"),
        photograph_translators=("CycleGAN", "CUT", "SDEdit", "DDIB", "Cycle-Diffusion"),
        pixel_steps={"small": 20_000, "photographs": 15_000},
        diffusion_steps={"photographs": 20_000},
    ),
    flat=Flat(
        steps=10_000,
        batch=16,
    ),
)
