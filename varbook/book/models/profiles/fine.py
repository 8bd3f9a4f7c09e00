"""Chains at the papers' geometry, beside those that the laptop profile ships.

At 64 pixels a latent of 16 x 16 and the ten scales and 680 tokens that the papers have at 256
pixels. VARBOOK_FINE=1 puts the toy world's in the place of the laptop profile's chain "toy", under
the same names and keys that it will have when the profile itself holds it, and adds "animals".
"""

from dataclasses import replace

from varbook.book.models.profiles.fields import Chain, OtherSizes, Profile
from varbook.book.models.profiles.laptop import LAPTOP
from varbook.tokenizer.schedule import VAR_256
from varbook.tokenizer.tokenizer import TokenizerConfig
from varbook.train.fit_cyclevar import CycleVARTraining
from varbook.train.fit_next_scale import NextScaleTraining
from varbook.train.fit_tokenizer import TokenizerTraining
from varbook.transformer.model import NextScaleConfig
from varbook.world.scene import SPECIES

IMAGES = 24_000  # half of them horses and zebras, so a thousand of each other species

FINE = Chain(
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
)

# Photographs of two domains and 26 more classes.
CLASSES = 28
ANIMALS = Chain(
    image_size=64,
    tokenizer=replace(FINE.tokenizer, vocab_size=4096, code_dim=32),
    # Photographs have more detail than drawings, and less that is sharp: squares weigh less.
    tokenizer_training=replace(FINE.tokenizer_training, l2=1.0),
    model=replace(FINE.model, vocab_size=4096, code_dim=32, classes=CLASSES),
    model_training=FINE.model_training,
    cyclevar_training=LAPTOP.chains["photographs"].cyclevar_training,
)


def with_fine_chain(profile: Profile) -> Profile:
    """Return the profile with FINE as its chain "toy", as many images, and the chain "animals"."""
    return replace(
        profile,
        chains=profile.chains | {"toy": FINE, "animals": ANIMALS},
        images=profile.images | {"toy": IMAGES},
    )
