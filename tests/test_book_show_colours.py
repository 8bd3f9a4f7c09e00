"""Similar codes have similar colours, and a token map is painted in them."""

import torch

from varbook.book.show.colours import code_colours, painted


def two_clusters() -> torch.Tensor:
    noise = 0.01 * torch.randn(20, 8, generator=torch.Generator().manual_seed(0))
    return noise + torch.arange(2).repeat_interleave(10)[:, None] * torch.ones(8)


def test_codes_of_one_cluster_are_closer_in_colour_than_codes_of_two():
    torch.manual_seed(0)
    colours = code_colours(two_clusters())
    assert colours.shape == (20, 3) and colours.abs().max() <= 1
    assert (colours[0, 0] - colours[9, 0]).abs() < (colours[0, 0] - colours[10, 0]).abs()


def test_each_token_is_painted_in_the_colour_of_its_code():
    tokens = torch.tensor([[[0, 3], [3, 19]]])  # 1 2 2
    torch.manual_seed(0)
    picture = painted(tokens, two_clusters())
    torch.manual_seed(0)
    colours = code_colours(two_clusters())
    assert picture.shape == (1, 3, 2, 2)
    assert torch.equal(picture[0, :, 1, 1], colours[19]) and torch.equal(
        picture[0, :, 0, 1], colours[3]
    )
