"""The verdicts of chapter 05 on numbers of steps, on time, and on other families (FlexVAR figures 7,
13 and 17, tables 2 and 7), with the rows of their tables.
"""

from collections.abc import Mapping, Sequence
from itertools import product

import torch

from varbook.book.experiments import flexible_texts as texts
from varbook.book.experiments.flexible_steps import Steps
from varbook.book.experiments.flexible_texts import TAKEN
from varbook.book.experiments.flexible_verdicts import Runs, Verdict
from varbook.book.experiments.seeds import spread
from varbook.tokenizer.schedule import TABLE_7, token_count
from varbook.train.store import Run

FAMILIES = {"raster": "raster scan", "masked": "random scan", "diffusion": "diffusion"}
Times = Mapping[tuple[int, int], Mapping]  # (pixels, steps) of table 7 -> "shape", "seconds"


def line(x: Sequence[float], y: Sequence[float]) -> tuple[float, float, float]:
    """Return start and slope of the straight line nearest to the points, and the share R² of the
    variance of y that it explains.
    """
    a, b = torch.tensor(x, dtype=torch.float64), torch.tensor(y, dtype=torch.float64)
    slope = ((a - a.mean()) * (b - b.mean())).sum() / (a - a.mean()).square().sum()
    start = b.mean() - slope * a.mean()
    rest = (b - start - slope * a).square().sum() / (b - b.mean()).square().sum()
    return start.item(), slope.item(), 1 - rest.item()


def rows_of_table_7(steps: Steps, timed: Times) -> list[dict]:
    """Return our rows of FlexVAR table 7: the paper's schedules with our times, and our own."""

    def row(px, count, schedule):
        sides = [side for side, _ in schedule]
        own = {"resolution": px, "steps": count, "scales": sides}
        return own | {"tokens": token_count(schedule)}

    home = steps.flex.task.side(steps.flex.profile)
    name = "seconds an image, untrained"
    papers = [row(*size, TABLE_7[size]) | {name: timed[size]["seconds"]} for size in TABLE_7]
    return papers + [row(home, count, schedule) for count, schedule in steps.schedules.items()]


def times_of(steps: Steps, timed: Times, seconds: Run) -> dict[str, tuple[list, list]]:
    """Return title -> (tokens, seconds an image): table 7's schedules, and ours at the largest
    depth.
    """
    depth, flex = steps.depths[-1], steps.flex
    ours = [seconds.result[f"FlexVAR, {depth}, {count}"] for count in steps.schedules]
    papers = [timed[size]["seconds"] for size in TABLE_7]
    name = f"{flex.task.noun}, {flex.task.side(flex.profile)} px"
    return {
        "table 7's schedules": ([token_count(s) for s in TABLE_7.values()], papers),
        name: ([token_count(s) for s in steps.schedules.values()], ours),
    }


def all_schedules(steps: Steps, timed: Times, timing: Run, seconds: Run) -> Verdict:
    """FlexVAR table 7: every schedule generates an image of its resolution, and time follows tokens."""
    papers, (_, toy) = times_of(steps, timed, seconds).values()
    explained = line(*papers)[2]
    six, ten, last = (256, 6), (256, 10), (512, 15)
    share_tokens = token_count(TABLE_7[six]) / token_count(TABLE_7[ten])
    share_time = timed[six]["seconds"] / timed[ten]["seconds"]
    checks = {
        f"{px} px, {n} steps: an image of its resolution": timed[px, n]["shape"] == [px, px]
        for px, n in TABLE_7
    }
    checks |= {
        "6 steps are faster than 10": share_time < 1,
        "tokens explain nine tenths of the variance of the times": explained > 0.9,
    }
    told = {
        "ours": f"all {len(TABLE_7)} schedules generate, {token_count(TABLE_7[six])} to "
        f"{token_count(TABLE_7[last])} tokens; 6 steps instead of 10: {share_tokens:.0%} of the "
        f"tokens, {share_time:.0%} of the time; tokens explain {explained:.0%} of the variance "
        "of the times",
        "why": "times of a narrow, untrained network of the paper's geometry, with the lightest "
        "of decoders",
        "numbers": {
            "seconds": timing.result,
            "toy": {str(n): t for n, t in zip(steps.schedules, toy, strict=True)},
        },
        "runs": [timing, seconds],
        "params": {"schedules": len(TABLE_7)},
    }
    return checks, told


