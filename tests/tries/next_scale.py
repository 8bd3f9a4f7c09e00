import math

import torch
import torch.nn.functional as F

from varbook.book.exercises import next_scale


def scale_of(schedule):
    return torch.cat([torch.full((h * w,), k) for k, (h, w) in enumerate(schedule)])


def near(schedule):
    ahead = scale_of(schedule)[:, None] - scale_of(schedule)[None]
    return (ahead >= 0) & (ahead <= 1)


def itself_and_the_scale_before(schedule):
    ahead = scale_of(schedule)[:, None] - scale_of(schedule)[None]
    return (ahead == 1) | torch.eye(len(ahead)).bool()


def watched(changes, coarser, choose=min):
    def leaking(predict, maps):
        before, found = predict(maps), []
        for j in changes(len(maps)):
            other = list(maps)
            other[j] = torch.randn_like(maps[j])
            pairs = zip(before[: coarser(j)], predict(other), strict=False)
            found += [k for k, (a, b) in enumerate(pairs) if not torch.allclose(a, b)]
        return choose(found, default=None)

    return leaking


right_leak = watched(range, lambda j: j)


def one_more(predict, maps):
    found = right_leak(predict, maps)
    return None if found is None else found + 1


def cached(root=True, reads=True, grows=True):
    def step(q, k, v, cache):
        keys, values = (k, v)
        if cache is not None and reads:
            keys, values = (
                torch.cat((old, new), 2) for old, new in zip(cache, (k, v), strict=True)
            )
        scale = None if root else 1.0
        answer = F.scaled_dot_product_attention(q, keys, values, scale=scale)
        return answer, (keys, values) if grows or cache is None else cache

    return step


def without_itself(q, k, v, cache):
    keys, values = cache or (k, v)
    both = (k, v) if cache is None else (torch.cat((keys, k), 2), torch.cat((values, v), 2))
    return F.scaled_dot_product_attention(q, keys, values), both


def swapped(q, k, v, cache):
    answer, (keys, values) = cached()(q, k, v, cache)
    return answer, (values, keys)


def logit(p):
    return math.log(p / (1 - p))


def strength(p, q, wanted):
    return None if p == q else (logit(wanted) - logit(p)) / (logit(p) - logit(q))


def sharing(shared, repeat=True):
    """What draws with one seed at the first `shared(scales)` calls, for one image or for each."""

    def share(scales):
        calls = []

        def pick(logits):
            calls.append(logits)
            seed = 0 if len(calls) <= shared(scales) else len(calls)
            generator = torch.Generator().manual_seed(seed)
            same = len(calls) <= shared(scales) and repeat
            chances = (logits[:1] if same else logits).softmax(-1)
            drawn = torch.multinomial(chances.flatten(0, 1), 1, generator=generator)
            return drawn.view(chances.shape[:-1]).expand(len(logits), -1)

        return pick

    return share


TRIES = {
    "one scale back": (
        next_scale.one_scale_back,
        near,
        {
            "that is block-causal": lambda s: scale_of(s)[None] <= scale_of(s)[:, None],
            "not itself alone": itself_and_the_scale_before,
            "turn it round": lambda s: near(s).T,
            "are drawn together": lambda s: near(s).tril(),
            "sees its own scale, too": lambda s: scale_of(s)[None] == scale_of(s)[:, None] - 1,
            "wanted (14, 14)": lambda s: near(s)[0],
            "come later, with the scores": lambda s: torch.zeros(near(s).shape).masked_fill(
                ~near(s), -math.inf
            ),
            "token 0 should see token 0": lambda s: torch.zeros(near(s).shape),
        },
    ),
    "leak": (
        next_scale.leak,
        right_leak,
        {
            "change each in turn": watched(lambda count: [count - 1], lambda j: j),
            "watch the coarser ones alone": watched(range, lambda j: j + 1),
            "the finest scale that leaks": watched(range, lambda j: j, max),
            "scales count from 0": one_more,
        },
    ),
    "growing cache": (
        next_scale.growing_cache,
        cached(),
        {
            "is not read": cached(reads=False),
            "when the next scale comes": cached(grows=False),
            "sees its own keys as well": without_itself,
            "root of D": cached(root=False),
            "swapped in the cache": swapped,
            "return two things": lambda q, k, v, cache: q,
            "scale 2 is the first to differ": cached(reads=False),
        },
    ),
    "strength": (
        next_scale.strength,
        strength,
        {
            "is p, not q": lambda p, q, w: None if p == q else strength(p, q, w) + 1,
            "no longer add up": lambda p, q, w: (
                None if p == q else math.log(w / p) / math.log(p / q)
            ),
            "not probabilities": lambda p, q, w: None if p == q else (w - p) / (p - q),
            "ZeroDivisionError": lambda p, q, w: (logit(w) - logit(p)) / (logit(p) - logit(q)),
            "no strength helps": lambda p, q, w: strength(p, q, w) or 0.0,
        },
    ),
    "shared start": (
        next_scale.shared_start,
        sharing(lambda scales: scales),
        {
            "not the images of one batch": sharing(lambda scales: scales, repeat=False),
            "scale 3 is not to be shared": sharing(lambda scales: scales + 1),
            "scale 2 is to be shared": sharing(lambda scales: scales - 1),
            "`pick` got shape": lambda scales: lambda logits: logits,
            "`pick` stops with": lambda scales: lambda logits: logits[99],
            "turns logits into tokens": lambda scales: scales,
        },
    ),
}
