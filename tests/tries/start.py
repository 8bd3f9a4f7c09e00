from dataclasses import replace

import torch

from varbook.book.exercises import start
from varbook.data.toy import flip, sample_scene
from varbook.evaluate.reconstruction import psnr


def iou(a, b):
    return (a & b).sum((1, 2)) / (a | b).sum((1, 2))


def three_flips(scene):
    return flip(flip(flip(scene, "coat"), "time"), "style")


def as_night_zebra(scene):
    return replace(scene, species="zebra", striped=True, night=True, flat=True)


def changed(places, *papers):
    by = {place.name: {part.used_by for part in place.alternatives} for place in places}
    return [name for name, users in by.items() if set(papers) <= users]


TRIES = {
    "night zebra": (
        start.night_zebra,
        as_night_zebra,
        {
            "a flip undoes itself": three_flips,
            "by night, anime style": lambda scene: replace(as_night_zebra(scene), striped=False),
            "another animal, pose or land": lambda scene: as_night_zebra(
                sample_scene(21, species="horse")
            ),
        },
    ),
    "overlap": (
        start.overlap,
        iou,
        {
            "F1 score": lambda a, b: 2 * (a & b).sum((1, 2)) / (a.sum((1, 2)) + b.sum((1, 2))),
            "counted twice": lambda a, b: (a & b).sum((1, 2)) / (a.sum((1, 2)) + b.sum((1, 2))),
            "not by the first mask": lambda a, b: (a & b).sum((1, 2)) / a.sum((1, 2)),
            "one number per pair": lambda a, b: (a & b).sum() / (a | b).sum(),
        },
    ),
    "background": (
        start.background,
        lambda a, b, inside: psnr(a, b, ~inside),
        {
            "leave the pixels inside": lambda a, b, inside: psnr(a, b),
            "the mask is False": lambda a, b, inside: psnr(a, b, inside),
            "is 2, not 1": lambda a, b, inside: (
                psnr(a, b, ~inside) - 20 * torch.log10(torch.tensor(2.0))
            ),
            "not by all": lambda a, b, inside: psnr(a, torch.where(inside[:, None], a, b)),
        },
    ),
    "changed places": (
        start.changed_places,
        changed,
        {
            "both must have one": lambda places, *papers: [place.name for place in places],
            "more: a place": lambda places, *papers: changed(places, *papers)[:1],
            "are not places": lambda places, *papers: [places[0].alternatives[0].name],
        },
    ),
}
