"""What is translated into what: each task of the book is one row of `TASKS`.

A row says between which domains, where the pictures come from, which of the profile's chains is
trained on them and who judges. `varbook.book.models.build` makes every model from (task, profile),
so that another data set is another row and nothing else.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from varbook.book.models.profiles import CAPTIONED, Chain, Profile
from varbook.book.models.sources import Folders, Scenes, Size, World
from varbook.book.models.streamed import ANIMALS, HELD_OUT_SEED, TRAIN_SEED, LabelledSet, Streamed
from varbook.data.shards import Crops
from varbook.data.toy import ToySet
from varbook.errors import VarbookError
from varbook.paths import data_folder, data_places
from varbook.pretrained.published_cyclevar import PUBLISHED_LABELS
from varbook.train.steps import Draw
from varbook.translate.cyclevar import CycleVARConfig
from varbook.world.scene import SPECIES

# Shipped runs whose kind is not the name that the rule of `Task.run_name` gives.
RECORDED = {
    "toy-judge": "judge",
    "toy-tokenizer": "toy-tokenizer-residual",
    "toy-tokenizer-ground-truth": "toy-tokenizer-ground_truth",
    "photo-rival-diffusion": "photo-diffusion",
}


@dataclass(frozen=True)
class Published:
    """The published model from which a translator of the paper starts."""

    checkpoint: str  # a name of `varbook.pretrained.catalogue`
    classes: tuple[int, ...] | None = None  # those of its classes that the domains are, X before Y


@dataclass(frozen=True)
class Task:
    """An unpaired translation task: domains X and Y, and everything that is particular to them."""

    name: str
    domains: Mapping[str, int | str] = field(hash=False)  # name -> class or prompt, X before Y
    pictures: World | Folders | Streamed
    chain: str  # which of the profile's chains is trained
    # "species", "attributes" or "imagenet"; None: judged by pretrained features alone.
    judge: str | None = None
    config: CycleVARConfig = CycleVARConfig()
    rivals_over: str = "residual"  # pyramid of the tokenizer over which rival generators work
    published: Published | None = None
    tokenizer_pictures: Streamed | None = None  # what the tokenizer is trained on; None: the same
    shown: Mapping[str, int] = field(default_factory=dict, hash=False)  # classes that chapters show
    prefix: str = ""  # runs are called "prefix-part"; without one, "name-part"
    names: Mapping[str, str] = field(default_factory=dict, hash=False)  # part -> other name of runs

    @property
    def targets(self) -> tuple[int | str, ...]:
        """The classes, or prompts, of X and Y."""
        return tuple(self.domains.values())

    @property
    def reads(self) -> bool:
        """Are the domains asked for by prompts, not by classes?"""
        return isinstance(self.targets[0], str)

    @property
    def classes(self) -> tuple[int, int]:
        """The classes of X and Y; VarbookError where the domains are asked for by prompts."""
        x, y = self.targets
        if isinstance(x, str) or isinstance(y, str):
            raise VarbookError(
                f"The domains of the task {self.name} are prompts; this needs domains that are "
                "classes."
            )
        return x, y

    def run_name(self, part: str) -> str:
        """Return the name of a part's runs on the command line, such as "photo-cyclevar"; the parts
        are those of `varbook.book.models.build.PARTS`.
        """
        return self.names.get(part, f"{self.prefix or self.name}-{part}")

    def kind(self, part: str) -> str:
        """Return the kind under which the records of a part are found."""
        return RECORDED.get(self.run_name(part), self.run_name(part))

    def chain_of(self, profile: Profile) -> Chain:
        """Return the profile's chain for this task; VarbookError where its model knows fewer
        classes than the domains need.
        """
        if self.chain not in profile.chains and self.chain != "flat":
            raise VarbookError(
                f"The profile {profile.name} has no sizes for the task {self.name}: use the profile paper."
            )
        chain = profile.chain(self.chain)
        if not self.reads and max(self.classes) >= chain.model.classes:
            raise VarbookError(
                f"The task {self.name} needs class {max(self.classes)}, but the models of the chain "
                f"{self.chain!r} know {chain.model.classes} classes: choose another chain."
            )
        return chain

    def side(self, profile: Profile) -> int:
        """Return the side of the pictures in pixels."""
        return profile.chain(self.chain).image_size

    def missing(self) -> str | None:
        """Return None, or a sentence that says what to do where the pictures are not there."""
        return self.pictures.missing()

    def starts_published(self, profile: Profile) -> bool:
        """Say whether CycleVAR starts from the task's published model in this profile."""
        return profile.published_start and self.published is not None

    def of_tokenizer(self) -> "Task":
        """Return this task with the pictures on which its tokenizer is trained."""
        return replace(self, pictures=self.tokenizer_pictures or self.pictures)

    def counts(self, profile: Profile) -> tuple[int, ...]:
        """Return the number of training pictures of X and Y, without making any."""
        return self.pictures.counts(self.domains, profile)

    def identity(self, profile: Profile) -> dict:
        """Return what stands for the training pictures in the key of a run on them."""
        return self.pictures.identity(self.domains, profile, self.side(profile))

    def trained_on(self) -> dict:
        """Return a digest of the training pictures and their labels; {} for those on which the runs
        were trained that come with the book.
        """
        return self.pictures.fingerprint(self.domains)

    def pair(self) -> dict:
        """Return what `trained_on` leaves open of which pictures are X and Y; {} likewise."""
        return self.pictures.pair(self.domains)

    def held_out(self) -> dict:
        """Return a digest of the pictures that are measured on; {} likewise."""
        return self.pictures.held_out(self.domains)

    def fingerprint(self) -> dict:
        """Return all three: what numbers rest on that are measured on this task's pictures."""
        return self.trained_on() | self.pair() | self.held_out()

    def draw(self, profile: Profile) -> Draw:
        """Return what makes float batches out of a set of training pictures."""
        return self.pictures.draw(self.side(profile))

    def images(self, profile: Profile) -> Tensor | Crops:
        """Return all training pictures, uint8 (N, 3, H, W), for `draw`."""
        return self.pictures.images_of_all(self.domains, profile, self.side(profile))

    def labelled(self, profile: Profile) -> tuple[Tensor | Crops, Tensor | list[str] | None]:
        """Return all training pictures, uint8 (N, 3, side, side), with classes, long (N,), or
        captions; None for crops, which bring their classes.
        """
        return self.pictures.labelled(self.domains, profile, self.side(profile))

    def domain(
        self, profile: Profile, name: str, *, held_out: bool = False, side: int | None = None
    ) -> Any:
        """Return the pictures of one domain as `.images`, uint8 (N, 3, H, W): for training, or held
        out. A `ToySet` also has `.silhouettes`, `.scenes` and `.captions`; photographs are an
        `ImageSet`.

        `side` in pixels replaces the chain's.
        """
        side = side or self.side(profile)
        return self.pictures.domain(self.domains, name, profile, side, held_out)

    def sample(
        self,
        profile: Profile,
        count: int | None = None,
        size: Size | None = None,
        *,
        seed: int = HELD_OUT_SEED,
        names: Sequence[str] | None = None,
    ) -> ToySet | LabelledSet:
        """Return `count` held-out pictures (the profile's number) with `.images` and `.labels`, of
        the classes `names` (None: all), at any size in pixels (the chain's side).

        Other seeds than HELD_OUT_SEED share no picture with it; TRAIN_SEED's are training pictures.
        """
        size, classes = size or self.side(profile), {name: self.label(name) for name in names or ()}
        return self.pictures.sample(profile, count or profile.held_out, size, seed, classes)

    def label(self, name: str) -> int:
        """Return the class of a name that chapters show; VarbookError for any other name."""
        if name not in self.shown:
            raise VarbookError(
                f"The task {self.name} shows no {name!r}; it shows {', '.join(self.shown)}."
            )
        return self.shown[name]

    @property
    def noun(self) -> str:
        """What its pictures are called in a metric card."""
        return "toy scenes" if isinstance(self.pictures, World) else f"photographs of {self.name}"

    def parts(self, profile: Profile) -> dict[str, Tensor] | None:
        """Return photographs as trainA, trainB (for crops), testA, testB, uint8 (N, 3, H, W); None
        where they are not there. VarbookError where VARBOOK_DATA names a place without any data set.
        """
        if not isinstance(self.pictures, Folders):
            return None
        if self.missing():
            check_data_place()
            return None
        return self.pictures.parts(self.side(profile))

    def facts(self) -> dict:
        """Return what a record says of the task, in no key: its name, the domains in their order
        (as pairs, since JSON objects are sorted), and where the pictures come from.
        """
        source = "the toy world" if isinstance(self.pictures, World) else self.pictures.name
        domains = [list(pair) for pair in self.domains.items()]
        return {"task": {"name": self.name, "domains": domains, "data": source}}


