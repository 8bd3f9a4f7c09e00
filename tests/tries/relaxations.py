import torch
import torch.nn.functional as F

from varbook.book.exercises import relaxations
from varbook.translate.relaxation import mixture_state


def bits(delta, tau):
    return torch.tanh(delta / (2 * tau)) / delta.shape[-1] ** 0.5


def temperature_gradient(logits, codes, tau, g):
    q = (logits / tau).softmax(-1)
    return -(q * logits * ((codes - q @ codes) @ g)).sum() / tau**2


def sum_of_gradients(logits, codes, tau, g):
    q = (logits / tau).softmax(-1)
    return (q / tau * ((codes - q @ codes) @ g)).sum()


def scores(q, drawn, losses):
    return ((F.one_hot(drawn, len(q)) - q) * losses[:, None]).mean(0)


def of_each(logits, tau):
    return mixture_state(logits, torch.eye(logits.shape[-1]), tau)["perplexity"]


def of_the_mean(logits, tau):
    return torch.special.entr((logits / tau).softmax(-1).mean(0)).sum().exp().item()


def bisection(perplexity=of_each, right=True):
    def temperature_for(logits, wanted):
        low, high = 1e-3, 1e3
        for _ in range(40):
            middle = (low * high) ** 0.5
            too_cold = perplexity(logits, middle) < wanted
            low, high = (middle, high) if too_cold == right else (low, middle)
        return middle

    return temperature_for


TRIES = {
    "bits": (
        relaxations.bits,
        bits,
        {
            "2p - 1": lambda x, tau: torch.sigmoid(x / tau) / x.shape[-1] ** 0.5,
            "tanh(x / 2)": lambda x, tau: torch.tanh(x / tau) / x.shape[-1] ** 0.5,
            "1 / root of d long": lambda x, tau: torch.tanh(x / (2 * tau)),
            "where is the temperature": lambda x, tau: bits(x, 1.0),
            "that of -": lambda x, tau: bits(-x, tau),
            "not of length one": lambda x, tau: F.normalize(bits(x, tau), dim=-1),
            "wanted (3, 8)": lambda x, tau: bits(x, tau).sum(-1),
        },
    ),
    "gradient of the temperature": (
        relaxations.temperature_gradient,
        temperature_gradient,
        {
            "makes logits / tau smaller": lambda *given: -temperature_gradient(*given),
            "-1 / tau^2": lambda x, z, tau, g: tau * temperature_gradient(x, z, tau, g),
            "subtract the mixture": lambda x, z, tau, g: (
                -((x / tau).softmax(-1) * x * (z @ g)).sum() / tau**2
            ),
            "with the logit itself": sum_of_gradients,
            "wanted ()": lambda x, z, tau, g: x * temperature_gradient(x, z, tau, g),
        },
    ),
    "score function": (
        relaxations.score_function,
        scores,
        {
            "from the one-hot": lambda q, v, x: (F.one_hot(v, len(q)) * x[:, None]).mean(0),
            "do not weigh with q": lambda q, v, x: q * scores(q, v, x),
            "not to its logit": lambda q, v, x: (F.one_hot(v, len(q)) * x[:, None]).mean(0) / q,
            "not the sum": lambda q, v, x: len(v) * scores(q, v, x),
            "mind the sign": lambda q, v, x: -scores(q, v, x),
            "wanted (5,)": lambda q, v, x: (F.one_hot(v, len(q)) - q) * x[:, None],
        },
    ),
    "wanted perplexity": (
        relaxations.wanted_perplexity,
        bisection(),
        {
            "the tokens' mean probabilities": bisection(of_the_mean),
            "keep the right half": bisection(right=False),
            "only logits / tau counts": lambda x, p: bisection()(x / x.std(), p),
            "gives perplexity": lambda x, p: 2.0,
            "wanted a temperature": lambda x, p: -1,
        },
    ),
}
