"""How good predictions are: a score of labelled rows, its interval, and how many rows would tell two models apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np

from modelhub_sql.hub import Metric

__all__ = ["Score", "fitting_metric", "rows_to_separate", "scored"]

#: The normal quantile of an interval that holds 95 of 100 times.
_Z = 1.959964
_RESAMPLES = 1000
#: So many different whole numbers are classes; more are measured.
_CLASSES = 20


class Score(NamedTuple):
    """value: of the metric. low, high: an interval that holds the value for all rows 95 times of 100."""

    value: float
    low: float
    high: float


def fitting_metric(labels: Sequence[Any]) -> Metric:
    """The metric for labels: r2 for numbers that are measured, accuracy for classes."""
    numbers = all(isinstance(label, (int, float, Decimal)) and not isinstance(label, bool) for label in labels)
    if not numbers:
        return "accuracy"
    whole = all(float(label).is_integer() for label in labels)
    return "accuracy" if whole and len(set(labels)) <= min(_CLASSES, max(2, len(labels) // 2)) else "r2"


def scored(metric: Metric, labels: Sequence[Any], predictions: Sequence[Any]) -> Score:
    """The score of predictions of the same rows as the labels.

    accuracy: share of the rows that are right, with Wilson's interval. f1: mean over the classes of 2 tp / (2 tp + fp + fn).
    r2: share of the variance of the labels that is explained, at most 1. f1 and r2 with an interval of the bootstrap.
    Raises ValueError where a prediction is no number (r2).
    """
    truth, told = _comparable(metric, labels, predictions)
    value = _value(metric, truth, told)
    if metric == "accuracy":
        return Score(value, *_wilson(value, len(truth)))
    values = [_value(metric, truth[rows], told[rows]) for rows in _resamples(len(truth))]
    low, high = np.nanquantile(values, [0.025, 0.975])
    return Score(value, float(low), float(high))


def rows_to_separate(metric: Metric, labels: Sequence[Any], first: Sequence[Any], second: Sequence[Any]) -> int | None:
    """About how many labelled rows it takes until the interval of the difference of two models is on one side of 0.

    The models are compared row by row: what is hard for both does not count. At most len(labels) where they are told apart
    already; None where they are equally good on these rows.
    """
    truth, one = _comparable(metric, labels, first)
    _, other = _comparable(metric, labels, second)
    difference = _value(metric, truth, one) - _value(metric, truth, other)
    if not difference or math.isnan(difference):
        return None
    if metric == "accuracy":
        each = (one == truth).astype(float) - (other == truth).astype(float)
        error = float(each.std(ddof=1)) / math.sqrt(len(truth)) if len(truth) > 1 else 0.0
    else:
        error = float(
            np.nanstd([_value(metric, truth[r], one[r]) - _value(metric, truth[r], other[r]) for r in _resamples(len(truth))])
        )
    needed = max(1, math.ceil(len(truth) * (_Z * error / difference) ** 2))
    if metric == "accuracy" and needed <= len(truth):
        right, wrong = int((each > 0).sum()), int((each < 0).sum())
        if _by_chance(right, wrong) >= 0.05:
            # Few rows differ, all one way perhaps: their spread says nothing. Six that do are beyond chance.
            needed = max(len(truth) + 1, math.ceil(6 * len(truth) / (right + wrong)))
    return needed


def _by_chance(first: int, second: int) -> float:
    """How often so uneven a share of rows comes by chance (the sign test, two-sided, exact)."""
    both = first + second
    return min(1.0, 2 * sum(math.comb(both, each) for each in range(min(first, second) + 1)) / float(2**both))


def _comparable(metric: Metric, labels: Sequence[Any], predictions: Sequence[Any]) -> tuple[Any, Any]:
    if metric == "r2":
        try:
            return np.asarray(labels, dtype=float), np.asarray(predictions, dtype=float)
        except (TypeError, ValueError) as error:
            raise ValueError(f"r2 compares numbers: {error}") from error
    # 1, 1.0, True and '1' are one class: what a csv and a model call it.
    return np.array([_class(each) for each in labels]), np.array([_class(each) for each in predictions])


def _class(value: Any) -> str:
    if isinstance(value, (bool, int, float)):
        return f"{float(value):.12g}"
    text = str(value)
    if text.casefold() in ("true", "false"):
        return "1" if text.casefold() == "true" else "0"
    try:
        return f"{float(text):.12g}"
    except ValueError:
        return text


def _value(metric: Metric, truth: Any, told: Any) -> float:
    if metric == "accuracy":
        return float((truth == told).mean())
    if metric == "r2":
        spread = float(((truth - truth.mean()) ** 2).sum())
        return 1 - float(((truth - told) ** 2).sum()) / spread if spread else math.nan
    classes = np.unique(np.concatenate([truth, told]))
    hits = [2 * ((truth == each) & (told == each)).sum() / ((truth == each).sum() + (told == each).sum()) for each in classes]
    return float(np.mean(hits))


def _wilson(share: float, rows: int) -> tuple[float, float]:
    """Wilson 1927: the shares that would give this one within 95 of 100 samples."""
    centre = (share + _Z**2 / (2 * rows)) / (1 + _Z**2 / rows)
    width = _Z / (1 + _Z**2 / rows) * math.sqrt(share * (1 - share) / rows + _Z**2 / (4 * rows**2))
    return max(0.0, centre - width), min(1.0, centre + width)


def _resamples(rows: int) -> Any:
    return np.random.default_rng(1).integers(rows, size=(_RESAMPLES, rows))
