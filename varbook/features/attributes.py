"""The judge of captions: sees animal, coat, time of day and style in an image.

Like the first judge it only measures; no training of a generator may use it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from varbook.errors import VarbookError
from varbook.features.judge import stage
from varbook.world.scene import Scene

ATTRIBUTES = ("animal", "coat", "time", "style")


def attributes(scene: Scene) -> dict[str, str]:
    """Return what the caption of a scene says: attribute -> word."""
    return {
        "animal": scene.species,
        "coat": "striped" if scene.striped else scene.coat,
        "time": "night" if scene.night else "day",
        "style": "flat" if scene.flat else "photograph",
    }


@dataclass(frozen=True)
class AttributeConfig:
    """The words that each attribute can take, in the order of their labels, and the judge's size."""

    animal: tuple[str, ...]
    coat: tuple[str, ...]
    time: tuple[str, ...] = ("day", "night")
    style: tuple[str, ...] = ("photograph", "flat")
    # Channels at a half, a quarter and an eighth of the image's size.
    widths: tuple[int, int, int] = (24, 48, 96)

    def words(self, attribute: str) -> tuple[str, ...]:
        """Return the words of one attribute; VarbookError for another name."""
        if attribute not in ATTRIBUTES:
            raise VarbookError(
                f"There is no attribute {attribute!r}; use one of {', '.join(ATTRIBUTES)}."
            )
        return getattr(self, attribute)


class AttributeJudge(nn.Module):
    """Small CNN with one head per attribute.

    Input (B, 3, H, W) in [-1, 1], output attribute -> logits (B, words).
    """

    def __init__(self, config: AttributeConfig):
        super().__init__()
        self.config = config
        half, quarter, eighth = config.widths
        self.trunk = nn.Sequential(
            stage(3, half, 2),
            stage(half, quarter, 2),
            stage(quarter, quarter),
            stage(quarter, eighth, 2),
            stage(eighth, eighth),
        )
        self.heads = nn.ModuleDict(
            {name: nn.Linear(2 * eighth, len(config.words(name))) for name in ATTRIBUTES}
        )

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return the logits of every attribute."""
        maps = self.trunk(images.contiguous(memory_format=torch.channels_last))  # B C h w
        pooled = torch.cat([maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3))], dim=1)  # B 2C
        return {name: head(pooled) for name, head in self.heads.items()}

    def labels(self, scenes: Sequence[Scene]) -> dict[str, Tensor]:
        """Return attribute -> labels (N,) of scenes; VarbookError for a word that is not known."""
        captions = [attributes(scene) for scene in scenes]
        known = {word for name in ATTRIBUTES for word in self.config.words(name)}
        unknown = {caption[name] for caption in captions for name in ATTRIBUTES} - known
        if unknown:
            raise VarbookError(
                f"The judge of attributes has no word for {', '.join(sorted(unknown))}."
            )
        return {
            name: torch.tensor(
                [self.config.words(name).index(caption[name]) for caption in captions]
            )
            for name in ATTRIBUTES
        }
