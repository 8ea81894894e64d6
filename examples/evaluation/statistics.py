"""From scores and accuracies to what section 4.2 compares: correlation, error and regret."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from examples.evaluation.scores import with_accuracy
from examples.evaluation.search import Evidence
from examples.evaluation.tasks import Draw

__all__ = [
    "ELSEWHERE",
    "HELD_OUT",
    "MEASURES",
    "RANDOM",
    "SOURCE",
    "difference",
    "interval",
    "judge",
    "order",
    "verdicts",
    "worse",
]

RANDOM = "random"
SOURCE, ELSEWHERE = "source accuracy", "mean accuracy elsewhere"
#: Share of a model's rows that its source accuracy is measured on.
HELD_OUT = 0.3
Vector = np.ndarray[Any, np.dtype[np.float64]]
MEASURES = ("pearson", "top-1 error", "top-2 error", "regret", "regret of 3")


def order(scores: pd.DataFrame, metric: str) -> list[str]:
    """Candidates, best first. Ties are broken as the hub does: by distance, by rows, then by name."""
    names = scores.index.to_numpy(dtype=str)
    score, distance, rows = (
        -scores[column].fillna(-np.inf).round(12).to_numpy() for column in (metric, "distance D", "largest source")
    )
    return [str(names[i]) for i in np.lexsort((names, rows, distance, score))]


def judge(workload: str, draw: Draw, target: str, scores: pd.DataFrame) -> list[dict[str, Any]]:
    """A row for each outcome and ranking of one search.

    pearson: correlation with target accuracy over the candidates. top-1 (top-2) error: 1 where the
    first choice is not the best (one of the two best) candidates. regret: accuracy of the best
    candidate minus that of the first choice, in [0, 1]. regret of 3: minus the best of the first three.
    """
    rows = []
    for name, outcome in draw.outcomes.items():
        accuracy = outcome.accuracy.loc[scores.index, target]
        best = accuracy.max()
        second = accuracy.nlargest(2).min()
        known = dict(workload=workload, outcome=name, draw=draw.name, target=target, tune=target in draw.tune)
        source = outcome.source.reindex(scores.index)
        others = outcome.accuracy.loc[scores.index].drop(columns=target)
        # Not on its own data.
        own = pd.DataFrame(others.index.to_numpy()[:, None] == others.columns.to_numpy()[None, :], others.index, others.columns)
        ranked = pd.concat([with_accuracy(scores, source, HELD_OUT * scores["largest source"]), scores], axis=1)
        ranked = ranked.assign(**{SOURCE: source, ELSEWHERE: others.mask(own).mean(axis=1)})
        for metric in ranked.dropna(axis="columns", how="all"):
            first = order(ranked, metric)
            chosen = first[0]
            rows.append(
                known
                | {
                    "metric": metric,
                    "chosen": chosen,
                    "pearson": _pearson(ranked[metric].to_numpy(), accuracy.to_numpy()),
                    "top-1 error": float(accuracy[chosen] < best - 1e-12),
                    "top-2 error": float(accuracy[chosen] < second - 1e-12),
                    "regret": best - accuracy[chosen],
                    "regret of 3": best - accuracy[first[:3]].max(),
                }
            )
        rows.append(
            known
            | {
                "metric": RANDOM,
                "chosen": "",
                "pearson": np.nan,
                "top-1 error": (accuracy < best - 1e-12).mean(),
                "top-2 error": (accuracy < second - 1e-12).mean(),
                "regret": best - accuracy.mean(),
                "regret of 3": _best_of_three(np.sort(accuracy.to_numpy())),
            }
        )
    return rows


def _best_of_three(ascending: Vector) -> float:
    """Expected regret of the best of three at random."""
    n = len(ascending)
    if n <= 3:
        return 0.0
    ways = np.array([math.comb(i, 2) for i in range(n)]) / math.comb(n, 3)
    return float(ascending[-1] - (ways * ascending).sum())


def verdicts(workload: str, draw: Draw, target: str, evidence: Evidence, chosen: Mapping[str, str]) -> list[dict[str, Any]]:
    """A row for each outcome and judged candidate of one search: its verdict, and what accuracy is lost with it.

    chosen: by outcome, the model that comes first. lost: against the best candidate. below source: against the model's own
    source accuracy.
    """
    found = evidence.models.dropna(subset=["verdict"])
    rows = []
    for name, outcome in draw.outcomes.items():
        accuracy = outcome.accuracy.loc[evidence.models.index, target]
        for model, row in found.iterrows():
            rows.append(
                dict(
                    workload=workload,
                    outcome=name,
                    draw=draw.name,
                    target=target,
                    model=model,
                    verdict=row["verdict"],
                    first=model == chosen[name],
                    excess=row["distance"] - row["expected_distance"],
                    lost=accuracy.max() - accuracy[model],
                    below=outcome.source[model] - accuracy[model],
                    rows=min(evidence.target_rows, row["source_rows"]),
                )
            )
    return rows


def _pearson(scores: Vector, accuracy: Vector) -> float:
    known = np.isfinite(scores) & np.isfinite(accuracy)
    scores, accuracy = scores[known], accuracy[known]
    if len(scores) < 3 or scores.std() < 1e-12 or accuracy.std() < 1e-12:
        return float("nan")
    return float(np.corrcoef(scores, accuracy)[0, 1])


def interval(rows: pd.DataFrame, measure: str, seed: int, resamples: int = 2000) -> tuple[float, float, float]:
    """Mean of a measure and its bootstrap 95 % confidence interval: over draws where a workload has
    several, otherwise over targets."""
    means = _by_unit(rows.dropna(subset=[measure]), measure).to_numpy()
    if not len(means):
        return (float("nan"),) * 3
    low, high = _bootstrap(means, seed, resamples)
    return float(means.mean()), low, high


def worse(rows: pd.DataFrame, others: pd.DataFrame, measure: str, seed: int) -> bool:
    """Whether a metric's mean is above another's by more than chance: the bootstrap 95 % interval of
    their difference over the same draws (or targets) is above 0."""
    difference = (_by_unit(rows, measure) - _by_unit(others, measure)).to_numpy()
    return _bootstrap(difference, seed)[0] > 1e-12


def difference(rows: pd.DataFrame, others: pd.DataFrame | None, chance: pd.DataFrame, seed: int) -> tuple[float, float, float]:
    """Mean over the workloads of the difference of two rankings' regrets, each divided by a random pick's, and its bootstrap
    95 % interval: over the draws (or targets) of each workload. rows, others, chance: of the rankings and of a random pick;
    without others of the first ranking's regret itself."""
    rng = np.random.default_rng(seed)
    means, samples = [], []
    for workload, part in rows.groupby("workload"):
        scale = chance[chance["workload"] == workload].groupby("outcome")["regret"].mean()
        per_outcome = []
        for outcome, own in part.groupby("outcome"):
            regret = _by_unit(own, "regret")
            if others is not None:
                same = (others["workload"] == workload) & (others["outcome"] == outcome)
                regret = regret - _by_unit(others[same], "regret")
            per_outcome.append(regret / scale[outcome])
        # Where one of the two judges no candidate there is no difference.
        values = pd.concat(per_outcome, axis=1).mean(axis=1).dropna().to_numpy()
        means.append(values.mean())
        samples.append(values[rng.integers(0, len(values), size=(2000, len(values)))].mean(axis=1))
    low, high = np.quantile(np.mean(samples, axis=0), [0.025, 0.975])
    return float(np.mean(means)), float(low), float(high)


def _by_unit(rows: pd.DataFrame, measure: str) -> pd.Series:
    unit = "draw" if rows["draw"].nunique() > 1 else "target"
    return rows.groupby(unit)[measure].mean()


def _bootstrap(values: Vector, seed: int, resamples: int = 2000) -> tuple[float, float]:
    rng = np.random.default_rng(seed)
    samples = values[rng.integers(0, len(values), size=(resamples, len(values)))].mean(axis=1)
    low, high = np.quantile(samples, [0.025, 0.975])
    return float(low), float(high)
