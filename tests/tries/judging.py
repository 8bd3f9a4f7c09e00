import math

import torch

from varbook.book.exercises import judging

POINTS = torch.randn(
    300, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64
) @ torch.tensor([[2.0, 0.5], [0.0, 1.0]], dtype=torch.float64)


def circle(n):
    angle = torch.linspace(0, 2 * math.pi, n + 1, dtype=torch.float64)[:-1]
    return torch.stack((angle.cos(), angle.sin()), 1)


def ring(x):
    y = circle(len(x))
    own, wanted = (torch.linalg.cholesky(z.T.cov()) for z in (y, x))
    return y @ torch.linalg.inv(own).T @ wanted.T + x.mean(0)


def true_share(s, a, b):
    return None if abs(a + b - 1) < 1e-9 else (s + b - 1) / (a + b - 1)


TRIES = {
    "impostor": (
        lambda function: judging.impostor(function, POINTS),
        ring,
        {
            "shape is that of the given": lambda x: x.flip(0),
            "covariances differ": lambda x: circle(len(x)) + x.mean(0),
            "means differ": lambda x: ring(x) - x.mean(0) + 1,
            "wanted (300, 2)": lambda x: ring(x[:100]),
        },
    ),
    "pictures needed": (
        judging.pictures_needed,
        lambda p, m: math.ceil(4 * p * (1 - p) / m**2),
        {
            "two standard errors": lambda p, m: math.ceil(p * (1 - p) / m**2),
            "squared as well": lambda p, m: math.ceil(2 * p * (1 - p) / m**2),
            "round up: one picture less": lambda p, m: math.floor(4 * p * (1 - p) / m**2),
            "pictures come whole": lambda p, m: 4 * p * (1 - p) / m**2,
            "more than needed": lambda p, m: 10**9,
        },
    ),
    "true share": (
        judging.true_share,
        true_share,
        {
            "are accepted as well": lambda s, a, b: s / a,
            "b is the share rejected": lambda s, a, b: (s - b) / (a - b),
            "not turned round": lambda s, a, b: s * a + (1 - s) * (1 - b),
            "ZeroDivisionError": lambda s, a, b: (s + b - 1) / (a + b - 1),
            "wanted None": lambda s, a, b: true_share(s, a, b) or 0.0,
        },
    ),
}
