import torch

from varbook.book.exercises import codes


def products(length=1.0, twice=2.0, largest=False, dim=1):
    def nearest(x, z):
        scores = length * z.square().sum(1) - twice * x @ z.T
        return scores.argmax(dim) if largest else scores.argmin(dim)

    return nearest


def moved(dead_stay=True, use_rate=True, divide=True, flip=False):
    def move(z, x, tokens, rate):
        counts = torch.bincount(tokens, minlength=len(z))[:, None]
        means = torch.zeros_like(z).index_add(0, tokens, x) / (counts.clamp_min(1) if divide else 1)
        rate = (1 - rate if flip else rate) if use_rate else 1.0
        there = z + rate * (means - z)
        return torch.where(counts > 0, there, z) if dead_stay else there

    return move


TRIES = {
    "nearest": (
        codes.nearest_fast,
        products(),
        {
            "wins by its length": products(length=0),
            "not argmax": products(largest=True),
            "subtracted twice": products(twice=1),
            "look along the codes": products(dim=0),
            "a tensor of 3 dimensions": lambda x, z: (x[:, None] - z).square().sum(-1).argmin(1),
        },
    ),
    "moved codes": (
        codes.move_codes,
        moved(),
        {
            "leave it where it is": moved(dead_stay=False),
            "the fraction `rate`": moved(use_rate=False),
            "divide by how many": moved(dead_stay=False, divide=False),
            "stands on the mean itself": moved(flip=True),
        },
    ),
    "where a feature stops": (
        codes.resting_place,
        lambda q, y, beta: q + (y - q) / beta,
        {
            "not the feature": lambda q, y, beta: (y + beta * q) / (1 + beta),
            "keep it nearer": lambda q, y, beta: q + beta * (y - q),
            "mind the sign": lambda q, y, beta: q - (y - q) / beta,
            "commitment pulls it back": lambda q, y, beta: y,
        },
    ),
    "used is not useful": (
        codes.lopsided,
        lambda: torch.cat((torch.arange(64), torch.zeros(100_000, dtype=torch.long))),
        {
            "put each in at least once": lambda: torch.zeros(1000, dtype=torch.long),
            "the perplexity is 64": lambda: torch.arange(64),
            "nearly all tokens must be the same": lambda: torch.cat(
                (torch.arange(64), torch.zeros(500, dtype=torch.long))
            ),
            "whole numbers": lambda: torch.zeros(9),
            "from 0 to 63": lambda: torch.arange(65),
        },
    ),
}
