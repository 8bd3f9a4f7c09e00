"""How good a translator of one's own is: numbers on held-out pictures, before and after, and sheets
to look at.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from PIL import Image
from torch import Tensor

from varbook.book.show.sheets import sheet
from varbook.data.images import to_float
from varbook.errors import VarbookError
from varbook.evaluate.card import Measured, MetricCard
from varbook.evaluate.fidelity import fidelity
from varbook.evaluate.photographs import FEWEST, DomainProbe, real_report
from varbook.evaluate.reconstruction import psnr
from varbook.evaluate.structure import structure_distance
from varbook.features import mobilenet
from varbook.paths import weights_file
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.translate.apply import render_all, translate_all
from varbook.translate.cyclevar import CycleVAR

PROBE_FEWEST = 20  # training pictures of each domain: a line fitted to fewer tells nothing apart
PROBE_MOST = 150  # and more change nothing
METHODS = ("untouched", "tokenizer alone", "CycleVAR")  # and then real pictures
COLUMNS = ("frechet", "kernel", "structure", "seen_as")


@dataclass(frozen=True)
class Pictures:
    """One domain at the model's size: its name, its class, and uint8 images (N, 3, side, side) of
    training and held out.
    """

    name: str
    target: int
    train: Tensor
    held_out: Tensor

    @property
    def shown(self) -> Tensor:
        """The held-out pictures; the training pictures where none are held out."""
        return self.held_out if len(self.held_out) else self.train


@dataclass(frozen=True)
class Report:
    """Numbers by direction ("day to night"), method and measure, and what could not be measured."""

    directions: dict[str, dict[str, dict[str, Measured]]]
    tokenizer: dict[str, Measured]  # PSNR of each domain's held-out pictures
    remarks: list[str] = field(default_factory=list)

    def numbers(self) -> dict:
        """Return the report as plain data."""
        return {
            "directions": {
                direction: {
                    method: {key: measured.as_dict() for key, measured in row.items()}
                    for method, row in rows.items()
                }
                for direction, rows in self.directions.items()
            },
            "tokenizer": {name: measured.as_dict() for name, measured in self.tokenizer.items()},
            "remarks": self.remarks,
        }


def in_order(rows: dict[str, dict]) -> list[tuple[str, dict]]:
    """Return the methods of a direction and their rows as they are read: doing nothing first, real
    pictures last. (A record keeps names in the order of the alphabet.)
    """
    return sorted(rows.items(), key=lambda row: (*METHODS, row[0]).index(row[0]))


def plain_measures(row: dict) -> dict[str, float]:
    """Return a method's row as name -> value: each measure under the name of its features, and
    "accuracy" for the share that is classified as the target.
    """
    return {
        "accuracy" if key == "seen_as" else measure["name"]: measure["value"]
        for key, measure in row.items()
    }


def say_report(numbers: dict) -> str:
    """Return the table of a report (as `Report.numbers` gives it) and the card of its measures."""
    lines: list[str] = []
    cards: dict[str, dict] = {}
    for direction, rows in numbers["directions"].items():
        columns = [key for key in COLUMNS if any(key in row for row in rows.values())]
        if not columns:
            continue
        titles = {k: next(r[k]["name"] for r in rows.values() if k in r) for k in columns}
        lines.append(f"{direction:<28}" + "".join(f"{titles[key]:>22}" for key in columns))
        for method, row in in_order(rows):
            cells = [f"{_cell(key, row[key]):>22}" if key in row else " " * 22 for key in columns]
            lines.append(f"  {method:<26}" + "".join(cells))
        for row in rows.values():
            cards |= {measured["name"]: measured["card"] for measured in row.values()}
    for name, measured in numbers["tokenizer"].items():
        lines.append(f"tokenizer alone, {name}: {measured['value']:.1f} dB PSNR")
    for name, card in cards.items():
        lines.append(
            f"{name}: {card['protocol']}; {card['features']}, {card['samples']} pictures"
            + (f" against {card['reference_samples']}" if card["reference_samples"] else "")
        )
    return "\n".join(lines + numbers["remarks"])


def _cell(key: str, measured: dict) -> str:
    return f"{measured['value']:.0%}" if key == "seen_as" else f"{measured['value']:.4g}"


def measure(cyclevar: CycleVAR, first: Pictures, second: Pictures) -> Report:
    """Return the numbers of a translator between two domains, in both directions, on pictures held
    out.

    For each direction: the sources untouched, through the tokenizer alone, and translated, against
    held-out pictures of the target; and real training pictures of the target, as many, against the
    same: nothing can be expected to be nearer. What cannot be measured is said in `remarks`.
    """
    remarks = []
    for domain in (first, second):
        if len(domain.held_out) < FEWEST:
            remarks.append(
                f"{domain.name}: {len(domain.held_out) or 'no'} held-out pictures; distances to "
                f"real pictures need {FEWEST} or more"
            )
    probe = None
    if not weights_file(mobilenet.FILE):
        remarks.append(
            f"no distances and structure: {mobilenet.FILE} is not in a folder named by "
            "VARBOOK_WEIGHTS"
        )
    elif min(len(first.train), len(second.train)) < PROBE_FEWEST:
        remarks.append(f"no accuracy: it needs {PROBE_FEWEST} training pictures of each domain")
    else:
        probe = DomainProbe(first.train[:PROBE_MOST], second.train[:PROBE_MOST])
    examples = sum(min(PROBE_MOST, len(domain.train)) for domain in (first, second))
    directions, tokenizer = {}, {}
    for source, target in ((first, second), (second, first)):
        if not len(source.held_out):
            continue
        rendered = render_all(cyclevar.tokenizer, source.held_out).clamp(-1, 1)
        tokenizer[source.name] = _psnr(source.held_out, rendered)
        methods = {
            "untouched": to_float(source.held_out),
            "tokenizer alone": rendered,
            "CycleVAR": translate_all(cyclevar, source.held_out, target.target),
        }
        share = _share(probe, second is target, examples)
        rows = {
            method: _row(images, source.held_out, target, share)
            for method, images in methods.items()
        }
        rows[f"real {target.name}"] = _floor(target, len(source.held_out), share)
        directions[f"{source.name} to {target.name}"] = rows
    return Report(directions, tokenizer, remarks)


def _psnr(images: Tensor, rendered: Tensor) -> Measured:
    card = MetricCard(
        "varbook", "pixels", len(images), len(images), "the pictures themselves", "mean, in dB"
    )
    return Measured("PSNR", psnr(images, rendered).mean().item(), card)


def _share(
    probe: DomainProbe | None, target_is_second: bool, examples: int
) -> Callable[[Tensor, str], dict[str, Measured]]:
    """Return what gives {"seen_as": the share of images that the probe assigns to the target}, or {}
    without a probe.
    """

    def share(images: Tensor, target: str) -> dict[str, Measured]:
        if probe is None or not len(images):
            return {}
        second = probe.seen_as_second(images)
        card = MetricCard(
            "varbook",
            "MobileNetV2 1.0 (ImageNet), 1280 pooled",
            len(images),
            0,
            "none",
            f"share that a line fitted to {examples} training pictures puts on the target's side",
        )
        value = second if target_is_second else 1 - second
        return {"seen_as": Measured(f"accuracy, {target}", value, card)}

    return share


def _distances(images: Tensor, reference: Tensor, name: str) -> dict[str, Measured]:
    if min(len(images), len(reference)) < FEWEST:
        return {}
    try:
        return fidelity(images, reference, describe=_described(name))
    except VarbookError:  # no features are at hand, which the remarks say
        return {}


def _described(name: str) -> str:
    return f"held-out pictures of {name}"


def _row(images: Tensor, source: Tensor, target: Pictures, share) -> dict[str, Measured]:
    row = _distances(images, target.held_out, target.name)
    try:
        row["structure"] = structure_distance(images, to_float(source))
    except VarbookError:  # as above
        pass
    return row | share(images, target.name)


def _floor(target: Pictures, count: int, share) -> dict[str, Measured]:
    # The share is measured on held-out pictures: the probe has seen those of training.
    try:
        row = real_report(target.train, target.held_out, count, _described(target.name))
    except VarbookError:  # as above
        row = {}
    return row | share(target.held_out, target.name)


@torch.no_grad()
def tokenizer_sheet(tokenizer: Tokenizer, domains: tuple[Pictures, Pictures], count: int = 8):
    """Return a picture of `count` pictures of each domain and of what the tokenizer makes of them."""
    rows: dict[str, Tensor] = {}
    for domain in domains:
        images = spread(domain.shown, count)
        rows |= {domain.name: images, f"{domain.name}, tokenizer": render_all(tokenizer, images)}
    return sheet(rows)


@torch.no_grad()
def translation_sheet(
    cyclevar: CycleVAR, domains: tuple[Pictures, Pictures], count: int = 8
) -> Image.Image:
    """Return a picture of `count` pictures of each domain: as they are, through the tokenizer
    alone, and translated.
    """
    rows: dict[str, Tensor] = {}
    for source, target in (domains, domains[::-1]):
        images = spread(source.shown, count)
        rows |= {
            source.name: images,
            f"{source.name}, tokenizer": render_all(cyclevar.tokenizer, images),
            f"to {target.name}": translate_all(cyclevar, images, target.target),
        }
    return sheet(rows)


def spread(images: Tensor, count: int) -> Tensor:
    """Return `count` of the images (N, ...), evenly spread, or all where there are fewer."""
    count = min(count, len(images))
    return images[torch.arange(count) * len(images) // max(count, 1)]
