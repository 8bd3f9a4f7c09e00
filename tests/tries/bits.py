"""What readers may try in chapter 11."""

import math

import torch

from varbook.book.exercises import bits


def slope(delta, tau, d, outer=2.0, inner=2.0):
    return (1 - torch.tanh(delta / (inner * tau)) ** 2) / (outer * tau * math.sqrt(d))


def log_probability(logits, code):
    pairs = logits.view(-1, 2)
    return torch.where(code, pairs[:, 1], pairs[:, 0]).sum() - pairs.logsumexp(1).sum()


def alpha(source, target, bound):
    if abs(target) > bound:
        return None
    room = bound - source if target > source else bound + source
    return abs(target - source) / room


TRIES = {
    "worst vector": (
        bits.worst_vector,
        lambda d: -torch.eye(d)[d // 2],
        {
            "a code itself": lambda d: torch.ones(d) / math.sqrt(d),
            "its length is": lambda d: torch.ones(d).cumsum(0),
            "there are vectors farther off": lambda d: torch.eye(d)[:2].sum(0) / math.sqrt(2),
            "wanted a tensor of shape (4,)": lambda d: math.sqrt(2 - 2 / math.sqrt(d)),
        },
    ),
    "values of an entry": (
        bits.values_of_an_entry,
        lambda scales: scales + 1,
        {
            "rows of signs": lambda scales: 2**scales,
            "every second whole number": lambda scales: 2 * scales + 1,
            "count both ends": lambda scales: scales,
        },
    ),
    "slope": (
        bits.slope,
        slope,
        {
            "the chain rule": lambda x, tau, d: slope(x, 0.5, d, 2.0, 4 * tau),
            "not by tau": lambda x, tau, d: slope(x, tau, d, outer=1.0),
            "length one": lambda x, tau, d: slope(x, tau, 1),
            "divided by 2 tau": lambda x, tau, d: slope(x, tau, d, inner=1.0),
            "not its derivative": lambda x, tau, d: torch.tanh(x / (2 * tau)) / math.sqrt(d),
            "1 minus its square": lambda x, tau, d: (
                (1 - torch.tanh(x / (2 * tau))) / (2 * tau * math.sqrt(d))
            ),
        },
    ),
    "log probability": (
        bits.log_probability,
        log_probability,
        {
            "do not add up to one": lambda x, b: torch.where(b, x[1::2], x[0::2]).sum(),
            "the opposite code": lambda x, b: log_probability(x, ~b),
            "return its logarithm": lambda x, b: log_probability(x, b).exp(),
            "not their mean": lambda x, b: log_probability(x, b) / len(b),
            "not one over all": lambda x, b: (
                torch.where(b, x[1::2], x[0::2]) - x.logsumexp(0)
            ).sum(),
            "side by side": lambda x, b: log_probability(torch.stack((x[:5], x[5:]), 1), b),
        },
    ),
    "smallest alpha": (
        bits.smallest_alpha,
        alpha,
        {
            "starts at the source": lambda f, g, b: None if abs(g) > b else abs(g - f) / b,
            "has more room": lambda f, g, b: None if abs(g) > b else abs(g - f) / (b - abs(f)),
            "the lower end": lambda f, g, b: None if abs(g) > b else abs(g - f) / (b - f),
            "must be within reach": lambda f, g, b: (
                (g - f) / (b - f) if g > f else (f - g) / (b + f)
            ),
        },
    ),
}
