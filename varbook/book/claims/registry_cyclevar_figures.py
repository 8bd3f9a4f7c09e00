"""CycleVAR's figures as data: claims in our words, and the checks that decide them."""

from varbook.book.claims.artefact import Artefact, for_each

WAYS = ("horse to zebra", "zebra to horse")
SHORT_WAYS = ("h2z", "z2h")  # the same, as the tables' columns call them
DAY_NIGHT = ("day to night", "night to day")
FRECHET = "Frechet distance of features to real pictures of the target domain"
_SEEN = "share of held-out translations that the toy world's judge takes for the target"
_SILHOUETTE = "mean overlap of the judge's silhouette with the true one"
_BACKGROUND = "PSNR to the source outside the silhouette"

ROWS = (
    Artefact(
        paper="CycleVAR",
        kind="fig",
        number=1,
        chapter="08",
        title="conventional quantization beside softmax relaxed quantization",
        claim=(
            "argmax cuts the gradient between decoder and transformer; a softmax mixture of "
            "codes lets it through"
        ),
        published="picture only (codebook of 4)",
        alt=(
            "Gradient of an image loss with respect to the logits, one panel per relaxation: "
            "argmax is all zero, straight-through, Gumbel and softmax relaxed are not."
        ),
        checks={
            "no gradient at all through argmax": (
                "the norm of the gradient at the logits is exactly 0"
            ),
            "a gradient through SRQ": "its norm is above 0",
            "SRQ's gradient equals finite differences to 0.1 %": (
                "relative error of the gradient along random directions below 0.001"
            ),
        },
    ),
    Artefact(
        paper="CycleVAR",
        kind="fig",
        number=2,
        chapter="09",
        title="the framework, serial and parallel mode",
        claim=(
            "one pretrained next-scale model translates: source maps of every scale go in as "
            "context, maps of every scale come out, in K passes or in one"
        ),
        published="picture only",
        alt=(
            "Token maps of one image on their way through CycleVAR: source maps of each "
            "scale, predicted maps of each scale, their fused sum and the decoded "
            "translation, for serial and parallel mode."
        ),
        checks={
            "parallel mode runs the transformer once": "calls of the transformer, counted",
            "serial mode runs it K times": "calls of the transformer, counted",
            "both decode to the size of the source": "shape of the translations",
        },
        timed=("seconds",),
    ),
    Artefact(
        paper="CycleVAR",
        kind="fig",
        number=3,
        chapter="09",
        title="horse to zebra and zebra to horse, examples",
        claim=(
            "stripes become fur and fur becomes stripes, while the animal's shape and the "
            "background stay"
        ),
        published="picture only",
        alt="Rows of source animals above their translations, in both directions.",
        checks={
            **for_each(
                "<way>",
                WAYS,
                {"<way>: accuracy at least 0.98": _SEEN},
            ),
            "horse to zebra: silhouette IoU at least 0.74": _SILHOUETTE,
            "zebra to horse: silhouette IoU at least 0.78": _SILHOUETTE,
            "horse to zebra: background dB at least 24": _BACKGROUND,
            "zebra to horse: background dB at least 26": _BACKGROUND,
            "horse to zebra: stripe contrast at least 0.9": (
                "contrast of the stripes over that of the hidden counterparts"
            ),
            "zebra to horse: coat dB at least 18.5": (
                "PSNR inside the silhouette to the nearest coat of a horse"
            ),
        },
        checks_where={
            "horse2zebra is there": for_each(
                "<way>",
                WAYS,
                {
                    "photographs, <way>: seen as the target": (
                        "a classifier of ImageNet takes more than half of the translations "
                        "for the target"
                    )
                },
            ),
        },
    ),
    Artefact(
        paper="CycleVAR",
        kind="fig",
        number=4,
        chapter="11",
        title="day to night and night to day, examples",
        claim=(
            "translations have the sky and the lights of the target domain, not only its "
            "overall colour"
        ),
        published="picture only",
        alt="Rows of street scenes by day and by night above their translations.",
        checks=for_each(
            "<way>",
            DAY_NIGHT,
            {
                "toy world, <way>: at least 95 % seen as the target": _SEEN,
                "toy world, <way>: error to the hidden counterpart at least 6 dB below the untranslated": (
                    "PSNR to the hidden counterpart, minus that of the source"
                ),
            },
        ),
        checks_where={
            "day2night is there": for_each(
                "<way>",
                DAY_NIGHT,
                {
                    "streets, <way>: brightness nearer to the target's than to the source's": (
                        "mean brightness of the test photographs"
                    )
                },
            ),
            "day2night is there, and a network that judges photographs": for_each(
                "<way>",
                DAY_NIGHT,
                {
                    "streets, <way>: most are seen as the target": (
                        "the network takes more than half of them for the target"
                    ),
                    "streets, <way>: nearer to the target than source, untouched": FRECHET,
                    "streets, <way>: nearer to the target than tokenizer alone": FRECHET,
                },
            ),
        },
    ),
    Artefact(
        paper="CycleVAR",
        kind="fig",
        number=5,
        chapter="11",
        title="photographs to anime scenes, examples",
        claim="natural scenes take on an anime film's style and keep their content",
        published="picture only",
        alt="Natural scenes above their flat, anime-like translations.",
        checks=for_each(
            "<way>",
            ("photograph to flat", "flat to photograph"),
            {
                "<way>: at least 95 % seen as the target": _SEEN,
                "<way>: edges agree with the source's at least 0.9 times as well as the counterpart's": (
                    "agreement of edges with the source's, over that of the hidden "
                    "counterparts through the tokenizer"
                ),
            },
        ),
    ),
    Artefact(
        paper="CycleVAR",
        kind="fig",
        number=6,
        chapter="10",
        title="temperature of softmax relaxed quantization, pictures",
        claim=(
            "a very small temperature translates nothing, a very large one collapses to the "
            "mean code, values between work"
        ),
        published="picture only (temperatures 0.01, 0.1, 2, 10000)",
        alt=(
            "One source image translated at four temperatures, with the code distribution of "
            "one token below each."
        ),
        checks=for_each(
            "<way>",
            SHORT_WAYS,
            {
                "temperature 2 reaches the target, <way>": "mean accuracy over the seeds above 0.9",
                "temperature 0.01 does not reach it, <way>": "mean accuracy over the seeds below 0.9",
                "temperature 10000 does not reach it, <way>": "mean accuracy over the seeds below 0.9",
            },
        ),
    ),
)
