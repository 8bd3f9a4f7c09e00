"""CycleVAR on photographs in chapter 09: horse2zebra, its translator, its rivals, and their reports."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial

from torch import Tensor

from varbook.book.experiments import translator_rivals
from varbook.book.experiments.translator_reports import OURS, REAL, WAYS, Report, floors
from varbook.book.models import build
from varbook.book.models.profiles import Profile
from varbook.book.models.tasks import PHOTOGRAPHS
from varbook.data.images import evenly_spaced
from varbook.train.store import Run
from varbook.translate.apply import translate_all
from varbook.translate.cyclevar import CycleVAR

SHOWN = 10  # test photographs of each domain in CycleVAR figure 3


@dataclass(frozen=True)
class TranslatedPhotographs:
    """The photographs of a profile, with the translator that was trained on them."""

    profile: Profile
    parts: Mapping[str, Tensor]  # "trainA", "testB", ..: uint8 images (N, 3, H, W)
    cyclevar: CycleVAR
    run: Run

    def pictures(self) -> dict[str, Tensor]:
        """Return labelled rows of photographs (SHOWN, 3, H, W) and their translations, both ways,
        evenly spread over the test set.
        """
        rows: dict[str, Tensor] = {}
        for way, (_, source, _, label) in translator_rivals.DIRECTIONS.items():
            first, last = way.split(" to ")
            images = evenly_spaced(self.parts[source], SHOWN)
            rows[f"source: {first}"] = images
            rows[f"CycleVAR: to {last}"] = translate_all(self.cyclevar, images, label)
        return rows

    @cached_property
    def rivals(self) -> dict[str, Run]:
        """Name -> record of each rival that the profile has trained on photographs."""
        names = self.profile.rivals.photograph_translators
        return {name: translator_rivals.photograph_rival(self.profile, name) for name in names}

    @cached_property
    def reports(self) -> dict[str, Report]:
        """Method -> its report: the floors, CycleVAR, the rivals, and real photographs of the
        target.
        """
        counts = {"images": [len(self.parts[part]) for part in ("testA", "testB")]}
        reports = dict(self.run.measure("photographs", counts, self._own_reports))
        reports |= {name: rival.result["report"] for name, rival in self.rivals.items()}
        real = partial(translator_rivals.real_reports, self.parts)
        reports[REAL] = self.run.measure("real against real", counts, real)
        return reports

    def _own_reports(self) -> dict[str, Report]:
        generators = floors(self.cyclevar.tokenizer)
        generators[OURS] = partial(translate_all, self.cyclevar)
        return {
            name: translator_rivals.photograph_reports(dict(self.parts), translate)
            for name, translate in generators.items()
        }

    @property
    def seen_as_target(self) -> dict[str, float]:
        """Direction -> share of CycleVAR's translations in which an independent classifier sees the
        target.
        """
        return {way: self.reports[OURS][way]["seen_as"]["value"] for way in WAYS}

    def rival_pictures(self) -> dict[str, Tensor]:
        """Return labelled rows: a few photographs, translated by CycleVAR and by each rival."""
        return translator_rivals.photograph_pictures(self.parts, self.cyclevar, self.rivals)

    @property
    def minutes(self) -> dict[str, float]:
        """Method -> core-minutes of training, everything that it needed included."""
        own = build.translator(PHOTOGRAPHS, self.profile).runs
        minutes = {translator_rivals.OURS: sum(part.core_minutes for part in own)}
        return minutes | {name: rival.result["minutes"] for name, rival in self.rivals.items()}


def find(profile: Profile) -> TranslatedPhotographs | None:
    """Return the profile's photographs with their translator, None where the profile uses none or
    none are there.
    """
    parts = PHOTOGRAPHS.parts(profile) if profile.use_photographs else None
    if parts is None:
        return None
    cyclevar, run, _ = build.translator(PHOTOGRAPHS, profile)
    return TranslatedPhotographs(profile, parts, cyclevar, run)
