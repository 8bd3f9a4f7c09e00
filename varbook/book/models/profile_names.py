"""The names of the profiles, apart from their sizes: whoever only asks for a name waits for no torch."""

import os

from varbook.errors import VarbookError

PROFILE_NAMES = ("smoke", "laptop", "gpu", "paper")


def chosen_profile(name: str | None = None) -> str:
    """Return `name` where it is a profile's; without a name that of VARBOOK_PROFILE, else "laptop".
    VarbookError for an unknown name.
    """
    name = name or os.environ.get("VARBOOK_PROFILE") or "laptop"
    if name not in PROFILE_NAMES:
        raise VarbookError(f"There is no profile {name!r}; use one of {', '.join(PROFILE_NAMES)}.")
    return name
