"""How checks of FlexVAR's figures and tables are decided, in words that several rows share."""

MOST = "accuracy of the judge"
KEPT = (
    "of the samples that the judge recognises at the training size, with its steps, the share that it "
    "recognises here, too"
)
STAYS = "mean IoU of the judge's silhouettes with those at the training size, with its steps"
FINER = (
    "mean step between neighbouring pixels over that of real pictures of the size, and more power in "
    "the finest octave than samples of the training size that are enlarged"
)
SPANS = "medians of the judge's silhouettes, between 1 / 1.3 and 1.3 times those of real pictures"
SURELY = (
    "Frechet and kernel distance of the samples to real pictures, each lower by more than two standard "
    "errors of the difference over halves of the sets"
)
DRAWS = f"{SURELY}, and by more than two draws differ"
DECODED = "over that of as many decoded real pictures"
WHOLE = {  # where the samples are of the toy world
    "whole at least 0.9 times as often as decoded real pictures": (
        "share of samples whose animal a judge of bodies takes for whole: one head and four legs"
    )
}
OUTLINES = "the judge sees outlines"
GAINS = "finer than the same samples enlarged, and within 1.3 times real pictures' detail"
PLACE = "the animal stays in its place (IoU at least 0.6)"
# Of figures that show one sample at several sizes.
AT_A_SIZE = {"{px} px: at least 75 % keep their class": KEPT, f"{{px}} px: {GAINS}": FINER}
IN_PLACE = {OUTLINES: {f"{{px}} px: {PLACE}": STAYS}}
# Of other shapes.
AS_LARGE = {
    OUTLINES: {
        "{height} x {width}: width and height of the animal within 1.3 times a real one's": SPANS
    }
}
