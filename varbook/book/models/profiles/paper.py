"""The paper profile: the papers' sizes where they give one, else the gpu profile's.

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
from varbook.pretrained.published_cyclevar import PUBLISHED_TRAINING
from varbook.tokenizer.schedule import square
from varbook.tokenizer.tokenizer import TokenizerConfig
from varbook.train.fit_cyclevar import CycleVARTraining
from varbook.train.fit_next_scale import NextScaleTraining
from varbook.train.fit_tokenizer import TokenizerTraining
from varbook.transformer.model import NextScaleConfig
from varbook.transformer.text_model import TextNextScaleConfig
from varbook.world.scene import SPECIES

PAPER = Profile(
    name="paper",
    seed=0,
    chains={
        # The papers have no toy world: the sizes of the gpu profile.
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
        ),
        # CycleVAR on horse2zebra: 256 px crops. It starts from the published VAR-310M; tokenizer and
        # model of this chain are for the rivals, and have VAR's sizes. Photographs are all texture:
        # more weight on what a network perceives, and a discriminator that starts earlier.
        "photographs": Chain(
            image_size=256,
            tokenizer=TokenizerConfig(
                schedule=square(1, 2, 3, 4, 5, 6, 8, 10, 13, 16),
                # VAR; FlexVAR 8912.
                vocab_size=4096,
                # Both papers.
                code_dim=32,
                # Ours; the published autoencoders reach 640 (VAR) and 512 channels (FlexVAR).
                channels=(64, 128, 256, 256),
                line=False,
            ),
            tokenizer_training=TokenizerTraining(
                steps=200_000,
                # FlexVAR section 4.1.
                batch=128,
                lr=1e-3,
                l2=1.0,
                perceptual=0.25,
                gan=0.05,
                gan_start=0.7,
            ),
            model=NextScaleConfig(
                schedule=square(1, 2, 3, 4, 5, 6, 8, 10, 13, 16),
                vocab_size=4096,
                code_dim=32,
                # ImageNet.
                classes=1000,
                # FlexVAR-d16, table 1.
                depth=16,
                width=1024,
                heads=16,
            ),
            model_training=NextScaleTraining(
                steps=300_000,
                # VAR; FlexVAR gives epochs only, 180 for d16.
                batch=768,
                max_steps=10,
            ),
            # CycleVAR section 4.1 and CycleGAN-Turbo: a discriminator on CLIP, nothing of ours.
            cyclevar_training=PUBLISHED_TRAINING,
        ),
        # The papers have no drawn captions: the sizes of the gpu profile, 32 bits as in Infinity.
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
        # Streets at 512 px (CycleVAR section 4.1) in Infinity's ten scales and 32 bits. The paper
        # fine-tunes the published Infinity-2B, depth 32 and width 2048
        # (`published_driving_cyclevar`); this model, trained from nothing, has the depth, width,
        # steps and batches of the gpu profile.
        "driving": Chain(
            image_size=512,
            tokenizer=TokenizerConfig(
                schedule=square(1, 2, 4, 6, 8, 12, 16, 20, 24, 32),
                vocab_size=0,
                code_dim=32,
                beta=0.02,
                channels=(64, 128, 256, 256),
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
                schedule=square(1, 2, 4, 6, 8, 12, 16, 20, 24, 32),
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
        # The paper takes VAR-310M on horse2zebra apart; dozens of trainings on the toy world
        # instead: the sizes of the gpu profile.
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
        # FlexVAR section 4.1. VAR's rows get the same autoencoder and budget; its own tokenizer, of
        # 4096 codes and 160 to 640 channels, is in `varbook.pretrained`.
        "imagenet": Chain(
            image_size=256,
            tokenizer=TokenizerConfig(
                schedule=square(1, 2, 3, 4, 5, 6, 8, 10, 13, 16),
                vocab_size=8912,
                code_dim=32,
                # LlamaGen's autoencoder, from whose weights it starts.
                channels=(128, 128, 256, 256, 512),
                patch=1,
                blocks=2,
                line=False,
                autoencoder="vqgan",
                feature_channels=256,
                quant_kernel=1,
            ),
            tokenizer_training=TokenizerTraining(
                # 20 epochs of the 1,743,042 pictures of OpenImages that have boxes.
                steps=272_350,
                batch=128,
                lr=1e-4,
                weight_decay=0.05,
                hold=1.0,
                # "The VQVAE training recipe of LlamaGen": L2 1, LPIPS 1, discriminator 0.5 from
                # step 20,000 on.
                l1=0.0,
                l2=1.0,
                perceptual=1.0,
                gan=0.5,
                gan_start=0.0734,
                # Eq. 5: at every scale that is large enough for a discriminator.
                gan_every_scale=True,
                discriminator_channels=(64, 128, 256),
                # The codebook starts from features of the first batch (ours); no code is revived.
                warmup=0,
                revive_every=0,
                random_scales=5,
                smallest_scale=True,
                start="llamagen-vq16",
            ),
            model=NextScaleConfig(
                schedule=square(1, 2, 3, 4, 5, 6, 8, 10, 13, 16),
                vocab_size=8912,
                code_dim=32,
                classes=1000,
                # FlexVAR-d16, table 1; other depths keep width = 64 x depth and heads = depth.
                depth=16,
                width=1024,
                heads=16,
            ),
            model_training=NextScaleTraining(
                # 180 epochs (table 1) of 1,281,167 pictures, in VAR's batches.
                steps=300_273,
                batch=768,
                lr=1e-4,
                hold=1.0,
                weight_decay=0.05,
                max_steps=10,
                step_drop=0.05,
                max_drops=4,
                # Section 3.4 names no budget and 6 to 10 scales; the released code has one of 680.
                token_budget=0,
            ),
            cyclevar_training=CycleVARTraining(),  # unused
        ),
    },
    images={
        "toy": 200_000,
        # No number in the papers: that of the gpu profile.
        "captions": 6000,
        "small": 50_000,
    },
    # FlexVAR section 4.1.
    generation="imagenet",
    # CycleVAR section 4.1.
    published_start=True,
    held_out=5000,
    use_photographs=True,
    use_streets=True,
    # FlexVAR figure 7; the depth of the chain "imagenet" must be among them.
    flex_depths=(16, 20, 24),
    speed_repeats=10,
    # The paper has one run for each row.
    small_seeds=(0, 1, 2),
    ablation=Ablation(
        # FlexVAR-d20, table 6.
        depth=20,
        width=1280,
        heads=20,
        # FlexVAR section 4.3: 40 epochs.
        steps=70_000,
        # VAR; so many steps of it are 40 epochs of ImageNet.
        batch=768,
        images=200_000,
        # The paper has one run for each row.
        seeds=(0, 1, 2),
    ),
    judges=Judges(
        toy_steps=5000,
        # As in the gpu profile.
        caption_steps=600,
    ),
    rivals=Rivals(
        generators=("raster", "masked", "diffusion"),
        photograph_translators=("CycleGAN", "CUT", "SDEdit", "DDIB", "Cycle-Diffusion"),
        pixel_steps={"small": 100_000, "photographs": 100_000},
        diffusion_steps={"photographs": 300_000},
    ),
    # No number in the paper: those of the gpu profile.
    flat=Flat(
        steps=10_000,
        batch=16,
    ),
)
