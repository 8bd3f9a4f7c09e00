"""The exercises of chapter 03."""

import math
from collections.abc import Callable, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from varbook.book.exercises.checking import Case, Mistake, faults_of_tensor, try_out
from varbook.tokenizer.schedule import Schedule, scale_slices, square, token_count

SIDES = square(1, 2, 3)  # of the queries and keys of `growing_cache`
BATCH, CODES = 6, 50  # of the logits of `shared_start`


def one_scale_back(function: Callable) -> None:
    """Try `function(schedule)` -> mask (L, L), True where a query sees a key: of its own scale and of
    the one before.
    """
    schedules = (square(1, 2, 3), square(1, 3, 4, 5), ((1, 1), (2, 3), (3, 5)))
    cases = [
        Case((one,), partial(_fault_of_mask, _near(one)), f"the scales {one}") for one in schedules
    ]
    mistakes = (
        Mistake(_block_causal, "that is block-causal: here older scales are hidden, too"),
        Mistake(
            lambda s: _near(s) & _near(s).T.logical_not() | torch.eye(token_count(s)).bool(),
            "a token sees all of its own scale, not itself alone",
        ),
        Mistake(lambda s: _near(s).T, "rows are queries, columns keys: turn it round"),
        Mistake(
            lambda s: _near(s).tril(),
            "the tokens of a scale are drawn together: each sees all of its own scale",
        ),
        Mistake(
            lambda s: _of_scale(s)[None] == _of_scale(s)[:, None] - 1,
            "a token sees its own scale, too",
        ),
        Mistake(
            lambda s: torch.zeros(token_count(s), token_count(s)).masked_fill(~_near(s), -math.inf),
            "True where a query may look; 0 and minus infinity come later, with the scores",
        ),
    )
    try_out("exercise 1", function, cases, mistakes)


def _of_scale(schedule: Schedule) -> Tensor:
    """Return the number of the scale (L,) that each token belongs to."""
    sides = enumerate(schedule)
    return torch.cat([torch.full((height * width,), k) for k, (height, width) in sides])


def _block_causal(schedule: Schedule) -> Tensor:
    scale = _of_scale(schedule)
    return scale[None] <= scale[:, None]


def _near(schedule: Schedule) -> Tensor:
    scale = _of_scale(schedule)
    return _block_causal(schedule) & (scale[None] >= scale[:, None] - 1)


def _fault_of_mask(wanted: Tensor, answer: object) -> str:
    """Return what is wrong with a mask in words, "" for nothing: the first pair that differs."""
    fault = faults_of_tensor(answer, tuple(wanted.shape))
    if fault:
        return fault
    assert isinstance(answer, Tensor)
    wrong = (answer.bool() != wanted).nonzero().tolist()
    if not wrong:
        return ""
    query, key = wrong[0]
    sees = "should see" if wanted[query, key] else "should not see"
    return f"{len(wrong)} pairs differ; the first: token {query} {sees} token {key}"


def leak(function: Callable) -> None:
    """Try `function(predict, maps)` -> the number of the coarsest scale, from 0, whose prediction
    changes with a finer map; None where there is none.
    """
    generator = torch.Generator().manual_seed(3)
    maps = [torch.randn(side, side, generator=generator) for side in (1, 2, 3, 4)]
    leaks = {(2, 3): 2, (1, 2): 1, (0, 3): 0}
    cases = [
        Case((partial(_predict, (pair,)), maps), wanted, f"a model that leaks from map {pair[1]}")
        for pair, wanted in leaks.items()
    ]
    both = Case(
        (partial(_predict, ((1, 2), (2, 3))), maps), 1, "a model that leaks at two of its scales"
    )
    cases += [both, Case((partial(_predict, ()), maps), None, "a model that does not leak")]
    mistakes = (
        Mistake(_last_map_alone, "a leak need not come from the finest map: change each in turn"),
        Mistake(
            partial(_coarsest, own=True),
            "a scale may notice a change of its own map: watch the coarser ones alone",
        ),
        Mistake(partial(_coarsest, pick=max), "that is the finest scale that leaks"),
        Mistake(lambda p, m: _one_more(_coarsest(p, m)), "scales count from 0"),
    )
    try_out("exercise 2", function, cases, mistakes)


