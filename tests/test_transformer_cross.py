"""Cross-attention against a slow loop, and one query that pools a text."""

import math

import torch
from tiny import awake, noise

from varbook.transformer.cross import CrossAttention, TextPool

MASK = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, -math.inf]])[
    :, None, None
]  # the second text has two words


def slow(cross: CrossAttention, x: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
    """Return the answer to one token x (C,) from words (T, channels), head by head."""
    width = len(x)
    size, out = width // cross.heads, []
    q = cross.mat_q.weight @ x + cross.mat_q.bias
    for head in range(cross.heads):
        rows = slice(head * size, (head + 1) * size)
        k = words @ cross.mat_kv.weight[rows].T
        v = words @ cross.mat_kv.weight[width:][rows].T + cross.v_bias[rows]
        out.append(torch.softmax(k @ q[rows] / math.sqrt(size), 0) @ v)
    return cross.proj.weight @ torch.cat(out) + cross.proj.bias


@torch.no_grad()
def test_every_token_hears_what_a_slow_loop_says():
    cross, x, words = awake(CrossAttention(16, 4, 6)), noise(2, 5, 16), noise(2, 3, 6, seed=1)
    found = cross(x, cross.read(words, MASK))
    for b, there in enumerate((3, 2)):
        for place in range(5):
            assert torch.allclose(
                found[b, place], slow(cross, x[b, place], words[b, :there]), atol=1e-5
            )


@torch.no_grad()
def test_rounding_changes_little_and_something():
    cross, x, words = awake(CrossAttention(16, 4, 6)), noise(2, 5, 16), noise(2, 3, 6, seed=1)
    exact = cross(x, cross.read(words, MASK))
    cross.rounded = True
    rounded = cross(x, cross.read(words, MASK))
    assert not torch.equal(exact, rounded) and torch.allclose(exact, rounded, atol=0.05)


@torch.no_grad()
def test_a_text_becomes_one_vector_whatever_pads_it():
    pool, words = awake(TextPool(16, 6, 2)), noise(2, 3, 6)
    both = pool(words, MASK)
    alone = pool(words[1:, :2], torch.zeros(1, 1, 1, 2))
    assert (
        both.shape == (2, 16)
        and torch.allclose(both[1:], alone, atol=1e-6)
        and not torch.allclose(both[0], both[1], atol=0.1)
    )
