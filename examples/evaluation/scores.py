"""All rankings of one search, from its evidence: for each candidate model, the greater the better."""

from __future__ import annotations

import numpy as np
import pandas as pd

from examples.evaluation.search import Evidence

__all__ = ["ALTERNATIVE", "DEFAULT", "NEAR", "QUALITY", "accuracy_bound", "scores", "with_accuracy"]

#: What find_models ranks by, and the study's other candidate for it.
DEFAULT, ALTERNATIVE = "score", "A: bin by bin unbiased"
#: How much an accuracy weighs in both where the data is the same, and at what distance a third of that is left.
QUALITY, NEAR = 0.25, 0.03
UNKNOWN = 0.5


def scores(evidence: Evidence) -> pd.DataFrame:
    """A row a candidate, a column a ranking, no accuracy known."""
    found = evidence.models
    rows, features = found["source_rows"], found["features"]
    too_few = 3 / np.sqrt(rows * np.sqrt(features))
    excess = found["distance"] - found["expected_distance"]
    rankings = {
        f"{DEFAULT}, no accuracy": -found["fit_score"],
        "score without rows": -_root(found["judged_distance"]),
        f"{ALTERNATIVE}, no accuracy": -_root(found["unbiased"]) - too_few,
        "README fit": -_root(found["readme"]) * features**0.375 - 4 / np.sqrt(rows),
        "distance D": -found["distance"],
        "excess D - E": -excess,
        "D - E, rows": -_root(excess) - too_few,
        "JS": -found["js_divergence"],
        "JS, rows": -_root(found["js_divergence"]) - too_few,
        "adaptivity": found["adaptivity"],
        "coverage": found["coverage"],
        "KL target, source": -found["kl_target_source"],
        "KL source, target": -found["kl_source_target"],
        "L2 of centres": -found["l2_distance"],
    }
    for rival in ("mmd", "energy", "rkme"):
        if rival in found:
            rankings[f"raw rows: {rival}"] = -found[rival]
    rankings["largest source"] = rows
    return pd.DataFrame(rankings, index=found.index).astype(float)


def with_accuracy(rankings: pd.DataFrame, accuracy: pd.Series, rows: pd.Series) -> pd.DataFrame:
    """The default and its alternative where each model's accuracy on so many rows is known (NaN: not), and other forms.

    Their names say what is added to ``fit_score``, of which less is better; a is the lower bound of the accuracy.
    """
    bound, estimate = accuracy_bound(accuracy, rows).fillna(UNKNOWN), accuracy.fillna(UNKNOWN)
    near = QUALITY * np.exp(-(rankings["score without rows"] ** 2) / NEAR)
    known = {name: rankings[f"{name}, no accuracy"] + near * (bound - UNKNOWN) for name in (DEFAULT, ALTERNATIVE)}
    # Less what a model without accuracy has for it.
    score = rankings[f"{DEFAULT}, no accuracy"] + QUALITY * UNKNOWN
    return pd.DataFrame(
        known
        | {
            f"{DEFAULT} - 0.1 a": score + 0.1 * bound,
            f"{DEFAULT} - 0.05 a": score + 0.05 * bound,
            f"{DEFAULT} - 0.1 accuracy": score + 0.1 * estimate,
            f"{DEFAULT} - 0.1 upper bound": score + 0.1 * accuracy_bound(accuracy, rows, upper=True).fillna(UNKNOWN),
            f"{DEFAULT} - 0.1 accuracy n/(n + 100)": score + 0.1 * (estimate - UNKNOWN) * rows / (rows + 100),
            f"{DEFAULT} + 0.2 (1 - a)^2": score - 0.2 * (1 - bound) ** 2,
            f"{DEFAULT} + 0.2 max(0, 0.5 - a)": score - 0.2 * (0.5 - bound).clip(lower=0),
            f"{DEFAULT} x (1.15 - 0.3 a)": score * (1.15 - 0.3 * bound),
            f"{DEFAULT} in steps of 0.02, then a": (score / 0.02).round() + 1e-3 * bound,
        }
    )


def accuracy_bound(accuracy: pd.Series, n: pd.Series, upper: bool = False) -> pd.Series:
    """Lower (upper) end of the 95 % Wilson interval of an accuracy on n rows, as ``_logic.accuracy_bound``."""
    z = -1.96 if upper else 1.96
    half = z * np.sqrt(accuracy * (1 - accuracy) / n + z**2 / (4 * n**2))
    bound: pd.Series = (accuracy + z**2 / (2 * n) - half) / (1 + z**2 / n)
    return bound


def _root(distance: pd.Series) -> pd.Series:
    root: pd.Series = np.sqrt(distance.clip(lower=0))
    return root
