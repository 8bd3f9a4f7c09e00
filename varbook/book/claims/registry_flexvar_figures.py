"""FlexVAR's figures as data: claims in our words, and the checks that decide them."""

from varbook.book.claims.artefact import Artefact, for_each

_SAMPLES = "picture only"
_CHANCE = "accuracy of the judge, above one over the number of classes"
_KEEP = "more than half of the samples that the judge recognises at the training size"
_AHEAD = {
    "multi-scale ahead of both others at every scale below the full one: <image>": (
        "PSNR against the downsampled image"
    ),
}

ROWS = (
    Artefact(
        paper="FlexVAR",
        kind="fig",
        number=1,
        chapter="05",
        title="samples at many resolutions and aspect ratios",
        claim="a model trained at 256 px or less generates at other resolutions and aspect ratios",
        published=_SAMPLES,
        alt="Generated samples of several sizes and shapes, none of them the training size.",
        checks={
            "{px} px: recognised more often than chance": _CHANCE,
            "{height} x {width}: recognised more often than chance": _CHANCE,
        },
    ),
    Artefact(
        paper="FlexVAR",
        kind="fig",
        number=2,
        chapter="02",
        title="residual prediction beside ground-truth prediction",
        claim=(
            "VAR predicts the first map and then residuals; FlexVAR predicts the map itself "
            "at every step"
        ),
        published=_SAMPLES,
        alt=(
            "One image's token maps scale by scale: the residual pyramid above, the "
            "ground-truth pyramid below, each decoded."
        ),
        checks={
            "residual maps sum to the quantized map": (
                "the sum so far and what is missing make the whole, after every scale"
            ),
            "every ground-truth map decodes alone to more than the average scene": (
                "PSNR at every scale, against the downsampled scene"
            ),
            "a residual map alone is further from the scene than the sum": (
                "PSNR at every scale but the first"
            ),
        },
    ),
    Artefact(
        paper="FlexVAR",
        kind="fig",
        number=3,
        chapter="02",
        title="reconstruction at every scale with three tokenizers",
        claim="only the tokenizer trained at many scales reconstructs images from a scaled latent",
        published=_SAMPLES,
        alt=(
            "The same image decoded at each scale by the residual, the single-scale and the "
            "multi-scale tokenizer."
        ),
        checks={
            "PSNR: multi-scale beats single-scale at every scale below the full one": (
                "mean over the held-out scenes, each against itself, downsampled"
            ),
            "PSNR: multi-scale beats VAR's tokenizer used directly, below the full scale": (
                "mean over the held-out scenes, each against itself, downsampled"
            ),
            "perceptual distance: multi-scale beats single-scale below the full scale": (
                "mean over the held-out scenes, each against itself, downsampled"
            ),
        },
    ),
    Artefact(
        paper="FlexVAR",
        kind="fig",
        number=4,
        chapter="04",
        title="training loss of VAR and FlexVAR",
        claim=(
            "predicting the ground truth gives a lower training loss and converges faster "
            "than predicting residuals"
        ),
        published="curves only (40 epochs, about 70 thousand iterations)",
        alt="Training loss against steps for residual and for ground-truth prediction.",
        checks={
            "lower training loss at equal steps, last quarter": (
                "mean over the last quarter of the steps, in nats"
            ),
            "reaches VAR's final loss before the last step": "smoothed loss",
        },
    ),
    Artefact(
        paper="FlexVAR",
        kind="fig",
        number=5,
        chapter="05",
        title="one sample from 80 to 512 px",
        claim=(
            "the same sample stays consistent from scale to scale, and gains detail at higher"
            " resolution"
        ),
        published=_SAMPLES,
        alt="The same class and seed generated at growing resolutions.",
        checks={"{px} px: most keep their class": _KEEP},
    ),
    Artefact(
        paper="FlexVAR",
        kind="fig",
        number=6,
        chapter="05",
        title="samples of many aspect ratios",
        claim="the model generates good images of many aspect ratios without training on them",
        published=_SAMPLES,
        alt="Generated samples of several aspect ratios.",
        checks={"{height} x {width}: recognised more often than chance": _CHANCE},
    ),
    Artefact(
        paper="FlexVAR",
        kind="fig",
        number=7,
        chapter="05",
        title="quality against the number of steps",
        claim="more steps give better images, also beyond the ten steps of training",
        published="13 steps: 0.13 FID better than 10 (d24)",
        alt="Distance to real images against the number of inference steps.",
        checks={
            "depth {depth}: {most} steps better than {fewest}": "distance, mean of two draws",
            "depth {depth}: more steps than in training ({most}) better than {usual}": (
                "distance, mean of two draws"
            ),
        },
        spread={"FD-toy": "luck"},
    ),
    Artefact(
        paper="FlexVAR",
        kind="fig",
        number=8,
        chapter="06",
        title="refinement of a low-resolution image",
        claim="the model adds detail to an image given at low resolution, without training for it",
        published=_SAMPLES,
        alt="Low-resolution inputs beside their refined outputs.",
        checks={
            "{low} to {high} px: higher PSNR than bicubic": (
                "mean, to the true picture at the higher resolution"
            ),
            "{low} to {high} px: lower perceptual distance than bicubic": (
                "mean, to the true picture at the higher resolution"
            ),
            "{low} to {high} px: lower {distance} than bicubic": (
                "of the refined pictures as a set, to real ones"
            ),
        },
    ),
    Artefact(
        paper="FlexVAR",
        kind="fig",
        number=9,
        chapter="06",
        title="in-painting and out-painting",
        claim="forcing the known tokens lets the model fill the rest, without training for it",
        published=_SAMPLES,
        alt="Masked inputs beside their completed outputs.",
        checks=for_each(
            "<mask>",
            ("in", "out", "elephant"),
            {
                "<mask>: without pasting, known pixels are as good as the tokenizer's own (to 1 dB)": (
                    "mean PSNR of the known pixels"
                ),
                "<mask>: recognised more often than masked": (
                    "accuracy of the judge, painted and masked"
                ),
            },
        ),
    ),
    Artefact(
        paper="FlexVAR",
        kind="fig",
        number=10,
        chapter="06",
        title="image extension",
        claim=(
            "an image in the centre of a 1:2 canvas is continued to both sides, without "
            "training for it"
        ),
        published=_SAMPLES,
        alt="Inputs in the middle of wide generated continuations.",
        checks={
            "the centre's codes are kept": "equal at every scale",
            "without pasting, its pixels are as good as the tokenizer's own (to 1 dB)": (
                "mean PSNR of the centre"
            ),
            "the seam is no stronger than edges elsewhere": (
                "steps across the seam over those elsewhere, against 1, real wide scenes and "
                "other borders of cells"
            ),
        },
    ),
    Artefact(
        paper="FlexVAR",
        kind="fig",
        number=11,
        chapter="05",
        title="failures at three times the training resolution and more",
        claim="at three times the training resolution wavy textures and blur appear",
        published=_SAMPLES,
        alt="Generated samples at three and four times the training size.",
        checks={
            "recognised less often at three times the training size": ("accuracy of the judge"),
            "more is lost from twice to three times the size than up to twice": (
                "loss of accuracy of the judge"
            ),
        },
    ),
    Artefact(
        paper="FlexVAR",
        kind="fig",
        number=12,
        chapter="07",
        title="eight zigzag scan paths for Mamba",
        claim="eight paths, one per layer in turn, let a one-directional scan reach the whole map",
        published="eight paths",
        alt="Eight zigzag paths drawn over a token map.",
        checks={
            "visits each token once": "each of the eight paths over a map of 4 x 5",
            "neighbours are adjacent": (
                "every step of the eight paths goes up, down, left or right by one"
            ),
            "the eight paths differ": "no two alike",
            "three layers connect every pair of places": "on an 8 x 8 map, by counting",
        },
    ),
    Artefact(
        paper="FlexVAR",
        kind="fig",
        number=13,
        chapter="05",
        title="samples with 6, 8, 10 and 12 steps",
        claim=(
            "samples with different numbers of steps differ in details only; more steps give "
            "better details"
        ),
        published=_SAMPLES,
        alt="The same class and seed generated with four numbers of steps.",
        checks={
            "{steps} steps: most keep their class": (
                "more than half of the samples that the judge recognises at the steps of training"
            )
        },
    ),
    Artefact(
        paper="FlexVAR",
        kind="fig",
        number=14,
        chapter="02",
        title="more reconstructions with three tokenizers",
        claim="again only the multi-scale tokenizer reconstructs at every scale",
        published=_SAMPLES,
        alt="Several images decoded at each scale by the three tokenizers.",
        checks=for_each("<image>", ("scene 0", "scene 1", "scene 2"), _AHEAD),
        checks_where={
            "horse2zebra is there": for_each(
                "<image>", ("photograph of a horse", "photograph of a zebra"), _AHEAD
            )
        },
    ),
    Artefact(
        paper="FlexVAR",
        kind="fig",
        number=15,
        chapter="05",
        title="samples at 256, 384 and 512 px",
        claim="samples stay consistent, and gain detail, above the training resolution",
        published=_SAMPLES,
        alt="The same class and seed at the training size and at 1.5 and 2 times it.",
        checks={"{px} px: most keep their class": _KEEP},
    ),
    Artefact(
        paper="FlexVAR",
        kind="fig",
        number=16,
        chapter="04",
        title="samples with three tokenizers under ground-truth prediction",
        claim=(
            "ground-truth prediction fails with a residual tokenizer, is poor with a "
            "single-scale one and works with the multi-scale one"
        ),
        published=_SAMPLES,
        alt="Samples of models trained on the maps of the three tokenizers.",
        checks={
            "the distance is lowest with the multi-scale tokenizer": "distance, mean over the seeds",
            **for_each(
                "<other>",
                ("VAR's", "LlamaGen's"),
                {
                    "with <other> tokenizer every seed is farther from real images than with FlexVAR's": (
                        "distance of each seed"
                    )
                },
            ),
        },
        spread={"FD-toy": "range"},
    ),
    Artefact(
        paper="FlexVAR",
        kind="fig",
        number=17,
        chapter="05",
        title="more samples at 256 px",
        claim="samples are varied and of good quality",
        published=_SAMPLES,
        alt="A sheet of generated samples, several per class.",
        checks={
            "the judge recognises the class of most samples": "more than half, mean of two draws"
        },
    ),
)
