"""The reader's pictures as a task of the book, and the parts that are trained for it."""

from dataclasses import replace

from torch import Tensor

from varbook.book.models import build
from varbook.book.models.profiles import Profile, profile
from varbook.book.models.sources import Folders
from varbook.book.models.trained import Trained
from varbook.book.models.unpaired_task import Task
from varbook.data.crops import centre_crop
from varbook.own.folder import Part, survey
from varbook.own.plan import Plan
from varbook.own.report import Pictures
from varbook.own.survey import Survey
from varbook.tokenizer.tokenizer import Tokenizer
from varbook.train.progress import progress
from varbook.transformer.model import NextScaleModel
from varbook.translate.cyclevar import CycleVAR

MARGIN = 286 / 256  # CycleVAR section 4.1: pictures are loaded larger, and cropped at random


def survey_for(plan: Plan, parts: tuple[Part, Part]) -> Survey:
    """Return what can be used of two listed domains at the plan's size and in its time."""
    return survey(
        parts,
        size=plan.size,
        load_size=round(plan.size * MARGIN),
        most=plan.pictures,
        most_held_out=plan.held_out,
        shown=lambda steps: progress(steps, "pictures"),
    )


def task_of(looked: Survey) -> Task:
    """Return the task of the user's pictures, as the book's own tasks are."""
    first, second = looked.domains
    files = {
        "trainA": first.train,
        "trainB": second.train,
        "testA": first.held_out,
        "testB": second.held_out,
    }
    return Task(
        name=f"{first.name} and {second.name}",
        domains={first.name: 0, second.name: 1},
        pictures=Folders(f"{first.folder} and {second.folder}", files=files, margin=MARGIN),
        chain="photographs",
        prefix="own",
    )


def profile_of(plan: Plan, seed: int) -> Profile:
    """Return the laptop profile with the plan's chain in place of that of the photographs."""
    base = profile("laptop")
    chains = base.chains | {"photographs": plan.chain()}
    return replace(base, name="own", seed=seed, chains=chains)


def parts_of(
    task: Task,
    own_profile: Profile,
    first: Trained[Tokenizer] | None = None,
    second: Trained[NextScaleModel] | None = None,
) -> tuple[Trained[Tokenizer], Trained[NextScaleModel], Trained[CycleVAR]]:
    """Return tokenizer, next-scale model and translator of a task, each standing on the one before;
    nothing is trained yet. The tokenizer begins with `first`, the next-scale model with `second`.
    """
    tokenizer = build.tokenizer(task, own_profile, start=first)
    model = build.next_scale(task, own_profile, over=tokenizer, start=second)
    return tokenizer, model, build.translator(task, own_profile, over=model)


def pictures_of(task: Task, own_profile: Profile) -> tuple[Pictures, Pictures]:
    """Return both domains at the model's size."""
    side = task.side(own_profile)

    def images(name: str, held_out: bool) -> Tensor:
        return centre_crop(task.domain(own_profile, name, held_out=held_out).images, side)

    first, second = (
        Pictures(name, index, images(name, False), images(name, True))
        for index, name in enumerate(task.domains)
    )
    return first, second
