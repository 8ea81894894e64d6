"""All metrics of one search, from its evidence: for each candidate model, the greater the better."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from examples.evaluation.search import FLOORS, Evidence, InSpace, Matrix, auto_quantile, auto_threshold

__all__ = ["QUANTILES", "disagreement", "scores"]

QUANTILES = (0.02, 0.05, 0.1, 0.25, 0.5)


def scores(evidence: Evidence) -> pd.DataFrame:
    """A row a candidate, a column a metric."""
    columns: dict[str, pd.Series] = {}
    for space, inside in evidence.spaces.items():
        found = inside.found
        metrics = {
            "js": -found["js_divergence"],
            "kl target|source": -found["kl_target_source"],
            "kl source|target": -found["kl_source_target"],
            "kl both": -found["kl_target_source"] - found["kl_source_target"],
        }
        if inside.found_lsh is not None:
            metrics["adaptivity auto, LSH"] = inside.found_lsh["adaptivity"]
        if inside.js_collisions is not None:
            metrics["js, LSH"] = inside.js_collisions
        metrics |= _of_pairs(inside, evidence)
        for cost in (0.1, 0.5):
            metrics[f"js, size {cost}"] = metrics["js"] * (1 + cost / np.sqrt(evidence.rows / 500))
        columns |= {f"{metric} · {space}": values for metric, values in metrics.items()}
        columns["l2 of centres"] = -found["l2_distance"]
    columns["l2 of centres, LSH"] = evidence.l2_collisions
    columns["jaccard"] = evidence.jaccard
    columns["mmd"] = -evidence.mmd
    columns["source rows"] = evidence.rows
    columns["ranks of js and jaccard"] = columns["js · aligned"].rank() + evidence.jaccard.rank()
    columns["median js of features"] = -evidence.features.median(axis=1)
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

    def each(score: Callable[[Matrix, float], Any], t: float = 1.0) -> pd.Series:
        found = {model: float(score(divergences, t)) for model, divergences in pairs.items()}
        return pd.Series(found, dtype=float).reindex(evidence.rows.index)

    def adaptivity(d: Matrix, t: float) -> Any:
        return (d <= t).sum() / len(d)

    def coverage(d: Matrix, t: float) -> Any:
        return (d <= t).any(axis=1).mean()

    def fit(d: Matrix, t: float) -> Any:
        # Adaptivity, averaged over all thresholds from 0 to t.
        return np.maximum(0, 1 - d / t).sum() / len(d)

    auto = auto_quantile(len(pairs))
    partitions = each(lambda d, _: d.shape[1])
    metrics: dict[str, pd.Series] = {}
    for multiple in (0.0, 0.5, 1.0, 2.0):
        t = auto_threshold(pairs, auto, multiple * floor)
        name = "auto" if multiple == FLOORS else f"auto, {multiple:g} floors"
        metrics[f"adaptivity {name}"] = each(adaptivity, t)
        metrics[f"coverage {name}"] = each(coverage, t)
        metrics[f"fit {name}"] = each(fit, t)
    thresholds = {f"{quantile:.0%}": auto_threshold(pairs, quantile, 0) for quantile in QUANTILES}
    for name, t in thresholds.items():
        metrics[f"adaptivity {name}"] = each(adaptivity, t)
        metrics[f"coverage {name}"] = each(coverage, t)
        metrics[f"fit {name}"] = each(fit, t)
        metrics[f"adaptivity per source partition {name}"] = each(adaptivity, t) / partitions
        metrics[f"fit per root of source partitions {name}"] = each(fit, t) / np.sqrt(partitions)
    metrics["adaptivity, mean of thresholds"] = sum(each(adaptivity, t) for t in thresholds.values()) / len(thresholds)
    for nearest in (1, 3, 5):
        metrics[f"nearest {nearest}"] = -each(lambda d, k: np.sort(d, axis=1)[:, : int(k)].mean(), nearest)
    metrics["soft adaptivity"] = each(lambda d, t: np.exp(-d / t).sum(axis=1).mean(), thresholds["10%"])
    metrics["mean pair js"] = -each(lambda d, _: d.mean())
    return metrics
