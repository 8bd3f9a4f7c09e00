"""The look of the book's plots."""

from pathlib import Path


def use_style() -> None:
    """Apply the book's matplotlib style: colour-blind-safe cycle, small inline pictures,
    reproducible vector files.
    """
    import matplotlib.style

    matplotlib.style.use(Path(__file__).with_name("varbook.mplstyle"))
