"""FlexVAR's tables as data: claims in our words, checks, published cells as printed."""

from varbook.book.claims.artefact import Artefact, Published, for_each

_NOISE = "means differ by no more than the larger range over the seeds"

TABLES = {
    "flexvar-table-1": Published(
        columns=("model", "layers", "parameters", "heads", "width", "epochs"),
        rows=(
            ("FlexVAR-d16", 16, "310M", 16, 1024, 180),
            ("FlexVAR-d20", 20, "600M", 20, 1280, 250),
            ("FlexVAR-d24", 24, "1.0B", 24, 1536, 350),
        ),
    ),
    "flexvar-table-2": Published(
        columns=(
            "family",
            "model",
            "FID",
            "IS",
            "precision",
            "recall",
            "parameters",
            "steps",
            "time",
        ),
        rows=(
            ("GAN", "BigGAN", 6.95, 224.5, 0.89, 0.38, "112M", 1, None),
            ("GAN", "GigaGAN", 3.45, 225.5, 0.84, 0.61, "569M", 1, None),
            ("GAN", "StyleGan-XL", 2.30, 265.1, 0.78, 0.53, "166M", 1, 0.2),
            ("diffusion", "ADM", 10.94, 101.0, 0.69, 0.63, "554M", 250, 118),
            ("diffusion", "CDM", 4.88, 158.7, None, None, None, 8100, None),
            ("diffusion", "LDM-4-G", 3.60, 247.7, None, None, "400M", 250, None),
            ("diffusion", "DiT-L/2", 5.02, 167.2, 0.75, 0.57, "458M", 250, 2),
            ("diffusion", "DiT-XL/2", 2.27, 278.2, 0.83, 0.57, "675M", 250, 2),
            ("random scan", "MaskGIT", 6.18, 182.1, 0.80, 0.51, "227M", 8, 0.4),
            ("random scan", "RCG (cond.)", 3.49, 215.5, None, None, "502M", 20, 1.4),
            ("raster scan", "VQGAN-re", 18.65, 80.4, 0.78, 0.26, "227M", 256, 7),
            ("raster scan", "RQTran.", 13.11, 119.3, None, None, "821M", 68, None),
            ("raster scan", "LlamaGen-XL", 2.62, 244.08, 0.80, 0.57, "775M", 256, 27),
            ("raster scan", "AiM", 2.56, 257.2, 0.81, 0.57, "763M", 256, 12),
            ("scaling scan", "VAR-d16", 3.55, 280.4, 0.84, 0.51, "310M", 10, 0.2),
            ("scaling scan", "FlexVAR-d16", 3.05, 291.3, 0.83, 0.52, "310M", 10, 0.2),
            ("scaling scan", "VAR-d20", 2.95, 302.6, 0.83, 0.56, "600M", 10, 0.3),
            ("scaling scan", "FlexVAR-d20", 2.41, 299.3, 0.85, 0.58, "600M", 10, 0.3),
            ("scaling scan", "VAR-d24", 2.33, 312.9, 0.82, 0.59, "1.0B", 10, 0.5),
            ("scaling scan", "FlexVAR-d24", 2.21, 299.1, 0.83, 0.59, "1.0B", 10, 0.5),
            ("scaling scan", "FlexVAR-d24", 2.08, 315.7, 0.83, 0.59, "1.0B", 13, 0.6),
        ),
        note=(
            "ImageNet 256 x 256, models of up to 1B parameters. Time is relative to VAR-d30. "
            "The text says 0.45, 0.56 and 0.12 FID better than VAR at depth 16, 20, 24; the "
            "cells differ by 0.50, 0.54 and 0.12."
        ),
    ),
    "flexvar-table-3": Published(
        columns=("model", "training free", "FID", "IS", "parameters"),
        rows=(
            ("BigGAN", False, 8.43, 177.9, "112M"),
            ("ADM", False, 23.24, 101.0, "554M"),
            ("DiT-XL/2", False, 3.04, 240.8, "675M"),
            ("MaskGIT", False, 7.32, 156.0, "227M"),
            ("VQGAN", False, 26.52, 66.8, "1.4B"),
            ("VAR-d36", False, 2.63, 303.2, "2.3B"),
            ("FlexVAR-d24", True, 4.43, 314.4, "1.0B"),
        ),
        note="ImageNet 512 x 512; training free: not trained at 512 x 512.",
    ),
    "flexvar-table-4": Published(
        columns=("prediction", "tokenizer", "positions", "FID", "IS"),
        rows=(
            ("residual", "VAR", "fixed length", 4.00, 226.04),
            ("ground truth", "VAR", "fixed length", None, None),
            ("ground truth", "LlamaGen", "fixed length", 17.75, 234.12),
            ("ground truth", "FlexVAR", "fixed length", 3.82, 229.35),
            ("ground truth", "FlexVAR", "scalable", 3.71, 230.22),
        ),
        note="Depth 20, 40 epochs. The empty cells did not converge.",
    ),
    "flexvar-table-5": Published(
        columns=("depth", "mixer", "FID", "IS", "parameters", "time"),
        rows=(
            (16, "transformer", 4.32, 209.87, "310M", 0.2),
            (16, "Mamba", 4.22, 200.04, "370M", 0.2),
            (20, "transformer", 3.71, 230.22, "600M", 0.3),
            (20, "Mamba", 3.80, 216.45, "700M", 0.3),
        ),
        note="40 epochs.",
    ),
    "flexvar-table-6": Published(
        columns=("step embedding", "height and width", "learnable", "FID", "IS"),
        rows=(
            ("fixed length", "fixed length", True, 3.82, 229.35),
            (None, "fixed length", True, 3.87, 224.25),
            (None, "scalable", False, 3.74, 224.04),
            (None, "scalable", True, 3.71, 230.22),
        ),
        note="Depth 20, 40 epochs. An empty cell: that embedding is removed.",
    ),
    "flexvar-table-7": Published(
        columns=("resolution", "steps", "scales"),
        rows=(
            (256, 6, (1, 2, 4, 6, 10, 16)),
            (256, 7, (1, 2, 3, 5, 8, 11, 16)),
            (256, 8, (1, 2, 3, 4, 6, 10, 13, 16)),
            (256, 9, (1, 2, 3, 4, 5, 7, 10, 13, 16)),
            (256, 10, (1, 2, 3, 4, 5, 6, 8, 10, 13, 16)),
            (256, 11, (1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 16)),
            (256, 12, (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16)),
            (256, 13, (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16)),
            (384, 11, (1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 24)),
            (512, 12, (1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 23, 32)),
            (512, 15, (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 23, 32)),
        ),
        note="Latent sides at a stride of 16.",
    ),
}

