"""A computed jury beside the people's votes (CycleVAR table 2): a measure for each question chooses one
method for each picture. It is named as such, and no file of votes ever holds its choices.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from varbook.book.models.judges import judge
from varbook.book.models.profiles import Profile
from varbook.book.models.tasks import PHOTOGRAPHS, TOY
from varbook.book.preference.methods import OURS
from varbook.book.preference.statistics import preferred
from varbook.book.preference.study import QUESTIONS, Study, Vote
from varbook.evaluate.fidelity import feature_rows
from varbook.evaluate.reconstruction import psnr
from varbook.evaluate.structure import spatial_features, structure_distances
from varbook.features.judge import Judge

JURY = "computed jury"  # who votes, in the table


@dataclass(frozen=True)
class Jury:
    """What the questions are answered by: the features of a judge, real pictures of the target, and,
    where they are known, the hidden counterparts of the study's sources.
    """

    features: str | Judge
    target: Tensor  # uint8 (M, 3, H, W)
    hidden: Tensor | None = None  # uint8 (N, 3, H, W), in the order of the study's pictures

    def scores(self, study: Study) -> dict[str, dict[str, Tensor]]:
        """Return question -> method -> a score (N,) of each picture, lower is better.

        Style: the squared distance of the features to the target's mean, in the target's standard
        deviations. Content: the structure distance to the source. Overall: the error to the hidden
        counterpart; where there is none, the mean of the method's ranks in style and content.
        """
        sources = torch.stack([study.source(name) for name in study.pictures])
        made = {
            method: torch.stack([study.result(method, name) for name in study.pictures])
            for method in study.methods
        }
        real = feature_rows(self.target, self.features)
        mean, spread = real.mean(0), real.std(0)
        spread = spread + spread.mean() / 10  # or features that hardly vary would decide
        spatial = spatial_features(self.features)
        found = {
            "style": {
                name: (((feature_rows(x, self.features) - mean) / spread) ** 2).mean(1)
                for name, x in made.items()
            },
            "content": {name: structure_distances(x, sources, spatial) for name, x in made.items()},
        }
        if self.hidden is not None:
            found["overall"] = {name: -psnr(x, self.hidden) for name, x in made.items()}
        else:
            ranks = [_ranks(found[question]) for question in ("style", "content")]
            found["overall"] = {name: (ranks[0][name] + ranks[1][name]) / 2 for name in made}
        return found

    def votes(self, study: Study) -> list[Vote]:
        """Return the method with the lowest score for each picture and question, as votes; between
        equals the first by name.
        """
        scores = self.scores(study)
        return [
            Vote(
                study.key,
                JURY,
                name,
                question,
                min(study.methods, key=lambda one: scores[question][one][i].item()),
                study.methods,
                0,
            )
            for i, name in enumerate(study.pictures)
            for question in QUESTIONS
        ]


def _ranks(scores: Mapping[str, Tensor]) -> dict[str, Tensor]:
    order = torch.stack(list(scores.values())).argsort(0).argsort(0)  # methods N
    return {name: order[i].double() for i, name in enumerate(scores)}


def jury_of(profile: Profile, pictures: str, study: Study) -> Jury | None:
    """Return the jury of a study of the book's own, "toy" or "photographs": the toy world's judge, its
    training zebras and the hidden ones of the study's horses; or the features at hand and the test
    photographs of zebras. None for another study: nobody knows what its target looks like.
    """
    if pictures == "photographs":
        return Jury("auto", PHOTOGRAPHS.domain(profile, "zebra", held_out=True).images)
    if pictures != "toy":
        return None
    hidden = TOY.domain(profile, "zebra", held_out=True).images[: len(study.pictures)]
    return Jury(judge(TOY, profile).model, TOY.domain(profile, "zebra").images[:1000], hidden)


def chosen_by_jury(jury: Jury, study: Study) -> tuple[list[Vote], dict[str, bool]]:
    """Return the jury's votes, and the checks of CycleVAR table 2 that follow from them."""
    votes = jury.votes(study)
    if OURS not in study.methods:
        return votes, {}
    won = preferred(votes, study.methods, OURS)
    return votes, {f"{JURY}: {key}": holds for key, holds in won.items()}
