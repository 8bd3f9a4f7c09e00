"""Shares and intervals: by their formulas, and wide enough when voters differ in taste."""

import random

import pytest

from varbook.book.preference.statistics import (
    Z,
    bootstrap,
    counts_of,
    interval,
    place_shares,
    preference_table,
    preferred,
    wilson,
)
from varbook.book.preference.study import QUESTIONS, Vote

METHODS = ("alpha", "beta")


def votes_of(voter: str, choices: str, question: str = "style") -> list[Vote]:
    """One vote per letter: a for alpha, b for beta, always shown in alphabetical order."""
    names = {"a": "alpha", "b": "beta"}
    return [
        Vote("key", voter, f"{k}.png", question, names[one], METHODS, k)
        for k, one in enumerate(choices)
    ]


@pytest.mark.parametrize("hits, total", [(0, 5), (1, 7), (30, 60), (5, 5)])
def test_the_wilson_interval_solves_its_equation(hits, total):
    """Its ends are the shares p for which the observed one is exactly z standard errors away."""
    share = hits / total
    for end in wilson(hits, total):
        if 0 < end < 1:
            assert abs(share - end) == pytest.approx(Z * (end * (1 - end) / total) ** 0.5, rel=1e-6)
    assert wilson(hits, total)[0] <= share <= wilson(hits, total)[1]


def test_nobody_knows_nothing():
    assert wilson(0, 0) == (0.0, 1.0) and interval([]) == (0.0, 1.0) == interval([(0, 0)])


def test_the_bootstrap_draws_voters():
    assert bootstrap([(1, 4)] * 6) == (0.25, 0.25)  # equal voters: nothing to draw
    low, high = bootstrap([(0, 4), (4, 4)] * 4)
    assert low < 0.25 and high > 0.75
    assert bootstrap([(0, 4), (4, 4)] * 4) == (low, high)  # and the seed decides


@pytest.mark.parametrize("seed", (0, 7))
def test_the_bootstrap_draws_what_one_draw_after_the_other_draws(seed):
    counts, generator, shares = [(1, 4), (3, 5), (0, 2), (6, 6), (2, 9)], random.Random(seed), []
    for _ in range(200):
        sample = generator.choices(counts, k=len(counts))
        shares.append(sum(hits for hits, _ in sample) / sum(total for _, total in sample))
    expected = sorted(shares)[5], sorted(shares)[194]
    assert bootstrap(counts, draws=200, seed=seed) == expected


def test_the_interval_is_the_wider_of_the_two_at_each_end():
    opposed, equal = [(0, 10), (10, 10)] * 4, [(5, 10)] * 8
    assert interval(opposed) == bootstrap(opposed)
    assert interval(equal) == wilson(40, 80) and bootstrap(equal) == (0.5, 0.5)
    assert interval([(0, 9)] * 3) == wilson(0, 27)
    assert interval([(3, 10)]) == wilson(3, 10)  # one voter


def test_it_covers_the_truth_where_wilson_alone_does_not():
    """Voters whose tastes differ (a share of 0.2 or of 0.8), twelve of them with twenty votes each."""
    generator, inside = random.Random(0), {"wilson": 0, "interval": 0}
    for study in range(100):
        counts = [
            (sum(generator.random() < taste for _ in range(20)), 20)
            for taste in generator.choices((0.2, 0.8), k=12)
        ]
        pooled = wilson(sum(hits for hits, _ in counts), 240)
        for name, (low, high) in (("wilson", pooled), ("interval", interval(counts, seed=study))):
            inside[name] += low <= 0.5 <= high
    assert inside["wilson"] < 75 and inside["interval"] > 85


def test_the_counts_are_those_of_each_voter():
    votes = votes_of("ann", "aab") + votes_of("bob", "b") + votes_of("bob", "aaa", "content")
    assert counts_of(votes, "alpha", "style") == [(2, 3), (0, 1)]
    assert (
        counts_of(votes, "beta", "content") == [(0, 3)]
        and counts_of(votes, "beta", "overall") == []
    )


def test_the_table_has_a_row_per_method_whose_shares_add_up():
    votes = [
        vote
        for question in QUESTIONS
        for vote in votes_of("ann", "aaab", question) + votes_of("bob", "ab", question)
    ]
    rows = preference_table(votes, METHODS)
    assert [row["method"] for row in rows] == list(METHODS)
    assert rows[0]["style"] == pytest.approx(4 / 6) and all(
        sum(row[question] for row in rows) == pytest.approx(1) for question in QUESTIONS
    )
    low, high = (float(end) for end in rows[0]["overall 95 %"].split(" to "))
    assert low < 4 / 6 < high


def test_without_votes_the_table_says_so_and_invents_nothing():
    for row in preference_table([], METHODS):
        assert all(
            row[question] is None and row[f"{question} 95 %"] == "no votes yet"
            for question in QUESTIONS
        )
    half = preference_table(votes_of("ann", "a"), METHODS)[0]
    assert half["style"] == 1.0 and half["content"] is None


def test_places_tell_a_voter_who_does_not_look():
    assert place_shares(votes_of("ann", "aaab"), METHODS) == [0.75, 0.25]
    assert place_shares([], METHODS) == [0, 0]


def test_first_is_who_has_more_than_every_other():
    votes = (
        votes_of("ann", "aab") + votes_of("ann", "ab", "content") + votes_of("ann", "b", "overall")
    )
    assert list(preferred(votes, METHODS, "alpha").values()) == [True, False, False]
    assert list(preferred(votes, METHODS, "alpha")) == [
        f"alpha has most votes in {question}" for question in QUESTIONS
    ]
