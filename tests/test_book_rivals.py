"""The rivals of table 2 from the chapters' shelf: trained once, found again, and drawing pictures
of the world's size.
"""

import pytest
import torch

from varbook.book.models.build import toy_rival
from varbook.generate.rival_sampling import draw_diffusion, draw_masked, draw_raster
from varbook.transformer.model import NextScaleModel

DRAW = {"raster": draw_raster, "masked": draw_masked, "diffusion": draw_diffusion}


@pytest.mark.parametrize("name", DRAW)
def test_a_rival_is_trained_found_again_and_draws(smoke, name):
    model, tokenizer, (run, parent) = toy_rival(smoke, name)
    again, _, (found, _) = toy_rival(smoke, name)
    assert (run.source, found.source) == ("trained", "found") and run.record["settings"][
        "tokenizer"
    ] == parent.key
    assert all(
        torch.equal(a, b)
        for a, b in zip(model.state_dict().values(), again.state_dict().values(), strict=True)
    )
    made = DRAW[name](
        model, tokenizer, torch.tensor([0, 1, 2]), generator=torch.Generator().manual_seed(0)
    )
    assert (
        made.images.shape == (3, 3, smoke.image_size, smoke.image_size)
        and torch.isfinite(made.images).all()
    )
    own = sum(p.numel() for p in NextScaleModel(smoke.chains["toy"].model).parameters())
    assert 0.8 < sum(p.numel() for p in model.parameters()) / own < 1.2