def distances(steps: Steps, by_depth: Runs) -> dict[int, dict[int, float]]:
    """Return depth -> number of steps -> the judge's distance, the mean over two seeds."""
    name = steps.flex.judge.distance
    return {
        depth: {count: spread(run.result[str(count)], name)[0] for count in steps.schedules}
        for depth, run in by_depth.items()
    }


def luck(steps: Steps, by_depth: Runs) -> float:
    """Return by how much the distances of two seeds differ at most."""
    name, pairs = steps.flex.judge.distance, product(by_depth.values(), steps.schedules)
    return max(spread(run.result[str(count)], name)[1] for run, count in pairs)


def rows_of_steps(steps: Steps, by_depth: Runs, seconds: Run) -> list[dict]:
    """Return a row for each depth and number of steps, means over two seeds."""
    rows, judge = [], steps.flex.judge
    for depth, (count, schedule) in product(by_depth, steps.schedules.items()):
        sets = by_depth[depth].result[str(count)]
        row = {"depth": depth, "steps": count, "tokens": token_count(schedule)}
        row |= {"sides": [side for side, _ in schedule]}
        names = (judge.distance, judge.score, TAKEN)
        row |= {name: spread(sets, name)[0] for name in names}
        row |= {f"spread of {judge.distance}": spread(sets, judge.distance)[1]}
        rows.append(row | {"seconds an image": seconds.result[f"FlexVAR, {depth}, {count}"]})
    return rows


def _more_than_trained(steps: Steps, by_depth: Runs) -> dict[str, bool]:
    fd, (_, usual, most) = distances(steps, by_depth), steps.told
    beyond = f"more steps than in training ({most}) better than {usual}"
    return {f"depth {depth}: {beyond}": fd[depth][most] < fd[depth][usual] for depth in fd}


def more_steps(steps: Steps, by_depth: Runs) -> Verdict:
    """FlexVAR figure 7: quality over the number of steps."""
    fd, (fewest, usual, most) = distances(steps, by_depth), steps.told
    name, chance = steps.flex.judge.distance, luck(steps, by_depth)
    checks = {
        f"depth {depth}: {most} steps better than {fewest}": fd[depth][most] < fd[depth][fewest]
        for depth in fd
    }
    changes = ", ".join(f"{fd[depth][most] - fd[depth][usual]:+.2f}" for depth in fd)
    by_name = {
        depth: max(spread(run.result[str(n)], name)[1] for n in steps.schedules)
        for depth, run in by_depth.items()
    }
    told = {
        "ours": texts.by_steps(fd, (fewest, usual, most), name),
        "why": f"from {usual} to {most} steps {name} changes by {changes}, and two seeds differ "
        f"by at most {chance:.2f}; by fraction of the possible scales the paper's 6 to 16 steps "
        f"are our {fewest} to {most}",
        "numbers": {name: fd, "luck": by_name},
        "metric_card": by_depth[steps.depths[0]].result[str(most)][0]["card"],
        "runs": [*steps.flex.runs, *by_depth.values()],
        "params": dict(steps.flex.drawing),
    }
    return checks | _more_than_trained(steps, by_depth), told


def same_class(steps: Steps, alike: Run) -> Verdict:
    """FlexVAR figure 13: one class and seed with several numbers of steps."""
    kept = {
        int(count): share for count, share in alike.result.items()
    }  # a record has text for keys
    usual = steps.told[1]
    told = {
        "ours": f"of the samples recognised with {usual} steps, recognised with: "
        + texts.shares({f"{count} steps": share for count, share in kept.items()}),
        "why": "a schedule that differs from the second scale on draws another scene: only class "
        "and seed are shared, not the codes",
        "numbers": {"same class": kept},
        "runs": [*steps.flex.runs, alike],
        "params": dict(steps.flex.drawing),
    }
    most = "most keep their class"
    checks = {f"{n} steps: {most}": share > 0.5 for n, share in kept.items() if n != usual}
    return checks, told


