"""The sentences of chapter 05's verdicts, written from what was measured at each size and number
of steps.
"""

from collections.abc import Mapping, Sequence

TAKEN = "taken for its class"


def shares(by_name: Mapping[str, float]) -> str:
    """Return "name share, name share", the shares in per cent."""
    return ", ".join(f"{name} {share:.0%}" for name, share in by_name.items())


def apart(pair: Sequence[float]) -> float:
    """Return how far the numbers of two seeds differ."""
    return abs(pair[0] - pair[1])


def twice_the_size(kinds: Mapping[str, Mapping], distance: str) -> str:
    """Return `distance`, such as "FD-toy", and recognition of what is drawn at twice the size,
    beside enlarged samples and real scenes; `kinds` is kind of picture -> measures.
    """
    fd = {kind: kinds[kind][distance] for kind in ("drawn", "enlarged", "decoded", "real")}
    taken = {kind: kinds[kind][TAKEN] for kind in ("drawn", "enlarged")}
    return (
        f"{fd['drawn']:.2f} drawn, {fd['enlarged']:.2f} enlarged, "
        f"{fd['decoded']:.2f} decoded real scenes, {fd['real']:.2f} real; "
        f"recognised {taken['drawn']:.0%} against {taken['enlarged']:.0%} enlarged"
    )


def nearest_way(
    nearest: str, by_way: Mapping[str, Mapping[str, Sequence[float]]], distance: str
) -> str:
    """Return the means over two seeds of the way to draw whose `distance` is the smallest."""
    fd, taken = (sum(by_way[nearest][name]) / 2 for name in (distance, TAKEN))
    return (
        f"of {len(by_way)} ways to draw the nearest ({nearest}) has {fd:.2f} "
        f"and is recognised in {taken:.0%}"
    )


def beyond_the_training_size(rows: Sequence[Mapping], distance: str) -> str:
    """Return recognition and relative `distance` from the size of the training (the first row) on.

    A row has "pixels", "recognised", "recognised, real" and, with FD-toy, "FD-toy / decoded"; real
    scenes are told at the third size.
    """
    drawn = ", ".join(f"{row['recognised']:.0%} at {row['pixels']} px" for row in rows)
    ratios = ", ".join(f"{row[f'{distance} / decoded']:.1f} at {row['pixels']} px" for row in rows)
    return (
        f"recognised: {drawn} (real scenes {rows[2]['recognised, real']:.0%}); "
        f"{distance} over that of decoded real scenes: {ratios}"
    )


def by_steps(fd: Mapping[int, Mapping[int, float]], told: Sequence[int], distance: str) -> str:
    """Return `distance`, such as "FD-toy", of each depth with the numbers of steps in `told`; `fd`
    is depth -> steps -> distance.
    """
    depths = [
        f"depth {depth}: {distance} " + ", ".join(f"{values[n]:.2f} with {n} steps" for n in told)
        for depth, values in fd.items()
    ]
    return "; ".join(depths)


def stretched(times: float | None) -> str:
    """Return how many times wider the animal is on a canvas that is twice as wide; None where the
    judge sees no outlines.
    """
    if times is None:
        return "the judge sees no outlines, so that widths of the animal are not told"
    return (
        f"on a canvas twice as wide, the animal that the judge finds is {times:.2f} times as wide "
        "as on a square (a real one: once)"
    )
