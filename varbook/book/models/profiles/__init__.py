"""Four profiles of the book: sizes and steps only, never other code paths."""

import os

from varbook.book.models.profiles.fields import (
    CAPTIONED,
    WORDS,
    Ablation,
    Chain,
    Flat,
    Judges,
    Profile,
    Rivals,
)
from varbook.book.models.profiles.gpu import GPU
from varbook.book.models.profiles.laptop import LAPTOP
from varbook.book.models.profiles.paper import PAPER
from varbook.book.models.profiles.smoke import SMOKE
from varbook.errors import VarbookError

__all__ = (
    "CAPTIONED",
    "PROFILES",
    "WORDS",
    "Ablation",
    "Chain",
    "Flat",
    "Judges",
    "Profile",
    "Rivals",
    "profile",
)

PROFILES: dict[str, Profile] = {one.name: one for one in (SMOKE, LAPTOP, GPU, PAPER)}


def profile(name: str | None = None) -> Profile:
    """Return the profile `name`; without a name the one of VARBOOK_PROFILE, else "laptop".
    VarbookError for an unknown name.
    """
    name = name or os.environ.get("VARBOOK_PROFILE") or "laptop"
    if name not in PROFILES:
        raise VarbookError(f"There is no profile {name!r}; use one of {', '.join(PROFILES)}.")
    return PROFILES[name]
