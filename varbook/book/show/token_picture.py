"""A token to look at: where it stands, its code as bars, and what changes with it."""

from collections.abc import Sequence

import torch
from torch import Tensor

from varbook.tokenizer.tokenizer import Tokenizer

RED = (230, 20, 20)


def framed(image: Tensor, box: tuple[int, int, int, int], side: int) -> Tensor:
    """Return an image (3, h, w) in [-1, 1], enlarged to (3, `side`, `side`) with square pixels, as
    uint8 with a red frame round the cell `box`: (row, column, rows, columns) of the whole map.
    """
    row, column, rows, columns = box
    bytes_ = ((image.clamp(-1, 1).cpu() + 1) * 127.5).round().to(torch.uint8)
    at = torch.arange(side)
    big = bytes_[:, at * image.shape[1] // side][:, :, at * image.shape[2] // side].clone()
    inside_rows, inside_columns = at * rows // side == row, at * columns // side == column
    inside = inside_rows[:, None] & inside_columns[None]
    width = max(1, side // 64)
    around = torch.nn.functional.pad((~inside).float()[None, None], [width] * 4, value=1.0)
    near = torch.nn.functional.max_pool2d(around, 2 * width + 1, stride=1)[0, 0] > 0
    big[:, inside & near] = torch.tensor(RED, dtype=torch.uint8)[:, None]
    return big


def code_bars(vector: Tensor, limit: float, side: int) -> Tensor:
    """Return the entries of a code (C,) as bars, uint8 (3, `side`, `side`): up for positive ones,
    down for negative ones; `limit` is the entry that fills half of the height.
    """
    picture = torch.full((3, side, side), 255, dtype=torch.uint8)
    middle, slot = side // 2, side / len(vector)
    picture[:, middle] = 150
    for number, value in enumerate(vector.detach().cpu().tolist()):
        reach = round(max(-1.0, min(1.0, value / limit)) * (middle - 2))
        left, right = round(number * slot + 0.15 * slot), round((number + 1) * slot - 0.15 * slot)
        top, bottom = sorted((middle - reach, middle))
        picture[:, top : bottom + 1, left : max(right, left + 1)] = torch.tensor(
            (63, 144, 218), dtype=torch.uint8
        )[:, None, None]
    return picture


def with_another_code(
    tokens: Sequence[Tensor], scale: int, place: tuple[int, int], code: int
) -> list[Tensor]:
    """Return token maps (B, h_k, w_k) in which `code` stands at `place` of one scale; the maps that
    are given stay as they are.
    """
    changed = [one.clone() for one in tokens]
    changed[scale][:, place[0], place[1]] = code
    return changed


@torch.no_grad()
def change_with_another_code(
    tokenizer: Tokenizer, tokens: Sequence[Tensor], scale: int, place: tuple[int, int]
) -> Tensor:
    """Return where the finished picture of token maps (1, h_k, w_k) changes, (1, H, W) from 0 to 1,
    if the code that is farthest from the one at `place` of a scale stands there.
    """
    vectors = tokenizer.codebook.vectors()
    code = vectors[tokens[scale][0][place]]
    other = int((vectors - code).norm(dim=1).argmax())
    after = tokenizer.image(with_another_code(tokens, scale, place, other))
    return (after - tokenizer.image(list(tokens))).abs().mean(1).clamp(0, 1).cpu()
