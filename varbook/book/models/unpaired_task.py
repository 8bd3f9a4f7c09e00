"""An unpaired translation task as data: everything that is particular to it, and what follows."""

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from varbook.book.models.profiles import Chain, Profile
from varbook.book.models.sources import Folders, Size, World
from varbook.book.models.streamed import HELD_OUT_SEED, LabelledSet, Streamed
from varbook.data.shards import Crops
from varbook.data.toy import ToySet
from varbook.errors import VarbookError
from varbook.features import mobilenet
from varbook.features.book_weights import other_weights
from varbook.paths import check_data_place
from varbook.train.steps import Draw
from varbook.translate.cyclevar import CycleVARConfig

TRAINED = ("species", "attributes")  # judges that the book trains, unlike "imagenet"

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
        return self.pictures.trained_on(self.domains)

    def pair(self) -> dict:
        """Return what `trained_on` leaves open of which pictures are X and Y; {} likewise."""
        return self.pictures.pair(self.domains)

    def held_out(self) -> dict:
        """Return a digest of the pictures that are measured on, and of the pretrained features that
        measure them where no judge of the toy world does; {} likewise.
        """
        digest = self.pictures.held_out(self.domains)
        other = "" if self.judge in TRAINED else other_weights(mobilenet.FILE)
        return digest | ({"features": f"mobilenet {other}"} if other else {})

    def fingerprint(self) -> dict:
        """Return all three: what numbers rest on that are measured on this task's pictures."""
        return self.trained_on() | self.pair() | self.held_out()

    def draw(self, profile: Profile) -> Draw:
        """Return what makes float batches out of a set of training pictures."""
        return self.pictures.draw(self.side(profile))

    def images(self, profile: Profile) -> Tensor | Crops:
        """Return all training pictures, uint8 (N, 3, H, W), for `draw`."""
        return self.pictures.images_of_all(self.domains, profile, self.side(profile))

    def labelled(
        self, profile: Profile, size: Size | None = None, most: int | None = None
    ) -> tuple[Tensor | Crops, Tensor | list[str] | None]:
        """Return all training pictures, uint8 (N, 3, side, side), with classes, long (N,), or
        captions; None for crops, which bring their classes.

        With a `size` in pixels the scenes are drawn at it, of each set the first `most`;
        VarbookError where the pictures are not drawn scenes.
        """
        if size is None:
            return self.pictures.labelled(self.domains, profile, self.side(profile))
        if not isinstance(self.pictures, World):
            raise VarbookError(
                "Only scenes of the toy world are drawn at every size, not the pictures of "
                f"{self.name}."
            )
        return self.pictures.labelled(self.domains, profile, size, most)

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
        where they are not there. VarbookError where VARBOOK_DATA names a place without any data set,
        a warning where it names one without these.
        """
        if not isinstance(self.pictures, Folders):
            return None
        if self.missing():
            check_data_place()
            if os.environ.get("VARBOOK_DATA"):  # named, and not passed over without a word
                warnings.warn(str(self.missing()), stacklevel=2)
            return None
        return self.pictures.parts(self.side(profile))

    def facts(self) -> dict:
        """Return what a record says of the task, in no key: its name, the domains in their order
        (as pairs, since JSON objects are sorted), and where the pictures come from.
        """
        source = "the toy world" if isinstance(self.pictures, World) else self.pictures.name
        domains = [list(pair) for pair in self.domains.items()]
        return {"task": {"name": self.name, "domains": domains, "data": source}}
