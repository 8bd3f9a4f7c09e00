"""The colours and sizes of all drawings. One colour, one meaning."""

# Those of varbook.mplstyle, and tints of them for areas that hold text.
INK = "#1f2a33"
QUIET = "#5a6872"  # lines that only lead the eye
PANEL = "#fbfaf6"  # light on a dark page, hardly seen on a bright one or on paper
WHITE = "#ffffff"

TRAINED = "#ffdf9f"  # a network that learns
FROZEN = "#e1e4e4"  # a network that does not
DATA = "#cfe3f7"  # maps, tokens, vectors
CONDITION = "#e3cff0"  # class or text, and what it sets
LOSS = "#f6c9bf"
GRADIENT = "#bd1f01"  # always dashed as well, for eyes and printers without red
OURS = "#832db6"  # what the papers do not have

# One colour for each scale, coarse to fine, light enough for dark text.
SCALES = ("#f2b24c", "#8cbce8", "#e79384", "#a8d5b0", "#c7a6de", "#d8c98a", "#9adcdf", "#c4c9cc")

HIDDEN = "#eae7df"  # what a mask hides

WIDTH = 1400  # pixels; a column of 700 shows them at half their size
HEAD, TEXT, SMALL = 32, 27, 24  # pixels of type: 16, 13.5 and 12 in such a column


def scale_colour(k: int) -> str:
    """Return the colour of scale k (from 0)."""
    return SCALES[k % len(SCALES)]