# The toy world's horses and zebras: half of the training pictures show one of the two.
_WEIGHTS = {name: (len(SPECIES) - 2) / 2 if name in ("horse", "zebra") else 1.0 for name in SPECIES}
_HORSES_AND_ZEBRAS = World(
    images="toy",
    training=(Scenes(seed=TRAIN_SEED, weights=_WEIGHTS),),
    domains={
        "horse": Scenes(seed=2, share=4, species="horse"),
        "zebra": Scenes(seed=3, share=4, species="zebra"),
    },
    held_out_seed=HELD_OUT_SEED,
)
# The toy world with captions: by day and by night, as photographs and flat.
_DAY = Scenes(seed=20, share=4, species=CAPTIONED)
_NIGHT = Scenes(seed=21, share=4, species=CAPTIONED, night=True)
_FLAT = Scenes(seed=22, share=4, species=CAPTIONED, flat=True)
_FLAT_NIGHT = Scenes(seed=23, share=4, species=CAPTIONED, night=True, flat=True)
_CAPTIONED = World(
    images="captions",
    training=(_DAY, _NIGHT, _FLAT, _FLAT_NIGHT),
    domains={
        "day": _DAY,
        "night": _NIGHT,
        "flat": _FLAT,
        "flat night": _FLAT_NIGHT,
        "photograph": _DAY,
    },
    held_out_seed=30,
)
# The fixed prompts that ask for a domain.
PROMPTS = {"day": "by day", "night": "by night", "flat": "by day, anime style"}
# The sum of sign bits is bounded: with alpha = 1/2 it could not reach 2 F_target - F_source where
# the two differ everywhere.
_BITS = CycleVARConfig(alpha=0.75)

