"""The look of the book's plots."""

from pathlib import Path

# Inches, of every chart: at the style's 150 dots an inch the file is 1,200 pixels wide, and in a
# column of 700 the style's letters are still 12 pixels high.
WIDTH = 8.0


def use_style() -> None:
    """Apply the book's matplotlib style: colour-blind-safe cycle, small inline pictures,
    reproducible vector files.
    """
    import matplotlib.style

    matplotlib.style.use(Path(__file__).with_name("varbook.mplstyle"))
