"""What is translated into what: each task of the book is one row of `TASKS`.

A row says between which domains, where the pictures come from, which of the profile's chains is
trained on them and who judges. `varbook.book.models.build` makes every model from (task, profile),
so that another data set is another row and nothing else.
"""

from dataclasses import replace

from varbook.book.models.more_classes import MoreClasses
from varbook.book.models.profiles import CAPTIONED
from varbook.book.models.sources import Folders, Scenes, World
from varbook.book.models.streamed import ANIMALS as IMAGENET_ANIMALS
from varbook.book.models.streamed import HELD_OUT_SEED, TRAIN_SEED, Streamed
from varbook.book.models.unpaired_task import Published, Task
from varbook.pretrained.published_cyclevar import PUBLISHED_LABELS
from varbook.translate.cyclevar import CycleVARConfig
from varbook.world.scene import SPECIES

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
# The same photographs among those of 26 more classes, animals and landscapes, all of which tokenizer
# and next-scale model learn; the domains' pictures are a third of what they see.
ANIMALS = replace(
    PHOTOGRAPHS,
    name="animals",
    pictures=MoreClasses(
        "horse2zebra",
        advice="name the place of their folders in VARBOOK_DATA",
        more=("scenes6", "animals20"),
        often=4,
        published={"scenes6": (11_400, "65eb6ba17ab2"), "animals20": (8000, "5e472de49d01")},
    ),
    chain="animals",
    published=None,
    prefix="animals",
    names={},
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
    shown=IMAGENET_ANIMALS,
)
TASKS = {
    task.name: task for task in (TOY, SMALL, PHOTOGRAPHS, ANIMALS, NIGHT, FLAT, STREETS, IMAGENET)
}


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
