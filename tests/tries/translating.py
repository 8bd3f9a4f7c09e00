import torch

from varbook.book.exercises import translating


def needed(wanted, source, alpha):
    return (wanted - (1 - alpha) * source) / alpha


def slopes(a):
    c = torch.sigmoid(a)
    return -c, c - 1


def rise(there, back, images, noise):
    translated = there(images)
    without = (back(translated) - images).abs().mean()
    return (back(translated + noise) - images).abs().mean() - without


TRIES = {
    "needed sum": (
        translating.needed_sum,
        needed,
        {
            "eq. 9 itself": lambda w, s, a: a * w + (1 - a) * s,
            "divide by it": lambda w, s, a: w - (1 - a) * s,
            "1 - alpha the source": lambda w, s, a: (w - a * s) / (1 - a),
            "for alpha = 1/2 alone": lambda w, s, a: 2 * w - s,
            "mind the sign": lambda w, s, a: (w + (1 - a) * s) / a,
            "wanted (4, 3, 3)": lambda w, s, a: needed(w, s, a).mean(0),
        },
    ),
    "weight of a source": (
        translating.source_weight,
        lambda j, K, alpha: (1 - alpha) * alpha ** (K - j),
        {
            "the weight of R_j": lambda j, K, alpha: alpha ** (K - j + 1),
            "come after step j": lambda j, K, alpha: (1 - alpha) * alpha ** (K - j + 1),
            "not earlier ones": lambda j, K, alpha: (1 - alpha) * alpha**j,
            "so it is at step j": lambda j, K, alpha: 1 - alpha,
            "later steps multiply by alpha": lambda j, K, alpha: (1 - alpha) ** (K - j + 1),
        },
    ),
    "two slopes": (
        translating.two_slopes,
        slopes,
        {
            "log(1 - C) is off by 1.96: mind the sign": lambda a: (torch.sigmoid(a), slopes(a)[1]),
            "-log C is off by 1.99: mind the sign": lambda a: (slopes(a)[0], -slopes(a)[1]),
            "not to C": lambda a: (slopes(a)[0], -1 / torch.sigmoid(a)),
            "return two things": lambda a: slopes(a)[0],
            "wanted (5,)": lambda a: (slopes(a)[0].sum(), slopes(a)[1].sum()),
        },
    ),
    "hidden signal": (
        translating.hidden_signal,
        rise,
        {
            "how much *larger*": lambda t, b, x, e: (b(t(x) + e) - x).abs().mean(),
            "not to the source": lambda t, b, x, e: (
                (b(t(x + e)) - x).abs().mean() - (b(t(x)) - x).abs().mean()
            ),
            "not with its translation": lambda t, b, x, e: (
                (b(t(x) + e) - t(x)).abs().mean() - (b(t(x)) - t(x)).abs().mean()
            ),
            "noise may not matter": lambda t, b, x, e: (b(t(x) + e) - b(t(x))).abs().mean(),
            "not the other way round": lambda *given: -rise(*given),
            "not squares": lambda t, b, x, e: (
                (b(t(x) + e) - x).square().mean() - (b(t(x)) - x).square().mean()
            ),
            "wanted ()": lambda t, b, x, e: (b(t(x) + e) - x).abs() - (b(t(x)) - x).abs(),
        },
    ),
}
