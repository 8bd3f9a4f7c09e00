"""What CycleVAR's paper leaves open, and what the book does about it: the rows of chapter 09's table."""

from varbook.train.fit_cyclevar import CycleVARTraining
from varbook.translate.cyclevar import CycleVARConfig


def open_points(config: CycleVARConfig, training: CycleVARTraining) -> list[dict[str, str]]:
    """Return one row per open point: the point, what the paper says of it, and what these settings
    do.
    """
    points = (*_of_the_model(config), *_of_the_training(training))
    return [{"open point": point, "paper": paper, "here": here} for point, paper, here in points]


def _of_the_model(config: CycleVARConfig) -> tuple[tuple[str, str, str], ...]:
    return (
        (
            "alpha of eqs. 6 and 9",
            "used, never given",
            f"CycleVARConfig.alpha = {config.alpha}; exercise 5 varies it",
        ),
        (
            "F_k, eq. 5",
            "k is bound and free at once; phi not mentioned",
            f"all scales, with phi: context = {config.context!r}; the other reading is 'shifted'",
        ),
        (
            "first token",
            "H_0 is a class embedding, F_1 a map of codes",
            "parallel: word_embed(F_1) + class; serial: the class alone, zero in the sum",
        ),
        ("eqs. 6 and 7", "each needs the other's result", "R_k is made from H_(k-1)"),
        (
            "eq. 6 applies alpha again and again",
            "eq. 9 applies it once",
            f"serial: fusion = {config.fusion!r}; as printed: 'paper'",
        ),
        (
            "contextual keys",
            "figure 2 does not say whether a separate prefix",
            "VAR's own sequence and mask, own scale included; no doubling",
        ),
        (
            "straight-through",
            "a footnote",
            "one, on the sum; tokenizer frozen but in the graph (section 5)",
        ),
        ("SRQ at inference", "'timing includes SRQ'", "kept at inference"),
        ("Gumbel noise", "eq. 10 has none, table 5 implies some", f"noise = {config.noise}"),
        (
            "temperature",
            "tables 1, 3, 4 show the row of 2.00",
            f"temperature = {config.temperature}",
        ),
    )


def _of_the_training(training: CycleVARTraining) -> tuple[tuple[str, str, str], ...]:
    blurred = "as the tokenizer renders them, or its blur would give every fake away"
    return (
        (
            "weights",
            "'follow CycleGAN-Turbo': 1, 10, 1, 1, 0.5",
            f"cycle {training.cycle_l1:g} + {training.cycle_perceptual:g}, "
            f"identity {training.identity_l1:g} + {training.identity_perceptual:g}, "
            f"GAN {training.gan:g}",
        ),
        (
            "optimiser",
            "AdamW, constant rate after warm-up; no numbers",
            f"AdamW, {training.lr:g} after {training.warmup} steps, falling in the second half; "
            f"gradients cut to norm {training.clip:g}",
        ),
        (
            "order of the losses",
            "not said: all from the start",
            f"the first {training.identity_steps} of {training.steps} steps with the identity "
            "loss alone",
        ),
        ("steps of the generator", "three losses; Turbo takes three steps", "one step on the sum"),
        (
            "what is kept",
            "not said",
            f"the moving average of the weights, decay {training.average}, at the last step: no "
            "best-of-training",
        ),
        (
            "discriminator",
            "CLIP + MLP, one per domain",
            "one per domain, on patches and on the whole picture, channels "
            f"{training.discriminator_channels}; sees {' and '.join(training.augment) or 'no'} "
            "augmentation",
        ),
        (
            "real images for the discriminator",
            "the images",
            blurred if training.discriminator_on_reconstructions else "the images",
        ),
        (
            "what must not change",
            "left to the cycle",
            f"keep {training.keep_l1:g} up to a difference of {training.keep_up_to:g}; noise "
            f"{training.cycle_noise:g} on the backward translation",
        ),
        ("trainable", "'freeze the tokenizer'", "the whole transformer"),
    )
