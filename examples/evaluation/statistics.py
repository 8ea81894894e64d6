"""From scores and accuracies to what section 4.2 compares: correlation, error and regret."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from examples.evaluation.tasks import Draw

__all__ = ["MEASURES", "RANDOM", "SOURCE", "interval", "judge", "order", "worse"]

RANDOM = "random"
SOURCE = "source accuracy"
Vector = np.ndarray[Any, np.dtype[np.float64]]
MEASURES = ("pearson", "top-1 error", "top-2 error", "regret")


def order(scores: pd.DataFrame, metric: str) -> list[str]:
    """Candidates, best first. Ties are broken as the hub does: by JS divergence, then by name."""
    space = metric.rpartition(" · ")[2]
    tie_break = f"js · {space}" if f"js · {space}" in scores else "js · aligned"
    names = scores.index.to_numpy(dtype=str)
    score, js = (-scores[column].fillna(-np.inf).to_numpy() for column in (metric, tie_break))
    return [str(names[i]) for i in np.lexsort((names, js, score))]


def judge(workload: str, draw: Draw, target: str, scores: pd.DataFrame) -> list[dict[str, Any]]:
    """A row for each outcome and metric of one search.

    pearson: correlation with target accuracy over the candidates. top-1 (top-2) error: 1 where the
    first choice is not the best (one of the two best) candidates. regret: accuracy of the best
    candidate minus that of the first choice, in [0, 1].
    """
    rows = []
    for name, outcome in draw.outcomes.items():
        accuracy = outcome.accuracy.loc[scores.index, target]
        best = accuracy.max()
        second = accuracy.nlargest(2).min()
        known = dict(workload=workload, outcome=name, draw=draw.name, target=target, tune=target in draw.tune)
        ranked = scores.assign(**{SOURCE: outcome.source.reindex(scores.index)}).dropna(axis="columns", how="all")
        for metric in ranked:
            chosen = order(ranked, metric)[0]
            rows.append(
                known
                | {
                    "metric": metric,
                    "chosen": chosen,
                    "pearson": _pearson(ranked[metric].to_numpy(), accuracy.to_numpy()),
                    "top-1 error": float(accuracy[chosen] < best - 1e-12),
                    "top-2 error": float(accuracy[chosen] < second - 1e-12),
                    "regret": best - accuracy[chosen],
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
            }
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


def _by_unit(rows: pd.DataFrame, measure: str) -> pd.Series:
    unit = "draw" if rows["draw"].nunique() > 1 else "target"
    return rows.groupby(unit)[measure].mean()


def _bootstrap(values: Vector, seed: int, resamples: int = 2000) -> tuple[float, float]:
    rng = np.random.default_rng(seed)
    samples = values[rng.integers(0, len(values), size=(resamples, len(values)))].mean(axis=1)
    low, high = np.quantile(samples, [0.025, 0.975])
    return float(low), float(high)
