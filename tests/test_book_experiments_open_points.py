"""What the paper leaves open: said once for each point, with the settings in force."""

from dataclasses import replace

from varbook.book.experiments.open_points import open_points
from varbook.train.fit_cyclevar import CycleVARTraining
from varbook.translate.cyclevar import CycleVARConfig

DEFAULT = CycleVARConfig()


def here(config: CycleVARConfig = DEFAULT, **changes) -> dict[str, str]:
    rows = open_points(config, replace(CycleVARTraining(), **changes))
    assert all(row["open point"] and row["paper"] and row["here"] for row in rows)
    return {row["open point"]: row["here"] for row in rows}


def test_a_row_says_what_the_settings_do():
    assert here(CycleVARConfig(temperature=0.7))["temperature"] == "temperature = 0.7"
    assert here(CycleVARConfig(alpha=0.25)) != here()
    name = "real images for the discriminator"
    assert here(discriminator_on_reconstructions=False)[name] == "the images" != here()[name]
    assert "sees no augmentation" in here(augment=())["discriminator"]
