"""Attention of one query, with its numbers: scores, weights, and the mean of the values."""

import math

from torch import Tensor

from varbook.book.show.drawing.canvas import Canvas
from varbook.book.show.drawing.palette import CONDITION, DATA, QUIET, SMALL, WHITE
from varbook.errors import VarbookError

MOST = 6  # keys that fit below each other with their numbers
_QUERY, _KEY, _SCORE, _WEIGHT, _VALUE, _ANSWER = 140, 420, 650, 790, 1070, 1290
_FIRST, _PITCH, _LONGEST = 196, 116, 110


def weighted_mean(query: Tensor, keys: Tensor, values: Tensor) -> Canvas:
    """Return the drawing of scaled dot-product attention of one query (2,) to keys (L, 2) and values
    (L, 2): what is compared, what the softmax makes of the scores, and what is mixed.

    Raises VarbookError for more than 6 keys, or vectors of other than two numbers.
    """
    if query.shape != (2,) or keys.shape != values.shape or keys.shape[1:] != (2,):
        raise VarbookError(
            "This drawing has room for a query, keys and values of two numbers each."
        )
    if len(keys) > MOST:
        raise VarbookError(f"{len(keys)} keys do not fit into this drawing; take at most {MOST}.")
    query, keys, values = (x.detach().float() for x in (query, keys, values))
    scores = keys @ query / math.sqrt(len(query))  # L
    weights = scores.softmax(0)  # L
    middle = _FIRST + (len(keys) - 1) * _PITCH / 2
    canvas = Canvas(
        _FIRST + len(keys) * _PITCH - 40,
        "One query meets the keys of all tokens. Each meeting gives a score, the softmax turns the "
        "scores into weights, and the answer is the mean of the values by these weights.",
    )
    heads = {
        _QUERY: ("query $q$", ""),
        _KEY: ("keys $k_j$", ""),
        _SCORE: ("scores", r"$q \cdot k_j \, / \sqrt{D}$"),
        _WEIGHT + 70: ("weights", "softmax"),
        _VALUE: ("values $v_j$", ""),
        _ANSWER: ("answer", r"$\sum_j w_j v_j$"),
    }
    for x, (words, below) in heads.items():
        canvas.text(x, 52, words, bold=True)
        if below:
            canvas.text(x, 98, below, size=SMALL)
    asks = canvas.box(_QUERY, middle, 190, 76, _numbers(query), fill=CONDITION)
    answer = canvas.box(_ANSWER, middle, 180, 76, _numbers(weights @ values), fill=DATA)
    for row in range(len(keys)):
        y = _FIRST + row * _PITCH
        key = canvas.box(_KEY, y, 190, 70, _numbers(keys[row]), fill=DATA)
        canvas.arrow(asks.right, key.left)
        score = canvas.box(_SCORE, y, 120, 60, f"{scores[row]:.2f}", fill=WHITE, edge=QUIET)
        canvas.arrow(key.right, score.left)
        canvas.arrow(score.right, (_WEIGHT - 8, y))
        length = max(4.0, _LONGEST * float(weights[row]))
        canvas.box(_WEIGHT + length / 2, y, length, 44, fill=CONDITION)
        canvas.text(_WEIGHT + length + 12, y, f"{weights[row]:.2f}", size=SMALL, align="left")
        value = canvas.box(_VALUE, y, 180, 70, _numbers(values[row]), fill=DATA)
        canvas.arrow(value.right, answer.left)
    return canvas


def _numbers(vector: Tensor) -> str:
    return f"({', '.join(f'{number:.2f}' for number in vector.tolist())})"
