"""The codebook: V learned vectors, the nearest of which stands for a feature vector."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Codebook(nn.Module):
    """V code vectors with C channels, shared by all scales (VAR: 4096 x 32, Euclidean; FlexVAR:
    8912 x 32, L2-normalised).

    Who predicts codes need not know of which kind they are: a code is a number of choices, here one
    of V, for sign bits d of two. `split`, `choices` and `from_choices` translate.
    """

    hits: Tensor  # V: moving average of how often each code is used

    def __init__(self, vocab_size: int, code_dim: int, *, normalise: bool = False):
        super().__init__()
        self.vocab_size, self.code_dim, self.normalise = vocab_size, code_dim, normalise
        self.embedding = nn.Embedding(vocab_size, code_dim)
        # The customary small start; `fill` replaces it by real features, which is half of the cure
        # against dead codes.
        nn.init.uniform_(self.embedding.weight, -1 / vocab_size, 1 / vocab_size)
        self.register_buffer("hits", torch.zeros(vocab_size))

    def vectors(self) -> Tensor:
        """Return the codes (V, C), on the unit sphere where `normalise` is set."""
        weight = self.embedding.weight
        return F.normalize(weight, dim=-1) if self.normalise else weight

    def nearest(self, x: Tensor) -> Tensor:
        """Return the index in [0, V) of the code nearest to each of `x` (..., C) -> (...) (CycleVAR
        eq. 1, FlexVAR eq. 4).
        """
        with torch.autocast(x.device.type, enabled=False):
            flat = x.detach().float().reshape(-1, self.code_dim)  # N C
            if self.normalise:
                flat = F.normalize(flat, dim=-1)
            codes = self.vectors().detach().float()  # V C
            # argmin |x - e|^2 = argmax (x . e - |e|^2 / 2), the product of (x, 1) and (e, -|e|^2 / 2):
            # no N x V matrix of distances is kept.
            queries = F.pad(flat, (0, 1), value=1.0)  # N C+1
            keys = torch.cat((codes, codes.square().sum(1, keepdim=True) / -2), 1)  # V C+1
            # On a CPU, chunks of 128 rows for each thread keep the scores in the cache.
            on_cpu = x.device.type == "cpu"
            chunk = 128 * torch.get_num_threads() if on_cpu else max(len(flat), 1)
            best = [places_of_largest(rows @ keys.T) for rows in queries.split(chunk)]
        return torch.cat(best).view(x.shape[:-1])

    def lookup(self, indices: Tensor) -> Tensor:
        """Return the codes of `indices` (...) -> (..., C)."""
        return F.embedding(indices, self.vectors())

    def split(self, logits: Tensor) -> Tensor:
        """Return the logits (..., V) of a code as those of its choices (..., 1, V): one of V."""
        return logits[..., None, :]

    def choices(self, indices: Tensor) -> Tensor:
        """Return the choices (..., 1) that `indices` (...) stand for."""
        return indices[..., None]

    def from_choices(self, choices: Tensor) -> Tensor:
        """Return the indices (...) that `choices` (..., 1) make."""
        return choices[..., 0]

    @torch.no_grad()
    def count(self, indices: Tensor, decay: float = 0.95) -> None:
        """Update the moving average of how often each code
        is used, as a fraction of the vectors seen.
        """
        share = torch.bincount(indices.flatten(), minlength=self.vocab_size).float() / max(
            indices.numel(), 1
        )
        self.hits.mul_(decay).add_(share, alpha=1 - decay)

    @torch.no_grad()
    def fill(self, features: Tensor, generator: torch.Generator) -> None:
        """Set every code to a random vector among `features` (N, C): codes start where the data is."""
        self._replace(
            torch.ones(self.vocab_size, dtype=torch.bool, device=features.device),
            features,
            generator,
        )

    @torch.no_grad()
    def revive(self, features: Tensor, generator: torch.Generator, threshold: float = 0.02) -> int:
        """Move each dead code onto a random vector of
        `features` (N, C) and return how many were moved.

        A code is dead when it is used less than `threshold` times its fair share 1 / V.
        """
        dead = self.hits < threshold / self.vocab_size
        self._replace(dead, features, generator)
        return int(dead.sum())

    def _replace(self, which: Tensor, features: Tensor, generator: torch.Generator) -> None:
        count = int(which.sum())
        rows = torch.randint(len(features), (count,), generator=generator).to(features.device)
        self.embedding.weight.data[which] = features[rows].to(self.embedding.weight.dtype)
        self.hits[which] = 1 / self.vocab_size


def places_of_largest(scores: Tensor, group: int = 128) -> Tensor:
    """Return the place (N,) of the largest of each row of scores (N, V), `scores.argmax(1)`.

    torch finds a largest value several times as fast as its place: so the largest of every `group`
    first, and places only within the best group. Equal ones give the first, as in argmax.
    """
    if scores.shape[1] % group:
        return scores.max(1).indices
    groups = scores.view(len(scores), -1, group)  # N V/group group
    best = groups.amax(-1).max(1).indices  # N
    within = groups[torch.arange(len(scores), device=scores.device), best].max(1).indices
    return best * group + within
