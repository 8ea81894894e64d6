"""From scores and accuracies to what section 4.2 compares: correlation, error and regret."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from examples.evaluation.tasks import Draw, Outcome

__all__ = ["MEASURES", "RANDOM", "SOURCE", "interval", "judge", "order"]

RANDOM = "random"
SOURCE = "source accuracy"
MEASURES = ("pearson", "top-1 error", "top-2 error", "regret")


def order(scores: pd.DataFrame, metric: str) -> list[str]:
    """Candidates, best first. Ties are broken as the hub does: by JS divergence, then by name."""
    space = metric.rpartition(" · ")[2]
    tie_break = f"js · {space}" if f"js · {space}" in scores else "js · aligned"
    frame = pd.DataFrame({"score": scores[metric], "js": scores[tie_break], "name": scores.index})
    frame = frame.sort_values(["score", "js", "name"], ascending=[False, False, True], na_position="last")
    return [str(name) for name in frame["name"]]


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
        for metric, ranked in {**{m: scores[m] for m in scores}, SOURCE: _source(outcome, scores)}.items():
            if ranked.isna().all():
                continue
            chosen = order(scores.assign(**{SOURCE: ranked}), metric)[0]
            rows.append(
                known
                | {
                    "metric": metric,
                    "chosen": chosen,
                    "pearson": _pearson(ranked, accuracy),
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


def _source(outcome: Outcome, scores: pd.DataFrame) -> pd.Series:
    return outcome.source.reindex(scores.index)


def _pearson(scores: pd.Series, accuracy: pd.Series) -> float:
    both = pd.DataFrame({"score": scores, "accuracy": accuracy}).replace([np.inf, -np.inf], np.nan).dropna()
    if len(both) < 3 or both["score"].std() < 1e-12 or both["accuracy"].std() < 1e-12:
        return float("nan")
    return float(both["score"].corr(both["accuracy"]))


def interval(rows: pd.DataFrame, measure: str, seed: int, resamples: int = 2000) -> tuple[float, float, float]:
    """Mean of a measure and its bootstrap 95 % confidence interval: over draws where a workload has
    several, otherwise over targets."""
    rows = rows.dropna(subset=[measure])
    if rows.empty:
        return (float("nan"),) * 3
    unit = "draw" if rows["draw"].nunique() > 1 else "target"
    means = rows.groupby(unit)[measure].mean().to_numpy()
    rng = np.random.default_rng(seed)
    samples = means[rng.integers(0, len(means), size=(resamples, len(means)))].mean(axis=1)
    low, high = np.quantile(samples, [0.025, 0.975])
    return float(means.mean()), float(low), float(high)