def _predict(leaks: Sequence[tuple[int, int]], maps: Sequence[Tensor]) -> list[Tensor]:
    """Return a prediction per scale of what its own and all coarser maps show, and for each (scale,
    finer map) of `leaks` a trace of that map.
    """
    seen = [sum(one.mean() for one in maps[: k + 1]) for k in range(len(maps))]
    out = [torch.tanh(one + value) for one, value in zip(maps, seen, strict=True)]
    for scale, finer in leaks:
        out[scale] = out[scale] + 0.05 * maps[finer].mean()
    return out


def _coarsest(predict: Callable, maps: list, own: bool = False, pick: Callable = min) -> int | None:
    before, found = predict(maps), []
    for j in range(len(maps)):
        changed = [*maps[:j], maps[j] + 1, *maps[j + 1 :]]
        after = predict(changed)
        found += [k for k in range(j + own) if not torch.equal(before[k], after[k])]
    return pick(found, default=None)


def _one_more(scale: int | None) -> int | None:
    return None if scale is None else scale + 1


def _last_map_alone(predict: Callable, maps: list) -> int | None:
    before, after = predict(maps), predict([*maps[:-1], maps[-1] + 1])
    leaking = [k for k in range(len(maps) - 1) if not torch.equal(before[k], after[k])]
    return min(leaking, default=None)


def growing_cache(function: Callable) -> None:
    """Try `function(q, k, v, cache)`, each (B, H, n, D) of one new scale -> (answer, cache), which is
    None at first.
    """
    q, k, v = torch.randn(3, 2, 2, 14, 8, generator=torch.Generator().manual_seed(4))
    parts = [
        F.scaled_dot_product_attention(q[:, :, s], k[:, :, : s.stop], v[:, :, : s.stop])
        for s in scale_slices(SIDES)
    ]
    cases = [Case((q, k, v), partial(_fault_of_answers, parts), "scales of 1, 4 and 9 tokens")]
    mistakes = (
        Mistake(_fed(partial(_cached, read=False)), "what the cache holds is not read"),
        Mistake(
            _fed(partial(_cached, keep=False)),
            "the new keys and values must be in the cache when the next scale comes",
        ),
        Mistake(_fed(partial(_cached, own=False)), "a scale sees its own keys as well"),
        Mistake(_fed(partial(_cached, root=False)), "the scores are divided by the root of D"),
        Mistake(
            _fed(partial(_cached, swap=True)),
            "keys give the weights, values the answer: they are swapped in the cache",
        ),
    )
    try_out("exercise 3", _fed(function) if callable(function) else function, cases, mistakes)


def _fed(function: Callable) -> Callable:
    """Return what feeds `function` scale by scale: (q, k, v) of all scales -> its answers, a sentence
    where they are not pairs, None where it is not written yet.
    """

    def feed(q: Tensor, k: Tensor, v: Tensor) -> object:
        answers: list[Tensor] = []
        cache = None
        for s in scale_slices(SIDES):
            got = function(q[:, :, s], k[:, :, s], v[:, :, s], cache)
            if got is None and not answers:
                return None
            if not isinstance(got, (tuple, list)) or len(got) != 2:
                return "return two things: the answer, and the cache for the next scale"
            answer, cache = got
            answers.append(answer)
        return torch.cat(answers, 2) if all(map(torch.is_tensor, answers)) else answers

    return feed


def _cached(q, k, v, cache, *, read=True, keep=True, own=True, root=True, swap=False):
    """Return attention with a cache, and the cache, with one of the mistakes that one makes there."""
    old = cache or (k[:, :, :0], v[:, :, :0])
    new = tuple(torch.cat(pair, 2) for pair in zip(old, (k, v), strict=True))
    seen = new if (read and (own or not cache)) else old if (read and cache) else (k, v)
    scores = q @ seen[0].transpose(-2, -1) / (math.sqrt(q.shape[-1]) if root else 1)
    kept = new if keep or not cache else cache
    return scores.softmax(-1) @ seen[1], kept[::-1] if swap else kept


