"""Attention against Mamba (FlexVAR table 5): rows, sentence and verdict of chapter 07, from the rows of
the ablations.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from varbook.book.experiments import flexvar_ablations, seeds
from varbook.book.models.profiles import Profile
from varbook.train.store import Run

ROWS = {"attention": "scalable positions", "Mamba": "Mamba"}  # their names in the ablations
TAKEN = "taken for its class"


@dataclass(frozen=True)
class Mixers:
    """Two models that differ in the mixer alone, each trained with the profile's seeds."""

    profile: Profile
    runs: dict[str, list[Run]]
    values: dict[str, list[dict]]  # the numbers of each seed

    @property
    def distance(self) -> str:
        """The name of the judge's distance."""
        return flexvar_ablations.distance_of(self.profile)

    def spread(self, mixer: str, name: str) -> tuple[float, float]:
        """Return mean and range over the seeds of a number."""
        return seeds.spread(self.values[mixer], name)

    @property
    def more_parameters(self) -> float:
        """Mamba's parameters over attention's."""
        return self.values["Mamba"][0]["parameters"] / self.values["attention"][0]["parameters"]


def mixers(profile: Profile) -> Mixers:
    """Return both, trained now or earlier."""
    found = {mixer: flexvar_ablations.results(profile, row) for mixer, row in ROWS.items()}
    runs = {mixer: runs for mixer, (runs, _) in found.items()}
    return Mixers(profile, runs, {mixer: values for mixer, (_, values) in found.items()})


def pictures(both: Mixers) -> dict[str, Any]:
    """Return mixer -> samples (N, 3, H, W) of its first seed, the same classes for both."""
    return {
        mixer: flexvar_ablations.kept_images(both.profile, ROWS[mixer], values[0])
        for mixer, values in both.values.items()
    }


def rows(both: Mixers) -> list[dict]:
    """Return our rows of the table: means over the seeds, and largest minus smallest."""
    made, depth = [], both.profile.ablation.depth
    for mixer, values in both.values.items():
        row = {"depth": depth, "mixer": "transformer" if mixer == "attention" else mixer}
        row[both.distance], row[f"range of {both.distance}"] = both.spread(mixer, both.distance)
        row["held-out loss"], row["range of loss"] = both.spread(mixer, "loss")
        for name in (TAKEN, "core seconds per step", "core seconds per image"):
            row[name] = both.spread(mixer, name)[0]
        made.append(row | {"parameters": f"{values[0]['parameters'] / 1e6:.3g}M"})
    return made


def sentence(both: Mixers) -> str:
    """Return by how much the two differ, beside the range over the seeds."""
    (fd, noise), (other, other_noise) = (both.spread(m, both.distance) for m in ROWS)
    (loss, spread), (other_loss, other_spread) = (both.spread(m, "loss") for m in ROWS)
    better = "lower" if other < fd else "higher"
    return (
        f"Mamba's {both.distance} is **{better}** by {abs(other - fd):.2f} with ranges of "
        f"{noise:.2f} and {other_noise:.2f}; its loss differs by {other_loss - loss:+.3f} nats "
        f"with ranges of {spread:.3f} and {other_spread:.3f}."
    )


def verdict(both: Mixers, ours: Sequence[dict]) -> tuple[dict[str, bool], dict[str, Any]]:
    """Return the checks of FlexVAR table 5, and what `save_result` is told beside them; `ours` are the
    `rows`.
    """
    attention, mamba = (both.values[mixer] for mixer in ROWS)
    name, profile = both.distance, both.profile
    (fd, noise), (other, other_noise) = (both.spread(mixer, name) for mixer in ROWS)
    loss, other_loss = (both.spread(mixer, "loss")[0] for mixer in ROWS)
    cost = [both.spread(mixer, "core seconds per image")[0] for mixer in ROWS]
    checks = {
        f"Mamba's {name} is within the seeds' range of attention's": (
            seeds.within_noise(mamba, attention, name)
        ),
        f"Mamba's {name} is within 10 % of attention's": abs(other / fd - 1) <= 0.1,
        "its held-out loss is within the seeds' range": (
            seeds.within_noise(mamba, attention, "loss")
        ),
        "its parameters are within 20 %": both.more_parameters <= 1.2,
    }
    told = {
        "ours": f"{name} {other:.2f} (range {other_noise:.2f}) against {fd:.2f} ({noise:.2f}), "
        f"loss {other_loss:.3f} against {loss:.3f} nats, {len(mamba)} seeds each",
        "why": f"{profile.ablation.steps} steps; one depth; an image costs "
        f"{cost[1] / cost[0]:.2g} times as much on a CPU; {both.more_parameters - 1:+.0%} parameters",
        "numbers": {
            row["mixer"]: {key: value for key, value in row.items() if isinstance(value, float)}
            for row in ours
        },
        "metric_card": attention[0]["card"],
        "runs": [run for runs in both.runs.values() for run in runs],
        "params": flexvar_ablations.SAMPLING | {"seeds": profile.ablation.seeds},
        "data": f"held-out {flexvar_ablations.task_of(profile).noun}",
    }
    return checks, told
