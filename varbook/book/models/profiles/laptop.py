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
    OtherSizes,
    Profile,
    Rivals,
)
from varbook.tokenizer.schedule import VAR_256, square
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
        # The toy world, the chain of most chapters, with the papers' geometry: at 64 pixels a latent
        # of 16 x 16 and the ten scales and 680 tokens that they have at 256.
        "toy": Chain(
            image_size=64,
            tokenizer=TokenizerConfig(
                schedule=VAR_256,
                vocab_size=2048,
                code_dim=16,
                channels=(64, 128),
                line=False,
                full_channels=16,
            ),
            tokenizer_training=TokenizerTraining(
                steps=12_000,
                batch=8,
                lr=1.5e-3,
                # Four times the weight of the other chains: eyes and outlines become sharp sooner, at no
                # cost in PSNR.
                perceptual=0.2,
                perceptual_offset=3,
                # The rest of what is missing is not for a discriminator to invent.
                gan=0.0,
                random_scales=5,
                smallest_scale=True,
            ),
            model=NextScaleConfig(
                schedule=VAR_256,
                vocab_size=2048,
                code_dim=16,
                classes=len(SPECIES),
                depth=6,
                width=256,
                heads=8,
            ),
            model_training=NextScaleTraining(steps=6000, batch=8, max_steps=10),
            cyclevar_training=CycleVARTraining(steps=1800, batch=4),
            other_sizes=OtherSizes(
                training=NextScaleTraining(
                    steps=1200,
                    batch=8,
                    # Half of the first training's, and falling sooner: most is known already.
                    lr=5e-4,
                    hold=0.4,
                    max_steps=10,
                    # In pixels 48 x 96, 64 x 128, both upright too, 96 and 128: a step costs about as much
                    # as one of the first training, at 128 pixels about twice.
                    latents=((12, 24), (24, 12), (16, 32), (32, 16), (24, 24), (32, 32)),
                    own_size=0.25,
                ),
                scenes=1000,
                told=True,
            ),
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
        "toy": 24_000,  # half of them horses and zebras, so a thousand of each other species
        "captions": 6000,
        "small": 4000,
    },
    generation="toy",
    published_start=False,
    held_out=256,
    use_photographs=True,
    use_streets=True,
    flex_depths=(2, 6),
    speed_repeats=10,
    small_seeds=(0, 1, 2),
    ablation=Ablation(
        task="small",
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
        bodies_steps=1200,
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