def _fault_of_answers(parts: Sequence[Tensor], answer: object) -> str:
    """Return which scale's answer is off, "" for none."""
    if isinstance(answer, str):
        return answer
    whole = torch.cat(list(parts), 2)
    fault = faults_of_tensor(answer, tuple(whole.shape))
    if fault:
        return fault
    assert isinstance(answer, Tensor)
    for number, (part, s) in enumerate(zip(parts, scale_slices(SIDES), strict=True), start=1):
        off = float((answer[:, :, s] - part).abs().max())
        if off > 1e-4:
            return f"scale {number} is the first to differ: the largest difference is {off:.3g}"
    return ""


def strength(function: Callable) -> None:
    """Try `function(p, q, wanted)` -> the strength of guidance at which the first of two outcomes gets
    the probability `wanted`; p with, q without the class; None where no strength does.
    """
    plans = [(0.6, 0.5, 0.99), (0.3, 0.2, 0.5), (0.7, 0.4, 0.9), (0.2, 0.3, 0.1)]
    cases = [Case(one, _strength(*one), "p = {}, q = {}, wanted {}".format(*one)) for one in plans]
    cases.append(Case((0.4, 0.4, 0.8), None, "p = q: the class makes no difference"))
    mistakes = (
        Mistake(
            lambda p, q, w: _strength(p, q, w, _logit, start=q),
            "at strength 0 the probability is p, not q",
        ),
        Mistake(
            lambda p, q, w: _strength(p, q, w, math.log),
            "guided logs no longer add up to one: work with log(p / (1 - p)) of both outcomes",
        ),
        Mistake(
            lambda p, q, w: _strength(p, q, w, float),
            "guidance moves logits, not probabilities",
        ),
        Mistake(
            lambda p, q, w: _strength(p, q, w) or 0.0,
            "where the class makes no difference no strength helps: return None",
        ),
    )
    try_out("exercise 4", function, cases, mistakes)


def _logit(p: float) -> float:
    return math.log(p / (1 - p))


def _strength(
    p: float, q: float, wanted: float, of: Callable = _logit, start: float | None = None
) -> float | None:
    """Return by how many times of(p) - of(q) the wanted probability lies beyond `start`, p if not
    given.
    """
    if p == q:
        return None
    return (of(wanted) - of(p if start is None else start)) / (of(p) - of(q))


def shared_start(function: Callable) -> None:
    """Try `function(scales)` -> `pick`: logits (B, n, V) of one scale after the other -> tokens (B, n),
    equal for all B images at the first `scales` calls and drawn for each image after.
    """
    cases = [
        Case((scales,), partial(_fault_of_pick, scales), f"{scales} scales shared")
        for scales in (2, 0, 4)
    ]
    try_out("exercise 5", function, cases)


def _fault_of_pick(scales: int, pick: object) -> str:
    if not callable(pick):
        return "return a function that turns logits into tokens"
    for k, n in enumerate((1, 4, 9, 16, 25)):
        try:
            tokens = pick(torch.zeros(BATCH, n, CODES))
        except Exception as error:  # a reader's code may raise anything; the notebook runs on
            return f"`pick` stops with {type(error).__name__}: {error}"
        fault = faults_of_tensor(tokens, (BATCH, n))
        if fault:
            return f"at scale {k + 1} `pick` {fault}"
        alike = bool((tokens == tokens[:1]).all())
        if k < scales and not alike:
            return (
                f"scale {k + 1} is to be shared, and the images differ there: the same seed makes "
                "calls alike, not the images of one batch; draw for one image and repeat"
            )
        if k >= scales and alike:
            return f"scale {k + 1} is not to be shared, and all images have the same tokens there"
    return ""
