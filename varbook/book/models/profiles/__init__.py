"""Four profiles of the book: sizes and steps only, never other code paths."""

import os

from varbook.book.models.profile_names import PROFILE_NAMES, chosen_profile
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
from varbook.book.models.profiles.fine import with_fine_chain
from varbook.book.models.profiles.gpu import GPU
from varbook.book.models.profiles.laptop import LAPTOP
from varbook.book.models.profiles.paper import PAPER
from varbook.book.models.profiles.smoke import SMOKE

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
    "sizes",
)

PROFILES: dict[str, Profile] = dict(zip(PROFILE_NAMES, (SMOKE, LAPTOP, GPU, PAPER), strict=True))


def profile(name: str | None = None) -> Profile:
    """Return the profile `name`; without a name the one of VARBOOK_PROFILE, else "laptop".
    VarbookError for an unknown name.

    With VARBOOK_FINE=1 the laptop profile's toy world has the papers' geometry (`fine`).
    """
    name = chosen_profile(name)
    if name == "laptop" and os.environ.get("VARBOOK_FINE") == "1":
        return with_fine_chain(PROFILES[name])
    return PROFILES[name]


def sizes() -> list[dict]:
    """Return one row per profile for a table: the sizes of its toy world, and whether it uses
    photographs.
    """
    rows = []
    for entry in PROFILES.values():
        chain = entry.chains["toy"]
        photographs = f"{entry.chains['photographs'].image_size} px"
        rows.append(
            {
                "profile": entry.name,
                "toy picture": f"{chain.image_size} px",
                "scales": " ".join(str(height) for height, _ in chain.tokenizer.schedule),
                "codes": chain.tokenizer.vocab_size,
                "depth x width": f"{chain.model.depth} x {chain.model.width}",
                "tokenizer images": chain.tokenizer_training.steps * chain.tokenizer_training.batch,
                "CycleVAR steps": chain.cyclevar_training.steps,
                "photographs": photographs if entry.use_photographs else "not used",
            }
        )
    return rows
