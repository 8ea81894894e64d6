"""From how many targets on does a hub know better than the package how much accuracy a verdict costs?

    python examples/measurements/outcomes.py --data data [--cache DIR] [--only WORKLOAD ...] [--targets 10]

The models, targets and searches are those of ``examples/evaluation``. A workload plays a hub: of some of its targets the first
five models are measured on 50 labelled rows each, as ``modelhub try --record`` does. What is recorded then guesses what the
first five models lose on the other targets, by verdict. It is compared with the package's guess: the mean of all workloads of
other tables.

Written to results/outcomes.md: the root of the mean squared error of each guess, divided by the package's.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[2]))

from examples.evaluation.__main__ import chosen, gather
from examples.evaluation.tasks import Context, MissingData
from examples.evaluation.workloads import WORKLOADS

#: Labelled rows, models tried of each target, times that targets are drawn.
LABELLED, FIRST, DRAWS = 50, 5, 200
#: Targets that are tried, and groups of how many of them had a model of the verdict.
RECORDED = (1, 2, 3, 4, 5, 6, 8)
GROUPS = {"1": (1, 1), "2": (2, 2), "3": (3, 3), "4": (4, 4), "5 to 8": (5, 8)}

Vector = np.ndarray[Any, np.dtype[np.float64]]

#: A guess of what a verdict costs: from what was lost on each target where it was measured, how much more than the package
#: guesses was lost on each target whatever the verdict, and the package's guess.
Guess = Callable[[Vector, Vector, float], float]


def own_mean(lost: Vector, more: Vector, package: float) -> float:
    return float(lost.mean())


def weighed(strength: float) -> Guess:
    """The mean, the package's guess counting as so many targets."""
    return lambda lost, more, package: float((lost.sum() + strength * package) / (len(lost) + strength))


def shifted(strength: float) -> Guess:
    """The package's guess, all verdicts moved by one number."""
    return lambda lost, more, package: float(package + more.sum() / (len(more) + strength))


GUESSES: dict[str, Guess] = {
    "mean": own_mean,
    **{f"weighed, {strength}": weighed(strength) for strength in (1, 2, 4, 8)},
    **{f"shifted, {strength}": shifted(strength) for strength in (1, 2, 4, 8)},
}


def main(arguments: list[str] | None = None) -> int:
    """Measure and write; returns 0, or 1 where no data is there."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--cache", type=Path, help="of the evaluation: trained models' accuracies and searches")
    parser.add_argument("--only", nargs="+", choices=sorted(WORKLOADS))
    parser.add_argument("--targets", type=int, default=10, help="at most so many targets of each workload")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args(arguments)
    context = Context(options.data, cache=options.cache)
    tried = pd.DataFrame([row for name in options.only or WORKLOADS for row in tries(context, name, options.targets)])
    if tried.empty or tried["hub"].nunique() < 2:
        print("nothing to report: fewer than two workloads have their data", file=sys.stderr)
        return 1
    page = report(errors(tried), tried)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "outcomes.md").write_text(page)
    print(page)
    return 0


def tries(context: Context, name: str, targets: int) -> list[dict[str, object]]:
    """The first models of each search of a workload: verdict, accuracy, and what it is below that of the model's own data."""
    rows: list[dict[str, object]] = []
    try:
        for draw in chosen(WORKLOADS[name](context), targets, True):
            for target, evidence in gather(context, draw, rivals=False).items():
                first = evidence.models.dropna(subset=["verdict"]).sort_values("fit_score").head(FIRST)
                for outcome, measured in draw.outcomes.items():
                    if "F1" in outcome:
                        continue
                    for model, row in first.iterrows():
                        rows.append(
                            dict(
                                hub=f"{name}, {outcome}",
                                # Pools are of the tables of another workload.
                                tables=name.removeprefix("pool_").partition("_")[0],
                                target=f"{draw.name} {target}",
                                verdict=row["verdict"],
                                source=measured.source[model],
                                accuracy=measured.accuracy.loc[model, target],
                            )
                        )
    except MissingData as missing:
        print(f"{name}: skipped, {missing}", file=sys.stderr)
    return rows


