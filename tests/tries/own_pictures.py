"""What readers may try in chapter 14."""

import tempfile
from pathlib import Path

from varbook.book.exercises import own_pictures
from varbook.errors import VarbookError

_FOLDER = tempfile.TemporaryDirectory()
THREE = Path(_FOLDER.name)
for name in "abc":
    (THREE / name).mkdir()
SENTENCE = "a holds 3: each domain needs 4 or more, better 100."


class Survey:
    names = ("a", "c")


TRIES = {
    "what is said": (
        lambda function: own_pictures.what_is_said(function, THREE, 4),
        lambda folder: SENTENCE,
        {
            "that is the error itself": lambda folder: VarbookError(SENTENCE),
            "as code shows it": lambda folder: f"VarbookError('{SENTENCE}')",
            "wanted the sentence": lambda folder: "too few pictures",
            "as a text": lambda folder: 3,
        },
    ),
    "first and third": (
        lambda function: own_pictures.first_and_third(function, THREE),
        lambda folder: ("a", "c"),
        {
            "return its `names`": lambda folder: Survey(),
            "the second folder": lambda folder: ("a", "b"),
            "the wrong way round": lambda folder: ("c", "a"),
            "wanted two names": lambda folder: folder / "a",
        },
    ),
    "trained anew": (
        lambda function: own_pictures.trained_anew(function, (True, True, True)),
        lambda: (True, True, True),
        {
            "which pictures are source": lambda: (False, True, True),
            "the key of what it stands on": lambda: (True, False, True),
            "return three truth values": lambda: (True, True),
            "neither True nor False": lambda: ("yes", True, True),
        },
    ),
    "floor": (
        own_pictures.floor,
        lambda variances, count: variances.sum() * 2 / count,
        {
            "both groups have a mean": lambda v, n: v.sum() / n,
            "adds the channels up": lambda v, n: 2 * v.mean() / n,
            "a variance is divided by n": lambda v, n: 2 * v.sum() / n**0.5,
            "squared already": lambda v, n: 2 * (v * v).sum() / n,
            "one number": lambda v, n: 2 * v / n,
        },
    ),
}
