"""Every chart that is saved, with ten scales where it has scales: wide enough, no small letters, axes
that are named, and no title or name that runs into another.
"""

import itertools

import matplotlib
import pytest
import torch
from matplotlib import pyplot as plt

from varbook.book.claims.published_charts import three_claims
from varbook.book.claims.registry import REGISTRY, published
from varbook.book.claims.verdict_map import verdict_map
from varbook.book.claims.verdicts import WORDS
from varbook.book.show import (
    ablation_charts,
    charts,
    code_cells,
    flexible_charts,
    lines,
    receptive_field,
    relaxation_figure,
    scan_figures,
    seed_dots,
)
from varbook.book.show.style import use_style
from varbook.tokenizer.schedule import VAR_256

DPI = 150  # of the style's files
NARROWEST, SMALLEST = 1200, 20  # pixels: the width, and the letters of a chart of that width
TEMPERATURES = (0.01, 0.1, 0.7, 1.0, 2.0, 10.0, 10_000.0)
NAMES = [f"{h}x{w}" for h, w in VAR_256]


def curve(count=60):
    fields = ("loss", "cycle", "identity", "gan", "critic")
    return [{"step": 25 * n, **dict.fromkeys(fields, 3.0 - n / count)} for n in range(count)]


def floors():
    kinds = (("source, untouched", 17.0), ("hidden counterpart", 0.5))
    return {name: {"FD h2z": value, "FD z2h": value} for name, value in kinds}


def receptive():
    length = sum(h * w for h, w in VAR_256)
    may = torch.ones(length, length).tril().bool()
    return receptive_field.receptive_field_chart(torch.rand(length, length), may, VAR_256)


def spectra():
    kinds = ("real", "decoded", "drawn", "enlarged")
    return {
        f"{n} px": {kind: [1.0 + k % 3 for k in range(40)] for kind in kinds} for n in (64, 128)
    }


def relaxations():
    weights = {name: torch.rand(256, 512) for name in relaxation_figure.RELAXED}
    arrived = {name: torch.rand(16, 16) for name in weights}
    return relaxation_figure.relaxations_figure(weights, arrived, dict.fromkeys(weights, 0.5))


def pictures():
    rows = [[torch.zeros(3, 8, 8, dtype=torch.uint8)] * 5] * 3
    titles = ["source", *(f"temperature {tau:g}" for tau in (0.01, 0.1, 2.0, 1e4))]
    return charts.pictures_over_weights(rows, titles, [[1 / 512] * 512] * 4)


def sweeps(keys):
    return {key: {"h2z": (1.0, 0.5), "z2h": (5.0, 2.0)} for key in keys}


def steps():
    measures = {"FD-toy": 0.4, "IS-toy": 6.0, "taken for its class": 0.9}
    counts = list(range(4, 12))
    curves = {depth: {str(n): [measures, measures] for n in counts} for depth in (2, 3, 4)}
    return flexible_charts.steps_figure(curves, counts, list(measures), 10)


def sizes():
    measures = dict.fromkeys(("FD-toy", "taken for its class", "detail"), 0.5)
    kinds = dict.fromkeys(flexible_charts.KINDS, measures)
    return flexible_charts.sizes_figure(dict.fromkeys((2, 8, 32), kinds), "FD-toy", 8, 64, 0.07)


def over_temperature():
    fields = {"perplexity": 20.0, "norm ratio": 0.5, "tokens that share it": 0.2}
    rows = [{"temperature": tau, **fields} for tau in TEMPERATURES]
    return relaxation_figure.temperature_figure(rows, 512)


def walks():
    path = torch.linspace(0, 1, 20)[:, None].repeat(1, 2)
    return code_cells.walks_figure(torch.eye(2), {"target near a code": (path, torch.ones(2))})


