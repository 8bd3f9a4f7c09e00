"""The methods that this book can enter into a preference study by itself; others fill their folders
by hand.
"""

from dataclasses import replace

import torch
from torch import Tensor

from varbook.book.models import build
from varbook.book.models.profiles import Profile
from varbook.book.models.tasks import PHOTOGRAPHS, TOY
from varbook.book.preference.study import Study, fill, open_study
from varbook.data.images import to_float, to_uint8
from varbook.errors import VarbookError
from varbook.paths import home
from varbook.train.store import Run
from varbook.translate.apply import translate_all
from varbook.translate.cyclevar import CycleVAR

OURS = "CycleVAR"  # the name under which the book's own method takes part


@torch.no_grad()
def our_methods(cyclevar: CycleVAR, images: Tensor, target: int | str) -> dict[str, Tensor]:
    """Return method -> translations (N, 3, H, W), uint8: one parallel pass, the same weights in
    series, the tokenizer alone.
    """
    in_series = CycleVAR(
        cyclevar.tokenizer, cyclevar.model, replace(cyclevar.config, mode="serial")
    ).eval()
    device = next(cyclevar.model.parameters()).device
    floor = cyclevar.tokenizer.reconstruct(to_float(images).to(device))[-1].clamp(-1, 1)
    translated = {
        OURS: translate_all(cyclevar, images, target),
        "in-series": translate_all(in_series, images, target),
        "tokenizer-only": floor.cpu(),
    }
    return {name: to_uint8(images) for name, images in translated.items()}


def study_of_run(cyclevar: CycleVAR, run: Run, images: Tensor, target: int | str) -> Study:
    """Return the study of one run below VARBOOK_HOME; made the first time, and left as it is
    afterwards.

    A translator that is trained anew gets another folder, and so do other held-out pictures:
    votes are never carried over to other pictures.
    """
    # Of which held-out pictures the run is measured; those of the book's own runs have no name.
    pictures = run.record.get("measured on", "")
    name = f"{run.name}-{len(images)}{pictures and '-'}{pictures}"
    folder = home() / "studies" / name
    try:
        return open_study(folder)
    except VarbookError:
        fill(folder, "source", list(images))
        for name, translated in our_methods(cyclevar, images, target).items():
            fill(folder, name, list(translated))
        return open_study(folder)


def toy_study(profile: Profile, count: int = 16) -> tuple[Study, Run]:
    """Return a study on the first `count` held-out horses of the toy world, translated to zebras,
    and the run behind it.
    """
    horses = TOY.domain(profile, "horse", held_out=True).images[:count]
    cyclevar, run, _ = build.translator(TOY, profile)
    return study_of_run(cyclevar, run, horses, TOY.classes[1]), run


def photograph_study(profile: Profile, count: int = 16) -> tuple[Study, Run]:
    """Return the same on test photographs of horses; VarbookError where there are no photographs."""
    horses = PHOTOGRAPHS.domain(profile, "horse", held_out=True).images[:count]
    cyclevar, run, _ = build.translator(PHOTOGRAPHS, profile)
    return study_of_run(cyclevar, run, horses, PHOTOGRAPHS.classes[1]), run