def errors(tried: pd.DataFrame) -> pd.DataFrame:
    """The mean squared error of the package's guess and of each other, by hub, verdict and group of targets recorded of it."""
    tried = tried.assign(lost=tried["source"] - tried["accuracy"])
    random = np.random.default_rng(1)
    found: dict[tuple[str, str, str], list[list[float]]] = {}
    for name, hub in tried.groupby("hub"):
        # What is known elsewhere is not of the same tables, whatever the model.
        others = tried[tried["tables"] != hub["tables"].iloc[0]].groupby(["hub", "verdict"])["lost"].mean()
        elsewhere = others.groupby("verdict").mean()
        hub = hub[hub["verdict"].isin(elsewhere.index)]
        target, targets = pd.factorize(hub["target"])
        verdict, verdicts = pd.factorize(hub["verdict"])
        package = elsewhere[verdicts].to_numpy()
        source, accuracy = (hub[column].to_numpy() for column in ("source", "accuracy"))
        shape = (len(targets), len(verdicts))
        truth = _means(target, verdict, source - accuracy, shape)
        for count in RECORDED:
            if len(targets) < count + 2:
                continue
            for _ in range(DRAWS):
                is_tried = np.zeros(len(targets), dtype=bool)
                is_tried[random.choice(len(targets), count, replace=False)] = True
                measured = source - random.binomial(LABELLED, accuracy.clip(0, 1)) / LABELLED
                seen = _means(target, verdict, measured, shape)[is_tried]
                more = _means(target, np.zeros_like(verdict), measured - package[verdict], (len(targets), 1))[is_tried, 0]
                for v, each in enumerate(verdicts):
                    lost, rest = (column[~np.isnan(column)] for column in (seen[:, v], truth[~is_tried, v]))
                    group = next((group for group, (low, high) in GROUPS.items() if low <= len(lost) <= high), None)
                    if group is None or not len(rest):
                        continue
                    values = [package[v], *(guess(lost, more, package[v]) for guess in GUESSES.values())]
                    found.setdefault((name, each, group), []).append([float(((rest - value) ** 2).mean()) for value in values])
    return pd.DataFrame(
        [
            dict(hub=hub, verdict=verdict, targets=group) | dict(zip(("package", *GUESSES), np.mean(all_, axis=0), strict=True))
            for (hub, verdict, group), all_ in found.items()
        ]
    )


def _means(rows: Vector, columns: Vector, values: Vector, shape: tuple[int, int]) -> Vector:
    """The mean of the values of each cell of a table, NaN where there are none; rows, columns: of each value."""
    cell = rows * shape[1] + columns
    size = shape[0] * shape[1]
    with np.errstate(invalid="ignore"):
        means: Vector = np.bincount(cell, values, size) / np.bincount(cell, minlength=size)
    return means.reshape(shape)


PAGE = """# How much does a verdict cost in this hub?

Written by `python examples/measurements/outcomes.py`: {hubs} hubs (a workload and a kind of model each), at most {targets}
targets of each. On some targets the first {first} models are measured, on {labelled} rows; what a model of a verdict loses on the
others is guessed. In the tables is the error (root of the mean square) of a guess divided by that of the package's guess, which
is the mean of the hubs of other tables. Columns: how many of the measured targets had a model of the verdict.

- *mean*: of the targets;
- *weighed, 2*: the same, with the package's guess as two targets more;
- *shifted, 2*: the package's guess, moved for all verdicts by the mean of what the targets lost more; two more lose as guessed.

The mean of hubs and verdicts:

{means}

The tenth of hubs and verdicts where a guess does worst begins at:

{worst}

Hubs and verdicts: {counts}. Accuracy that the first models lost, the mean of the hubs: {lost}.
"""


def report(found: pd.DataFrame, tried: pd.DataFrame) -> str:
    """The page: each guess's error divided by the package's, of all hubs and of those where the guess does worst."""
    names = ["package", *GUESSES]
    columns = [group for group in GROUPS if group in set(found["targets"])]
    roots = found.set_index(["hub", "verdict", "targets"])[names].pow(0.5)
    ratio = roots.div(roots["package"], axis=0).groupby("targets")
    lost = (
        tried.assign(lost=tried["source"] - tried["accuracy"])
        .groupby(["hub", "verdict"])["lost"]
        .mean()
        .groupby("verdict")
        .mean()
    )

    def table(values: pd.DataFrame) -> str:
        rows = [[name, *(f"{values.loc[group, name]:.2f}" for group in columns)] for name in names]
        return "\n".join("| " + " | ".join(row) + " |" for row in (["guess", *columns], ["---"] * (len(columns) + 1), *rows))

    return PAGE.format(
        hubs=tried["hub"].nunique(),
        targets=tried.groupby("hub")["target"].nunique().max(),
        first=FIRST,
        labelled=LABELLED,
        means=table(ratio.mean()),
        worst=table(ratio.quantile(0.9)),
        counts=", ".join(f"{group}: {(found['targets'] == group).sum()}" for group in columns),
        lost=", ".join(f"*{each}* {lost[each]:.2f}" for each in ("same", "close", "partly", "far") if each in lost),
    )


if __name__ == "__main__":
    warnings.simplefilter("ignore", RuntimeWarning)
    sys.exit(main())