CHARTS = {
    "tokenizer-training": lambda: lines.curve_chart({"VAR": curve()}, "loss", ylabel="error")[0],
    "cyclevar_curves": lambda: charts.cyclevar_losses(curve(), "photographs", 1.0),
    "losses of chapter 00": lambda: lines.loss_panels(
        {"tokenizer": (curve(), ["loss"]), "CycleVAR": (curve(), ["cycle", "gan", "critic"])}
    ),
    "still-missing": lambda: lines.line_chart(
        NAMES, {"residual": range(10)}, xlabel="after scale", ylabel="share"
    )[0],
    "cyclevar-fig-1": relaxations,
    "srq_temperature": over_temperature,
    "cyclevar-fig-6": pictures,
    "flexvar-fig-7": steps,
    "flexible_sizes": sizes,
    "flexible_spectra": lambda: flexible_charts.spectra_figure(spectra()),
    "flexvar-fig-12": scan_figures.paths_figure,
    "mamba_training": lambda: scan_figures.trainings_figure(
        {"attention": [curve()] * 3, "Mamba": [curve()] * 3}, "loss", "nats per token"
    ),
    "next_scale_receptive_field": receptive,
    "looks at": lambda: receptive_field.looked_at_chart(
        [torch.rand(size) for size in VAR_256], VAR_256
    ),
    "straight-through-walk": walks,
    "cyclevar_temperature": lambda: ablation_charts.temperature_curves(
        sweeps(TEMPERATURES),
        floors()["source, untouched"],
        published("cyclevar-table-5").as_dicts(),
    ),
    "cyclevar_gradient_noise": lambda: ablation_charts.gradient_curves(
        {tau: {"size": 1 / tau, "agreement": 0.4} for tau in TEMPERATURES}
    ),
    "cyclevar_alpha": lambda: ablation_charts.alpha_curves(
        dict.fromkeys(("FD-toy", "structure-toy", "background, dB"), sweeps((0.25, 0.5, 0.75, 1.0)))
    ),
    "seeds of chapter 10": lambda: ablation_charts.seed_dots(
        {"temperature 0.01, plain descent": [{"FD h2z": 1.0, "FD z2h": 4.0}] * 2}, floors()
    ),
    "seeds of chapter 04": lambda: seed_dots.seed_dots(
        {"residual": [8.0, 9.0]}, "FD-toy of samples", {"residual": 0.5}, "tokenizer alone"
    ),
    "preference_coverage": lambda: charts.coverage_panels(
        [2, 4, 8, 16, 32],
        {"one": [{"a": 0.5, "b": 0.6, "c": 0.7}] * 5, "two": [{"a": 1.0, "b": 0.9, "c": 0.8}] * 5},
    ),
    "three claims": three_claims,
    "verdicts": lambda: verdict_map(dict.fromkeys(REGISTRY, WORDS[0])),
}
# A tile of the map of verdicts has its chapter in small letters below its number.
SMALL = {"verdicts": 9.0}


@pytest.fixture(autouse=True)
def styled():
    with matplotlib.rc_context():
        use_style()
        yield
    plt.close("all")


def unseen(figure) -> set[int]:
    """The names at ticks that matplotlib keeps but does not draw: of hidden axes, and outside."""
    found = set()
    for axes, axis in itertools.product(figure.axes, ("xaxis", "yaxis")):
        low, high = sorted(getattr(axes, axis).get_view_interval())
        for tick in (*getattr(axes, axis).majorTicks, *getattr(axes, axis).minorTicks):
            if not axes.axison or not low <= tick.get_loc() <= high:
                found |= {id(tick.label1), id(tick.label2)}
    return found


def written(figure):
    """The texts that are seen, each with the box around it in pixels."""
    renderer, left_out = figure.canvas.get_renderer(), unseen(figure)
    return [
        (text, text.get_window_extent(renderer))
        for text in figure.findobj(matplotlib.text.Text)
        if text.get_text().strip() and text.get_visible() and id(text) not in left_out
    ]


def runs_into(a, b, slack=1.0) -> bool:
    return min(a.x1, b.x1) - max(a.x0, b.x0) > slack and min(a.y1, b.y1) - max(a.y0, b.y0) > slack


def shown_names(axis) -> list[str]:
    """The names at the ticks of an axis that is seen, if they are words."""
    return [label.get_text() for label in axis.get_xticklabels() if label.get_text()]


@pytest.mark.parametrize("name", CHARTS)
def test_a_saved_chart_is_wide_its_letters_large_and_apart_and_its_axes_named(name):
    figure = CHARTS[name]()
    figure.dpi = DPI
    figure.draw_without_rendering()
    box = figure.get_tightbbox().padded(matplotlib.rcParams["savefig.pad_inches"])  # inches
    assert box.width * DPI >= NARROWEST
    texts = written(figure)
    points = SMALLEST / NARROWEST * box.width * 72  # of letters of that share of the width
    least = SMALL.get(name, points)
    assert not {text.get_text() for text, _ in texts if text.get_fontsize() < least}
    pairs = itertools.combinations(texts, 2)
    over = [(a.get_text(), b.get_text()) for (a, x), (b, y) in pairs if runs_into(x, y)]
    assert not over
    for axis in figure.axes:
        names = shown_names(axis)
        numbers = all(
            name.replace(".", "").replace("\N{MINUS SIGN}", "").isdigit() for name in names
        )
        if axis.axison and names and numbers:
            told = axis.get_xlabel() or figure.get_supxlabel()
            assert told, f"the axis below {axis.get_title()!r} has no name"
