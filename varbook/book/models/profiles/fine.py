"""The chain of photographs of more classes, beside those of the laptop profile.

VARBOOK_FINE=1 adds it to that profile as "animals", under the names and keys that its models will
have when the profile itself holds it.
"""

from dataclasses import replace

from varbook.book.models.profiles.fields import Chain, Profile
from varbook.book.models.profiles.laptop import LAPTOP

FINE = LAPTOP.chains["toy"]

# Photographs of two domains and 26 more classes.
CLASSES = 28
ANIMALS = Chain(
    image_size=64,
    tokenizer=replace(FINE.tokenizer, vocab_size=4096, code_dim=32),
    # Photographs have more detail than drawings, and less that is sharp: squares weigh less.
    tokenizer_training=replace(FINE.tokenizer_training, l2=1.0),
    model=replace(FINE.model, vocab_size=4096, code_dim=32, classes=CLASSES),
    model_training=FINE.model_training,
    cyclevar_training=LAPTOP.chains["photographs"].cyclevar_training,
)


def with_fine_chain(profile: Profile) -> Profile:
    """Return the profile with the chain "animals"."""
    return replace(profile, chains=profile.chains | {"animals": ANIMALS})
