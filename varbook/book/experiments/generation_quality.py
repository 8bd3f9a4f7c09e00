"""What samples of a next-scale model are worth, beside what their tokenizer and real pictures reach.

All numbers are kept in the record of the model's run.
"""

import math
from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from varbook.book.experiments.flexvar_ablations import image_measures, task_of
from varbook.book.experiments.shared import shared
from varbook.book.models import build
from varbook.book.models.profiles import Profile
from varbook.data.images import to_float
from varbook.device import pick_device
from varbook.evaluate.reconstruction import psnr
from varbook.evaluate.translation import look
from varbook.generate.loop import generate
from varbook.generate.sampling import Drawing
from varbook.tokenizer.schedule import Schedule
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.train.store import Run
from varbook.transformer.model import NextScaleModel

BATCH = 64  # pictures that are encoded or drawn at a time
GRID = 8  # cells of a side to which a picture is averaged where composition alone counts


def drawn(
    model: NextScaleModel, tokenizer: Tokenizer, labels: Tensor, drawing: Drawing, seed: int
) -> Tensor:
    """Return a sample (3, H, W) in [-1, 1] for each of `labels` (N,): (N, 3, H, W)."""
    pick = torch.Generator().manual_seed(seed)
    parts = [
        generate(model, tokenizer, rows, model.config.schedule, drawing, generator=pick).images
        for rows in labels.split(BATCH)
    ]
    return torch.cat(parts)


def rebuilt(tokenizer: Tokenizer, images: Tensor, schedule: Schedule) -> Tensor:
    """Return what the tokenizer makes of images (N, 3, H, W) in [-1, 1], of the same shape."""
    parts = [tokenizer.image(tokenizer.tokens(rows, schedule)) for rows in images.split(BATCH)]
    return torch.cat(parts)


class Quality:
    """The judge's numbers on pictures of one model: the distance by its name, the accuracy, the card.

    Every model of a profile that is asked with equal settings is measured on the same held-out
    pictures, classes and seed.
    """

    def __init__(
        self,
        profile: Profile,
        model: NextScaleModel,
        tokenizer: Tokenizer,
        run: Run,
        drawing: Drawing,
        seed: int,
    ):
        task, device = task_of(profile), pick_device()
        self.profile, self.run, self.drawing, self.seed = profile, run, drawing, seed
        self.model, self.tokenizer, self.schedule = model, tokenizer, model.config.schedule
        held = shared(task.sample, profile)
        self.images, self.labels = to_float(held.images).to(device), held.labels.to(device)
        self.judge = shared(build.judge, task, profile)
        self.settings = {
            "guidance": drawing.guidance,
            "top_k": drawing.top_k,
            "top_p": drawing.top_p,
            "schedule": self.schedule,
            "seed": seed,
            "judge": self.judge.key,
            "images": len(self.images),
        }

    @property
    def distance(self) -> str:
        """The name of the judge's distance, such as "FD-toy"."""
        return self.judge.model.distance

    def drawn(self) -> dict:
        """Return the numbers of samples, one for each held-out picture, of its class."""
        return self._measured("samples", lambda: self._samples())

    def reconstructed(self) -> dict:
        """Return the numbers of the held-out pictures as the tokenizer decodes them: the best that
        the model can do with it.
        """
        return self._measured("reconstructions", lambda: self._rebuilt())

    def real(self) -> dict:
        """Return the numbers of the held-out pictures themselves, beside other real ones: the best
        that a set of this size can do.
        """
        return self._measured("real against real", lambda: self.images)

    def sharpness(self) -> dict[str, float]:
        """Return the mean PSNR of the tokenizer's reconstructions, in dB, as {"PSNR": ...}."""
        return self.run.measure(
            "psnr",
            {"images": len(self.images)},
            lambda: {"PSNR": psnr(self._rebuilt(), self.images).mean().item()},
        )

    def _samples(self) -> Tensor:
        return drawn(self.model, self.tokenizer, self.labels, self.drawing, self.seed)

    def _rebuilt(self) -> Tensor:
        with torch.no_grad():
            return rebuilt(self.tokenizer, self.images, self.schedule)

    def _measured(self, name: str, pictures) -> dict:
        judge = self.judge.model.to(pick_device())
        return self.run.measure(
            name,
            self.settings,
            lambda: image_measures(self.profile, judge, pictures(), self.labels.cpu()),
        )


def without_card(rows: Mapping[str, Mapping]) -> list[dict]:
    """Return rows of a table, one for each name of `rows`, of all its numbers but the card."""
    return [
        {"pictures": name} | {key: value for key, value in values.items() if key != "card"}
        for name, values in rows.items()
    ]


def how_drawn(drawing: Drawing, schedule: Schedule) -> str:
    """Return the settings of a draw in words: a number without them says little."""
    return (
        f"guidance {drawing.guidance:g}, top-k {drawing.top_k}, top-p {drawing.top_p:g}, "
        f"{len(schedule)} steps"
    )


def accuracy_and_variety(judge, pictures: Tensor, labels: Tensor) -> dict[str, float]:
    """Return the judge's accuracy on pictures (N, 3, H, W) of `labels` (N,), and how far apart two
    pictures of one class are at 8 x 8 pixels, where composition alone is left ("apart").
    """
    right = (look(judge, pictures).species.argmax(-1).to(labels.device) == labels).float()
    small = F.adaptive_avg_pool2d(pictures, GRID).flatten(1).cpu()  # N 192
    groups = [small[labels.cpu() == label] for label in labels.unique(sorted=False).tolist()]
    apart = [torch.pdist(group).mean().item() / math.sqrt(small.shape[1]) for group in groups]
    return {"taken for its class": right.mean().item(), "apart": sum(apart) / len(apart)}


def variety_rows(rows: Sequence[Mapping]) -> list[dict]:
    """Return the rows of a table in the order in which it is read: how the pictures were drawn,
    then `accuracy_and_variety` of them.
    """
    return [
        {
            "strength": row["strength"],
            "form": row["form"],
            "accuracy": row["taken for its class"],
            "variety": row["apart"],
        }
        for row in rows
    ]


def ramp_text(rows: Sequence[Mapping]) -> str:
    """Return as Markdown how much of the unguided variety a ramp and a constant keep.

    `rows` have "strength", "form" ("ramp" or "constant") and "apart"; one has the strength 0.
    """
    apart = {(row["strength"], row["form"]): row["apart"] for row in rows}
    strengths = sorted({strength for strength, _ in apart if strength})
    kept = {
        form: [apart[strength, form] / apart[0.0, "ramp"] for strength in strengths]
        for form in ("ramp", "constant")
    }
    more = all(a > b for a, b in zip(kept["ramp"], kept["constant"], strict=True))
    told = {form: " and ".join(f"{share:.0%}" for share in shares) for form, shares in kept.items()}
    return (
        f"At strength {' and '.join(f'{one:g}' for one in strengths)} the ramp keeps {told['ramp']} "
        f"of the unguided variety, the constant {told['constant']}: the ramp "
        f"{'keeps more variety' if more else 'does not keep more variety here'}."
    )