def rows_of_table_2(
    steps: Steps, var: Runs, own: Runs, rivals: Runs, seconds: Run, rival_seconds: Run
) -> list[dict]:
    """Return our rows of FlexVAR table 2: VAR and FlexVAR of each depth, and the rivals; the time of
    VAR of the usual depth is 1.
    """
    flex, rows = steps.flex, []
    trained = len(flex.trained)
    main = flex.task.chain_of(flex.profile).model.depth
    unit = seconds.result[f"VAR, {main}, {trained}"]
    names = (flex.judge.distance, flex.judge.score, "precision", "recall", TAKEN)

    def row(family, model, values, count, time):
        made = {"family": family, "model": model}
        made |= {name: spread(values[str(count)], name)[0] for name in names}
        parameters = f"{values['parameters'] / 1e6:.2f}M"
        return made | {"parameters": parameters, "steps": count, "time": time}

    for depth in steps.depths:
        kinds = [("VAR", var, trained), *(("FlexVAR", own, n) for n in sorted({*steps.told[1:]}))]
        for model, runs, count in kinds:
            time = seconds.result[f"{model}, {depth}, {count}"] / unit
            name = f"{model}, depth {depth}"
            rows.append(row("scaling scan", name, runs[depth].result, count, time))
    for name, run in rivals.items():
        time = rival_seconds.result[name] / rival_seconds.result["VAR"]
        title = f"{name}, depth {main}"
        rows.append(row(FAMILIES[name], title, run.result, run.result["passes"], time))
    return rows


def families(
    steps: Steps, var: Runs, own: Runs, rivals: Runs, ceilings: Runs, times: Sequence[Run]
) -> Verdict:
    """FlexVAR table 2: our two families at equal depths, and rivals of other families."""
    flex, (_, usual, most) = steps.flex, steps.told
    name, fd = flex.judge.distance, distances(steps, own)
    trained = str(len(flex.trained))
    fd_var = {depth: spread(run.result[trained], name)[0] for depth, run in var.items()}
    ceiling = {one: run.result[name] for one, run in ceilings.items()}
    checks = {
        f"depth {depth}: ground truth below residual": fd[depth][usual] < fd_var[depth]
        for depth in steps.depths
    }
    told_depths = [
        f"depth {d}: {fd_var[d]:.2f} / {fd[d][usual]:.2f} / {fd[d][most]:.2f}" for d in steps.depths
    ]
    measured = {one: run.result[str(run.result["passes"])] for one, run in rivals.items()}
    parents = [steps.var.run, steps.var.parents[0].run]
    run, tokenizer_run, judge_run = flex.runs
    told = {
        "ours": f"{name} of VAR / FlexVAR / FlexVAR with more steps: {'; '.join(told_depths)}",
        "why": f"the tokenizers' own reconstructions have {ceiling['VAR']:.2f} (residual) and "
        f"{ceiling['FlexVAR']:.2f} (ground truth), and two seeds differ by at most "
        f"{luck(steps, own):.2f}",
        "numbers": {"VAR": fd_var, "FlexVAR": fd, "ceiling": ceiling} | measured,
        "metric_card": own[steps.depths[0]].result[str(usual)][0]["card"],
        "runs": [
            *(run, tokenizer_run, *parents, judge_run, *own.values(), *var.values()),
            *(*ceilings.values(), *rivals.values(), *times),
        ],
        "params": dict(flex.drawing),
    }
    return checks | _more_than_trained(steps, own), told


def sheet_of_samples(steps: Steps, by_depth: Runs, sizes: Runs) -> Verdict:
    """FlexVAR figure 17: a sheet of samples at the training size."""
    flex, usual = steps.flex, steps.told[1]
    main = flex.task.chain_of(flex.profile).model.depth
    sets = by_depth[main].result[str(usual)]
    share, name = spread(sets, TAKEN)[0], flex.judge.distance
    seen = sizes[flex.side].result
    told = {
        "ours": f"accuracy of the judge on {2 * len(steps.labels)} samples {share:.0%} "
        f"(real scenes {seen['real'][TAKEN]:.0%}, decoded {seen['decoded'][TAKEN]:.0%}); "
        f"{name} {spread(sets, name)[0]:.2f}",
        "numbers": {TAKEN: share},
        "metric_card": sets[0]["card"],
        "runs": [*flex.runs, by_depth[main]],
        "params": dict(flex.drawing),
    }
    return {"the judge recognises the class of most samples": share > 0.5}, told
