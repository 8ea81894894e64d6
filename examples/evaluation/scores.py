"""All metrics of one search, from its evidence: for each candidate model, the greater the better."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from examples.evaluation.search import Evidence, InSpace, Matrix, auto_threshold

__all__ = ["QUANTILES", "disagreement", "scores"]

QUANTILES = (0.02, 0.05, 0.1, 0.25, 0.5)


def scores(evidence: Evidence) -> pd.DataFrame:
    """A row a candidate, a column a metric."""
    columns: dict[str, pd.Series] = {}
    for space, inside in evidence.spaces.items():
        found = inside.found
        metrics = {
            "adaptivity auto": found["adaptivity"],
            "adaptivity auto, LSH": inside.found_lsh["adaptivity"],
            "coverage auto": found["coverage"],
            "js": -found["js_divergence"],
            "js, LSH": inside.js_collisions,
            "kl target|source": -found["kl_target_source"],
            "kl source|target": -found["kl_source_target"],
        }
        metrics |= _of_pairs(inside, evidence)
        columns |= {f"{metric} · {space}": values for metric, values in metrics.items()}
        columns["l2 of centres"] = -found["l2_distance"]
    columns["l2 of centres, LSH"] = evidence.l2_collisions
    columns["jaccard"] = evidence.jaccard
    columns["mmd"] = -evidence.mmd
    columns["source rows"] = evidence.rows
    return pd.DataFrame(columns, index=evidence.rows.index)


def disagreement(evidence: Evidence) -> float:
    """The largest difference between an adaptivity counted from all pair divergences and the one
    that find_models returns; 0 expected."""
    largest = 0.0
    for inside in evidence.spaces.values():
        for model, divergences in inside.pairs.items():
            low, high = ((divergences <= inside.threshold + margin).sum() / len(divergences) for margin in (-1e-9, 1e-9))
            found = float(inside.found["adaptivity"].fillna(0)[model])
            largest = max(largest, low - found, found - high)
    return largest


def _of_pairs(inside: InSpace, evidence: Evidence) -> dict[str, pd.Series]:
    pairs, floor = inside.pairs, inside.floor

    def each(score: Callable[[Matrix], Any]) -> pd.Series:
        return pd.Series({model: float(score(pairs[model])) if model in pairs else np.nan for model in evidence.rows.index})

    metrics: dict[str, pd.Series] = {}
    for quantile in QUANTILES:
        t = auto_threshold(pairs, quantile, floor)
        metrics[f"adaptivity {quantile:.0%}"] = each(lambda d, t=t: (d <= t).sum() / len(d))
        metrics[f"coverage {quantile:.0%}"] = each(lambda d, t=t: (d <= t).any(axis=1).mean())
    t = inside.threshold
    metrics["adaptivity per source partition auto"] = each(lambda d: (d <= t).mean())
    return metrics
