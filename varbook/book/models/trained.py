"""From a profile's chain to a trained model: one function for each kind, which trains it or finds
it.

All name in the run's key whatever shaped it; what they train on is the caller's to say.
"""

import torch
from torch import Tensor

from varbook.book.models.profiles import Chain, Profile
from varbook.device import pick_device
from varbook.features.perceptual import best_at_hand, perceptual_distance
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.train.fit_cyclevar import fit_cyclevar
from varbook.train.fit_next_scale import encode_all, fit_next_scale
from varbook.train.fit_rival_generator import fit_rival_generator
from varbook.train.fit_rival_translator import RivalTraining, fit_rival_translator
from varbook.train.fit_tokenizer import Draw, fit_tokenizer
from varbook.train.sharding import shard_wanted
from varbook.train.store import Run, train_or_load
from varbook.transformer.model import NextScaleModel
from varbook.transformer.rival_generators import DiffusionModel, make_rival
from varbook.transformer.text_model import make_next_scale
from varbook.translate.cyclevar import CycleVAR
from varbook.translate.discriminator import features_at_hand
from varbook.translate.rival_translators import PixelTranslator


def eyes(perceptual: float, discriminator: str = "patch") -> dict:
    """Return what the key of a run must say of the networks that its perceptual loss, of this
    weight, and its `discriminator` see with.

    They are chosen by what lies on the machine. The book's own runs saw with SqueezeNet, which goes
    without saying.
    """
    networks = {"perceptual": best_at_hand()} if perceptual else {}
    networks |= {"critic_features": features_at_hand()} if "features" in discriminator else {}
    return {what: name for what, name in networks.items() if name != "squeezenet"}


def tokenizer_run(
    kind: str,
    chain: Chain,
    images: Tensor,
    profile: Profile,
    draw: Draw | None = None,
    world: dict | None = None,
) -> tuple[Tokenizer, Run]:
    """Return a tokenizer of `images` (uint8 N, 3, H, W): trained as `chain` says, or loaded.

    `world` says what drawn images show; without it they are photographs, and their number goes into
    the key.
    """
    torch.manual_seed(profile.seed)
    tokenizer = Tokenizer(chain.tokenizer)
    settings = {
        "tokenizer": chain.tokenizer,
        "training": chain.tokenizer_training,
        "size": chain.image_size,
    }
    settings |= {"world": world} if world else {"images": len(images)}
    run = train_or_load(
        kind,
        tokenizer,
        settings,
        seed=profile.seed,
        profile=profile.name,
        machine=eyes(chain.tokenizer_training.perceptual),
        fit=lambda keeper: fit_tokenizer(
            tokenizer,
            images,
            chain.tokenizer_training,
            seed=profile.seed,
            device=pick_device(),
            perceptual=perceptual_distance().to(pick_device()),
            keeper=keeper,
            **({"draw": draw} if draw else {}),
        ),
    )
    return tokenizer.to(pick_device()).eval(), run


def next_scale_run(
    kind, chain: Chain, tokenizer, parent: Run, images, labels, profile: Profile
) -> tuple[NextScaleModel, Run]:
    """Return a next-scale model over `tokenizer` (whose run is `parent`), trained on what
    `images()` gives, or loaded.

    `labels` are classes (N,), or captions for a model that reads.
    """
    torch.manual_seed(profile.seed + 1)
    model = make_next_scale(chain.model)
    settings = {"tokenizer": parent.key, "model": chain.model, "training": chain.model_training}

    def fit(keeper):
        features = encode_all(tokenizer, images(), pick_device())
        given = labels if isinstance(labels, Tensor) else model.ids(labels).cpu()
        return fit_next_scale(
            model,
            tokenizer,
            features,
            torch.cat((given, given)),
            chain.model_training,
            seed=profile.seed,
            device=pick_device(),
            keeper=keeper,
            shard=shard_wanted(),
        )

    run = train_or_load(kind, model, settings, fit, seed=profile.seed, profile=profile.name)
    return model.to(pick_device()).eval(), run


def rival_run(
    kind, name: str, chain: Chain, tokenizer, parent: Run, images, labels: Tensor, profile: Profile
) -> tuple[NextScaleModel | DiffusionModel, Run]:
    """Return the rival `name` of FlexVAR table 2 over `tokenizer` (whose run is `parent`), trained
    on what `images()` gives, or loaded.
    """
    torch.manual_seed(profile.seed + 2)
    model = make_rival(name, chain.model)
    run = train_or_load(
        kind,
        model,
        {"tokenizer": parent.key, "model": chain.model, "training": chain.model_training},
        seed=profile.seed,
        profile=profile.name,
        fit=lambda keeper: fit_rival_generator(
            name,
            model,
            tokenizer,
            encode_all(tokenizer, images(), pick_device()),
            labels.repeat(2),
            chain.model_training,
            seed=profile.seed,
            device=pick_device(),
            keeper=keeper,
        ),
    )
    return model.to(pick_device()).eval(), run


def cyclevar_run(
    kind,
    chain: Chain,
    tokenizer,
    model,
    parent: Run,
    sets,
    targets,
    profile: Profile,
    config,
    seed=None,
    draw: Draw | None = None,
) -> tuple[CycleVAR, Run]:
    """Return CycleVAR between two `sets` of images with `targets` (classes, or prompts for a model
    that reads), trained or loaded.
    """
    cyclevar = CycleVAR(tokenizer, model, config)
    seed = profile.seed if seed is None else seed
    training = chain.cyclevar_training
    settings = {
        "model": parent.key,
        "cyclevar": cyclevar.config,
        "training": training,
        "images": [len(s) for s in sets],
    }
    if isinstance(targets[0], str):
        settings |= {"prompts": targets}
        targets = tuple(model.ids(targets))
    run = train_or_load(
        kind,
        cyclevar.model,
        settings,
        seed=seed,
        profile=profile.name,
        machine=eyes(
            max(training.cycle_perceptual, training.identity_perceptual), training.discriminator
        ),
        fit=lambda keeper: fit_cyclevar(
            cyclevar,
            sets,
            targets,
            training,
            seed=seed,
            device=pick_device(),
            shard=shard_wanted(),
            perceptual=perceptual_distance().to(pick_device()),
            keeper=keeper,
            **({"draw": draw} if draw else {}),
        ),
    )
    return cyclevar.to(pick_device()).eval(), run


def pixel_rival_run(
    kind,
    training: RivalTraining,
    sets,
    targets,
    settings: dict,
    profile: Profile,
    draw: Draw | None = None,
) -> tuple[PixelTranslator, Run]:
    """Return a translator in pixels between two `sets` of images with classes `targets`, trained or
    loaded.
    """
    torch.manual_seed(profile.seed + 3)
    rival = PixelTranslator(targets, training.method, training.channels, training.blocks)
    run = train_or_load(
        kind,
        rival,
        {"training": training, "images": [len(s) for s in sets]} | settings,
        seed=profile.seed,
        profile=profile.name,
        fit=lambda keeper: fit_rival_translator(
            rival,
            sets,
            training,
            seed=profile.seed,
            device=pick_device(),
            keeper=keeper,
            **({"draw": draw} if draw else {}),
        ),
    )
    return rival.to(pick_device()).eval(), run
