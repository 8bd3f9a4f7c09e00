"""From votes to the table of a preference study: shares and how sure they are (CycleVAR table 2)."""

import math
import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from varbook.book.preference.study import QUESTIONS, Vote

Z = 1.959964  # 95 %


def wilson(hits: int, total: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a share; (0, 1) where nobody voted. It assumes that votes
    do not depend on one another.
    """
    if total == 0:
        return 0.0, 1.0
    share = hits / total
    centre = (share + Z**2 / (2 * total)) / (1 + Z**2 / total)
    half = Z * math.sqrt(share * (1 - share) / total + Z**2 / (4 * total**2)) / (1 + Z**2 / total)
    return max(0.0, centre - half), min(1.0, centre + half)


def bootstrap(
    counts: Sequence[tuple[int, int]], *, draws: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % interval of a share when whole voters are drawn again: `counts` holds (hits,
    votes) of each voter.
    """
    hits, totals = np.array(counts).T
    drawn = _choices(len(counts), draws, seed)
    shares = np.sort(hits[drawn].sum(axis=1) / totals[drawn].sum(axis=1)).tolist()
    return shares[round(0.025 * (draws - 1))], shares[round(0.975 * (draws - 1))]


def _choices(voters: int, draws: int, seed: int) -> np.ndarray:
    """Return which voters are drawn again, (draws, voters): those that `random.choices` draws one
    after the other, from the same Mersenne twister all at once.
    """
    *_, (*key, place), _ = random.Random(seed).getstate()
    twister = np.random.RandomState()
    twister.set_state(("MT19937", np.array(key, np.uint32), place, 0, 0.0))
    return (voters * twister.random_sample((draws, voters))).astype(int)


def interval(counts: Sequence[tuple[int, int]], *, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % interval that the table reports, from (hits, votes) of each voter.

    One voter's votes resemble one another (a taste is one taste, however often it clicks), so
    Wilson's interval alone is too narrow, and the bootstrap draws voters, not votes. But with few
    voters the bootstrap is too narrow in turn, and for a share of nought it has no width at all.
    Each end is therefore the wider of the two.
    """
    counts = [(hits, total) for hits, total in counts if total]
    low, high = wilson(sum(hits for hits, _ in counts), sum(total for _, total in counts))
    if len(counts) > 1:
        drawn = bootstrap(counts, seed=seed)
        low, high = min(low, drawn[0]), max(high, drawn[1])
    return low, high


def counts_of(votes: Sequence[Vote], method: str, question: str) -> list[tuple[int, int]]:
    """Return (votes for the method, all votes) of each voter on one question."""
    asked = [vote for vote in votes if vote.question == question]
    voters = sorted({vote.voter for vote in asked})
    mine = {
        voter: [vote.choice == method for vote in asked if vote.voter == voter] for voter in voters
    }
    return [(sum(one), len(one)) for one in mine.values()]


def preference_table(votes: Sequence[Vote], methods: Sequence[str]) -> list[dict]:
    """Return one row per method: its share in each question and the 95 % interval; "no votes yet"
    where there are none.
    """
    rows = []
    for method in methods:
        row: dict[str, Any] = {"method": method}
        for question in QUESTIONS:
            counts = counts_of(votes, method, question)
            total = sum(all_of_voter for _, all_of_voter in counts)
            if not total:
                row |= {question: None, f"{question} 95 %": "no votes yet"}
                continue
            low, high = interval(counts)
            row |= {
                question: sum(hits for hits, _ in counts) / total,
                f"{question} 95 %": f"{low:.2f} to {high:.2f}",
            }
        rows.append(row)
    return rows


def place_shares(votes: Sequence[Vote], methods: Sequence[str]) -> list[float]:
    """Return the share of votes for each place from left to right: far from equal, somebody did not
    look.
    """
    hits = [
        sum(vote.shown.index(vote.choice) == place for vote in votes)
        for place in range(len(methods))
    ]
    return [one / max(len(votes), 1) for one in hits]


def preferred(votes: Sequence[Vote], methods: Sequence[str], method: str) -> dict[str, bool]:
    """Return question -> whether `method` has more votes than every other one, by name for the
    verdict.
    """
    checks = {}
    for question in QUESTIONS:
        count = {
            one: sum(vote.choice == one for vote in votes if vote.question == question)
            for one in methods
        }
        best_other = max(count[one] for one in methods if one != method)
        checks[f"{method} has most votes in {question}"] = count[method] > best_other
    return checks
