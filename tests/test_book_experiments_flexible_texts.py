"""The sentences of chapter 05's verdicts say the numbers that were measured."""

from varbook.book.experiments import flexible_texts as texts


def test_shares_are_told_in_per_cent():
    assert texts.shares({"32 px": 0.5, "64 px": 0.914}) == "32 px 50%, 64 px 91%"


def test_twice_the_size_is_told_beside_enlarged_and_real():
    kinds = {
        kind: {"FD-toy": float(n), "taken for its class": n / 10}
        for n, kind in enumerate(("real", "decoded", "drawn", "enlarged"), start=1)
    }
    told = texts.twice_the_size(kinds, "FD-toy")
    assert told.startswith("3.00 drawn, 4.00 enlarged, 2.00 decoded real scenes, 1.00 real")
    assert told.endswith("recognised 30% against 40% enlarged")


def test_the_nearest_way_has_the_mean_of_both_sets_of_dice():
    ways = {"a": {"FD-toy": [2.0, 4.0], "taken for its class": [0.5, 0.7]}, "b": {}}
    assert texts.nearest_way("a", ways, "FD-toy") == (
        "of 2 ways to draw the nearest (a) has 3.00 and is recognised in 60%"
    )
    assert texts.apart(ways["a"]["FD-toy"]) == 2.0


def test_sizes_beyond_the_training_are_told_in_order():
    rows = [
        {"pixels": 32 * n, "recognised": 1 / n, "recognised, real": 0.9, "FD-toy / decoded": n}
        for n in (1, 2, 4)
    ]
    told = texts.beyond_the_training_size(rows, "FD-toy")
    assert "100% at 32 px, 50% at 64 px, 25% at 128 px (real scenes 90%)" in told
    assert told.endswith("1.0 at 32 px, 2.0 at 64 px, 4.0 at 128 px")


def test_each_depth_is_told_with_its_steps():
    fd = {4: {3: 9.0, 8: 5.0}, 8: {3: 8.0, 8: 4.0}}
    assert texts.by_steps(fd, (3, 8), "FD-toy") == (
        "depth 4: FD-toy 9.00 with 3 steps, 5.00 with 8 steps; "
        "depth 8: FD-toy 8.00 with 3 steps, 4.00 with 8 steps"
    )


def test_widths_are_told_where_the_judge_sees_outlines():
    assert "1.25 times as wide" in texts.stretched(1.25)
    assert texts.stretched(None).startswith("the judge sees no outlines")