ROWS = (
    Artefact(
        paper="FlexVAR",
        kind="table",
        number=1,
        chapter="03",
        title="model sizes",
        claim="depth sets the model: width 64 x depth, heads = depth",
        published="310M, 600M, 1.0B parameters at depth 16, 20, 24",
        alt="Layers, parameters, heads and width of the three published sizes and of ours.",
        checks={
            **for_each(
                "<depth>",
                ("16", "20", "24"),
                {
                    "d<depth> within 5 % of the published size": (
                        "parameters of our module, built on the meta device"
                    )
                },
            ),
            "heads = layers, width = 64 x layers": (
                "our modules have the published layers, heads and width"
            ),
        },
    ),
    Artefact(
        paper="FlexVAR",
        kind="table",
        number=2,
        chapter="05",
        title="class-conditional ImageNet at 256 px",
        claim=(
            "FlexVAR has the lower FID than VAR at equal size, and improves further with 13 steps"
        ),
        published=(
            "FID d16 / d20 / d24: 3.05 / 2.41 / 2.21 against VAR's 3.55 / 2.95 / 2.33; 2.08 "
            "with 13 steps"
        ),
        alt="Distance to real images for VAR and FlexVAR at equal size and steps.",
        checks={
            "depth {depth}: ground truth below residual": "distance, mean of two draws, equal steps",
            "depth {depth}: more steps than in training ({most}) better than {usual}": (
                "distance, mean of two draws"
            ),
        },
    ),
    Artefact(
        paper="FlexVAR",
        kind="table",
        number=3,
        chapter="05",
        title="ImageNet at 512 px without training for it",
        claim="a model trained at 256 px comes near to one trained at 512 px",
        published="FID 4.43 (1.0B, zero-shot) against VAR's 2.63 (2.3B)",
        alt="Distance to real images at twice the training resolution.",
        checks={
            "at twice the size, distance below that of enlarged samples": (
                "distance, to real pictures of that size"
            )
        },
    ),
    Artefact(
        paper="FlexVAR",
        kind="table",
        number=4,
        chapter="04",
        title="prediction type, tokenizer and positions, one by one",
        claim=(
            "ground-truth prediction needs the multi-scale tokenizer; scalable positions then"
            " cost nothing"
        ),
        published=(
            "FID residual 4.00; GT with VAR's tokenizer diverges, LlamaGen's 17.75, ours "
            "3.82, scalable positions 3.71"
        ),
        alt=(
            "Distance to real images as prediction type, tokenizer and positions are swapped "
            "one by one."
        ),
        checks={
            "ground truth on VAR's tokenizer is the worst row": "distance, mean over the seeds",
            "LlamaGen's tokenizer is next": "distance, mean over the seeds",
            "ground truth on FlexVAR's tokenizer is better than residuals": (
                "distance, mean over the seeds"
            ),
            "scalable positions are no worse than fixed ones": (
                "distance, mean over the seeds, no higher"
            ),
            "ground truth on FlexVAR's tokenizer has the lower held-out loss with every seed": (
                "nats, against residuals"
            ),
        },
        spread={"FD-toy": "range over seeds"},
    ),
    Artefact(
        paper="FlexVAR",
        kind="table",
        number=5,
        chapter="07",
        title="attention against Mamba",
        claim="Mamba in place of attention is competitive",
        published="FID d16 4.32 (attention), 4.22 (Mamba); d20 3.71, 3.80",
        alt="Distance to real images and time for attention and Mamba.",
        checks={
            "Mamba's {distance} is within the seeds' range of attention's": (
                "means differ by no more than the larger range over the seeds"
            ),
            "Mamba's {distance} is within 10 % of attention's": "means over the seeds",
            "its held-out loss is within the seeds' range": (
                "means differ by no more than the larger range over the seeds"
            ),
            "its parameters are within 20 %": "at most 1.2 times attention's",
        },
        timed=("core seconds per step", "core seconds per image"),
        spread={"FD-toy": "range of FD-toy", "held-out loss": "range of loss"},
    ),
    Artefact(
        paper="FlexVAR",
        kind="table",
        number=6,
        chapter="04",
        title="position embeddings",
        claim="step embeddings are not needed; scalable learned positions are the best",
        published="FID 3.82, 3.87, 3.74, 3.71",
        alt="Distance to real images per position embedding.",
        checks={
            "removing the step embedding changes the loss by less than 5 %": (
                "held-out loss, means over the seeds"
            ),
            "removing it changes {distance} by no more than the seeds do": _NOISE,
            "scalable for fixed positions changes {distance} by no more than the seeds do": _NOISE,
            "scalable for fixed positions changes the loss by no more than the seeds do": _NOISE,
            "learning the positions changes {distance} by no more than the seeds do": _NOISE,
            "scalable learned positions have the lowest {distance}": (
                "mean over the seeds, lowest of the four rows"
            ),
        },
        spread={"FD-toy": "range over seeds", "held-out loss": "range of loss"},
    ),
    Artefact(
        paper="FlexVAR",
        kind="table",
        number=7,
        chapter="05",
        title="scales of each number of steps",
        claim="the scales of a step can be chosen freely at inference",
        published="6 to 13 steps at 256 px, 11 at 384, 12 and 15 at 512",
        alt="Scale schedules, with token counts.",
        checks={
            **for_each(
                "<schedule>",
                [f"{px} px, {steps} steps" for px, steps, _ in TABLES["flexvar-table-7"].rows],
                {
                    "<schedule>: an image of its resolution": (
                        "shape of what a network of the paper's geometry generates"
                    )
                },
            ),
            "6 steps are faster than 10": "seconds for an image at 256 px",
            "tokens explain nine tenths of the variance of the times": (
                "R squared of a straight line through all schedules above 0.9"
            ),
        },
        timed=(
            "seconds",
            "toy",
            "6 steps are faster than 10",
            "tokens explain nine tenths of the variance of the times",
        ),
    ),
)