TOY = Task(
    name="toy",
    domains={name: SPECIES.index(name) for name in ("horse", "zebra")},
    pictures=_HORSES_AND_ZEBRAS,
    chain="toy",
    judge="species",
    rivals_over="ground_truth",
    shown={name: label for label, name in enumerate(SPECIES)},
)
SMALL = replace(
    TOY,
    name="small",
    pictures=replace(_HORSES_AND_ZEBRAS, images="small"),
    chain="small",
    prefix="toy",
)
PHOTOGRAPHS = Task(
    name="photographs",
    domains={"horse": 0, "zebra": 1},
    pictures=Folders(
        "horse2zebra",
        advice="fetch them with data_scripts/fetch_horse2zebra.py, or name their place in "
        "VARBOOK_DATA",
    ),
    chain="photographs",
    published=Published("var-d16", PUBLISHED_LABELS),
    prefix="photo",
    names={"published": "published-cyclevar"},
)
NIGHT = Task(
    name="night",
    domains={name: PROMPTS[name] for name in ("day", "night")},
    pictures=_CAPTIONED,
    chain="captions",
    judge="attributes",
    config=_BITS,
    prefix="text",
    names={
        "judge": "attribute-judge",
        "tokenizer": "bit-tokenizer",
        "cyclevar": "text-cyclevar-night",
    },
)
FLAT = replace(
    NIGHT,
    name="flat",
    domains={"photograph": PROMPTS["day"], "flat": PROMPTS["flat"]},
    chain="flat",
    names=dict(NIGHT.names) | {"cyclevar": "text-cyclevar-flat"},
)
STREETS = Task(
    name="streets",
    domains={name: PROMPTS[name] for name in ("day", "night")},
    pictures=Folders(
        "day2night",
        advice="make them with data_scripts/prepare_bdd100k.py, and name their place in "
        "VARBOOK_DATA",
    ),
    chain="driving",
    config=_BITS,
    # CycleVAR section 4.2, at 512 pixels.
    published=Published("infinity-2b-512"),
    prefix="driving",
    names={"published": "published-infinity"},
)
# FlexVAR section 4.1: class-conditional models of all thousand classes, in the profile "paper". The
# domains are the two classes between which CycleVAR translates.
IMAGENET = Task(
    name="imagenet",
    domains=dict(zip(("horse", "zebra"), PUBLISHED_LABELS, strict=True)),
    pictures=Streamed(
        "imagenet-shards",
        advice="make them with data_scripts/prepare_imagenet.py and make_shards.py, or name their "
        "place in VARBOOK_DATA",
    ),
    tokenizer_pictures=Streamed(
        "openimages-shards",
        advice="make them with data_scripts/prepare_openimages.py and make_shards.py, or name "
        "their place in VARBOOK_DATA",
    ),
    chain="imagenet",
    judge="imagenet",
    rivals_over="ground_truth",
    shown=ANIMALS,
)
TASKS = {task.name: task for task in (TOY, SMALL, PHOTOGRAPHS, NIGHT, FLAT, STREETS, IMAGENET)}


def data_sets() -> tuple[str, ...]:
    """Return the names of the folders that the tasks look for in `paths.data_places()`."""
    sources = (part for task in TASKS.values() for part in (task.pictures, task.tokenizer_pictures))
    return tuple(
        dict.fromkeys(part.name for part in sources if part and not isinstance(part, World))
    )


def check_data_place() -> None:
    """Raise VarbookError where VARBOOK_DATA names no folder, a data set itself, or a folder without
    any data set of the tasks: pictures that were named are not passed over.
    """
    names = data_sets()
    found = [name for name in names if data_folder(name)]
    if os.environ.get("VARBOOK_DATA") and not found:
        raise VarbookError(
            f"VARBOOK_DATA names {data_places()[0]}, which holds none of the book's data sets "
            f"({', '.join(names)}): put one into it, or unset it; `varbook train FOLDER` takes any "
            "other pictures."
        )


def domains_of(record: dict) -> dict[str, int | str]:
    """Return the domains that the translator of a run record translates between, X before Y:
    name -> class or prompt. {} where neither the record nor a task of the book says so.
    """
    if "task" in record:
        return {name: target for name, target in record["task"]["domains"]}
    for task in TASKS.values():  # records that are older than tasks
        if record["kind"] in (task.kind("cyclevar"), task.kind("published")):
            return dict(task.domains)
    return {}
