"""CycleVAR as in the paper: from the published VAR-d16, trained like CycleGAN-Turbo (section 4.1).

The paper names AdamW, a constant rate after a warm-up and a discriminator on CLIP; numbers that it
leaves out are those of CycleGAN-Turbo, which it follows.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from varbook.errors import VarbookError
from varbook.features.flan_t5 import FlanT5
from varbook.pretrained.load import load_pair
from varbook.train.fit_cyclevar import CycleVARTraining
from varbook.transformer.model import NextScaleModel
from varbook.transformer.text_model import TextNextScaleModel
from varbook.translate.cyclevar import CycleVAR, CycleVARConfig

# ImageNet's classes of the two domains: sorrel, its only horse, and zebra. No class is ever
# dropped, and nothing is guided.
PUBLISHED_LABELS = (339, 340)

# What is ours (noise, keeping, a judge of the whole) is off; the defaults are those of the toy
# world and may change.
PUBLISHED_TRAINING = CycleVARTraining(
    steps=25_000,
    batch=4,
    lr=1e-5,
    weight_decay=1e-2,
    betas=(0.9, 0.999),
    warmup=500,
    hold=1.0,
    clip=10.0,
    identity_steps=0,
    cycle_l1=1.0,
    cycle_perceptual=10.0,
    identity_l1=1.0,
    identity_perceptual=1.0,
    gan=0.5,
    discriminator_lr=1e-5,
    discriminator="clip",
    discriminator_on_reconstructions=False,
    discriminator_whole=False,
    augment=("colour", "translation", "cutout"),
    cycle_noise=0.0,
    keep_l1=0.0,
    average=0.0,
)


def keep_classes(model: NextScaleModel, classes: tuple[int, ...]) -> NextScaleModel:
    """Return a copy of `model` that knows these of its classes alone, numbered from 0 in this
    order, and "no class".
    """
    kept = NextScaleModel(replace(model.config, classes=len(classes)))
    rows = model.class_emb.weight[[*classes, model.config.classes]]  # the last is "no class"
    kept.load_state_dict(model.state_dict() | {"class_emb.weight": rows})
    return kept.eval()


def published_cyclevar(
    name: str = "var-d16",
    path: str | Path | None = None,
    tokenizer_path: str | Path | None = None,
    config: CycleVARConfig | None = None,
    *,
    classes: tuple[int, ...] | None = None,
    say: Callable[[str], None] = print,
) -> CycleVAR:
    """Return CycleVAR over a published VAR or Infinity and its frozen tokenizer, not fine-tuned yet.

    `fit_cyclevar` trains it. `classes` keeps only these of VAR's, as its labels 0, 1, ...: the
    domains. Infinity reads its prompts through Flan-T5-XL. The defaults of
    `config` are the paper's (parallel mode, temperature 2). Raises VarbookError as `load` does, and
    for a model that does not predict residuals.
    """
    if not name.startswith(("var-d", "infinity-")):
        raise VarbookError(
            f"CycleVAR adds up residual scales, which {name} does not predict; use var-d16, as the paper does."
        )
    # First the part that may be missing: nothing else is loaded for nothing.
    encoder = FlanT5() if name.startswith("infinity-") else None
    model, tokenizer = load_pair(name, path, tokenizer_path, say=say)
    if encoder and isinstance(model, TextNextScaleModel):
        model.set_encoder(encoder)
    return CycleVAR(tokenizer, keep_classes(model, classes) if classes else model, config)
