"""From how many targets on does a hub know better than the package how much accuracy a verdict costs?

    python examples/measurements/outcomes.py --data data [--cache DIR] [--only WORKLOAD ...] [--targets 10]

The models, targets and searches are those of ``examples/evaluation``. A workload plays a hub: of some of its targets the first
five models are measured on 50 labelled rows each, as ``modelhub try --record`` does. What is recorded then guesses what the
first five models lose on the other targets, by verdict. It is compared with the package's guess: the mean of all *other*
workloads.

Written to results/outcomes.md: the root of the mean squared error of each guess, divided by the package's.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[2]))

from examples.evaluation.__main__ import chosen, gather
from examples.evaluation.tasks import Context, MissingData
from examples.evaluation.workloads import WORKLOADS

#: Labelled rows, models tried of each target, times that targets are drawn.
LABELLED, FIRST, DRAWS = 50, 5, 200
RECORDED = (1, 2, 3, 5, 8)

#: A guess: from what was recorded (target, verdict, measured, package) and the package's mean of a verdict, that of the hub.
Guess = Callable[[pd.DataFrame, str, float], float]


def _by_target(recorded: pd.DataFrame, verdict: str) -> pd.Series:
    return recorded[recorded["verdict"] == verdict].groupby("target")["measured"].mean()


def own_mean(recorded: pd.DataFrame, verdict: str, package: float) -> float:
    found = _by_target(recorded, verdict)
    return float(found.mean()) if len(found) else package


def weighed(strength: float) -> Guess:
    def guess(recorded: pd.DataFrame, verdict: str, package: float) -> float:
        found = _by_target(recorded, verdict)
        return float((found.sum() + strength * package) / (len(found) + strength))

    return guess


def shifted(strength: float) -> Guess:
    """All verdicts by one number."""

    def guess(recorded: pd.DataFrame, verdict: str, package: float) -> float:
        found = (recorded["measured"] - recorded["package"]).groupby(recorded["target"]).mean()
        return float(package + found.sum() / (len(found) + strength))

    return guess


def at_least(targets: int) -> Guess:
    def guess(recorded: pd.DataFrame, verdict: str, package: float) -> float:
        found = _by_target(recorded, verdict)
        return float(found.mean()) if len(found) >= targets else package

    return guess


GUESSES: dict[str, Guess] = {
    "mean": own_mean,
    "mean of 3 targets or more": at_least(3),
    "mean of 5 or more": at_least(5),
    **{f"weighed, {strength}": weighed(strength) for strength in (1, 2, 4, 8)},
    **{f"shifted, {strength}": shifted(strength) for strength in (1, 2, 4)},
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
    if tried.empty or tried["workload"].nunique() < 2:
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
            for target, evidence in gather(context, draw).items():
                first = evidence.models.dropna(subset=["verdict"]).sort_values("fit_score").head(FIRST)
                for outcome, measured in draw.outcomes.items():
                    for model, row in first.iterrows():
                        rows.append(
                            dict(
                                workload=f"{name}, {outcome}",
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
    """Squared errors of each guess, by workload and targets recorded."""
    tried = tried.assign(lost=tried["source"] - tried["accuracy"])
    random = np.random.default_rng(1)
    found = []
    for workload, hub in tried.groupby("workload"):
        elsewhere = tried[tried["workload"] != workload].groupby(["workload", "verdict"])["lost"].mean().groupby("verdict").mean()
        hub = hub.assign(package=hub["verdict"].map(elsewhere)).dropna(subset=["package"])
        names = hub["target"].unique()
        for count in RECORDED:
            if len(names) < count + 2:
                continue
            for _ in range(DRAWS):
                of = random.choice(names, count, replace=False)
                recorded = hub[hub["target"].isin(of)]
                measured = random.binomial(LABELLED, recorded["accuracy"].clip(0, 1)) / LABELLED
                recorded = recorded.assign(measured=recorded["source"] - measured)
                rest = hub[~hub["target"].isin(of)]
                # What is guessed is the mean of a verdict, target by target.
                truth = rest.groupby(["verdict", "target"])["lost"].mean()
                for verdict in truth.index.unique("verdict"):
                    package = float(elsewhere[verdict])
                    values = {"package": package} | {name: guess(recorded, verdict, package) for name, guess in GUESSES.items()}
                    for name, value in values.items():
                        error = float(((truth[verdict] - value) ** 2).mean())
                        found.append(dict(workload=workload, targets=count, verdict=verdict, guess=name, error=error))
    return pd.DataFrame(found)


def report(found: pd.DataFrame, tried: pd.DataFrame) -> str:
    """The page: each guess's error divided by the package's, the mean over the workloads."""
    roots = np.sqrt(found.groupby(["targets", "workload", "guess"])["error"].mean()).unstack("guess")
    ratio = roots.div(roots["package"], axis=0)
    means = ratio.groupby("targets").mean().T.reindex(["package", *GUESSES])
    worst = ratio.groupby("targets").quantile(0.9).T.reindex(["package", *GUESSES])
    head = ["guess", *(f"{count}" for count in means.columns)]
    lines = [
        "# How much does a verdict cost in this hub?",
        "",
        f"Written by `python examples/measurements/outcomes.py`: {tried['workload'].nunique()} hubs (a workload and a kind of",
        f"model each), the first {FIRST} models of a target measured on {LABELLED} rows. Error of each guess of what a model",
        "of a verdict loses on another target, divided by that of the package's guess; columns are targets recorded.",
        "",
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
        *(f"| {name} | " + " | ".join(f"{value:.2f}" for value in row) + " |" for name, row in means.iterrows()),
        "",
        "The same, of the tenth of the hubs where the guess does worst:",
        "",
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
        *(f"| {name} | " + " | ".join(f"{value:.2f}" for value in row) + " |" for name, row in worst.iterrows()),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    warnings.simplefilter("ignore", RuntimeWarning)
    sys.exit(main())
