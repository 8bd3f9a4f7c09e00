"""Colours of codes, for pictures of token maps."""

import torch
from torch import Tensor


def code_colours(vectors: Tensor) -> Tensor:
    """Return one colour (V, 3) in [-1, 1] per code vector (V, C), on the CPU: its place along the
    three main directions of all of them, so that similar codes have similar colours.
    """
    vectors = vectors.detach()
    main = (vectors - vectors.mean(0)) @ torch.pca_lowrank(vectors, 3, niter=8)[2]  # V 3
    return (main / main.std(0) / 2).clamp(-1, 1).cpu()


def painted(tokens: Tensor, vectors: Tensor) -> Tensor:
    """Return token maps (B, h, w) as pictures (B, 3, h, w) in [-1, 1], each token in the colour of
    its code vector (V, C).
    """
    return code_colours(vectors)[tokens.cpu()].permute(0, 3, 1, 2)  # B 3 h w
