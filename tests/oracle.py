"""What the hub must answer, by brute force: numpy and scipy, no hashing, no SQL of the hub."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
from scipy.spatial.distance import jensenshannon

Floats = npt.NDArray[np.float64]

BINS, LOW, HIGH = 256, 0.01, 1e9


class Matches(NamedTuple):
    """Pairs (source partition, target partition) with JS <= t, and the JS of the whole datasets."""

    pairs: set[tuple[int, int]]
    js_divergence: float


def number_bins(values: Floats) -> npt.NDArray[np.int64]:
    """The documented range-free binning: equal steps of asinh(x / LOW) up to HIGH, on either side of 0."""
    with np.errstate(over="ignore"):
        steps = np.arcsinh(values / LOW) / math.asinh(HIGH / LOW)
    return np.clip(np.floor(steps * BINS / 2 + BINS / 2), 0, BINS - 1).astype(np.int64)


def partitions(rows: int, size: int, seed: int = 1) -> npt.NDArray[np.int64]:
    """The documented random partition of each row: (i * stride + seed) mod rows, divided by the size."""
    stride = max(1, int(rows * 0.6180339887498949))
    while math.gcd(stride, rows) != 1:
        stride += 1
    return (np.arange(rows) * stride + seed) % rows // size


def histograms(path: str, exclude: tuple[str, ...], size: int) -> dict[str, Floats]:
    """Occurrences of each bin, (partitions, BINS), of each column of a table of finite numbers."""
    table = pq.read_table(path).drop_columns(list(exclude))
    which = partitions(len(table), size)
    result = {}
    for name in table.column_names:
        counted = np.zeros((which.max() + 1, BINS))
        np.add.at(counted, (which, number_bins(table[name].to_numpy().astype(float))), 1)
        result[name] = counted
    return result


def jaccard(p: Floats, q: Floats, replicas: int) -> float:
    """Jaccard similarity of two histograms, each bin replicated round(replicas * sqrt(frequency)) times."""
    a, b = (np.floor(max(replicas, 0.500001 / math.sqrt((x / x.sum()).max())) * np.sqrt(x / x.sum()) + 0.5) for x in (p, q))
    return float(np.minimum(a, b).sum() / np.maximum(a, b).sum())


def distributions(features: list[Floats], sample_space: str) -> Floats:
    """Partitions as distributions over the shared features, (partitions, bins)."""
    if sample_space == "flattened":
        mass = np.sum(features, axis=0)
        return np.asarray(mass / mass.sum(axis=1, keepdims=True))
    return np.concatenate([counted / counted.sum(axis=1, keepdims=True) for counted in features], axis=1) / len(features)


def matches(source: list[Floats], target: list[Floats], sample_space: str, max_js: float) -> Matches:
    """All pairs of partitions compared by scipy."""
    p, q = distributions(source, sample_space), distributions(target, sample_space)
    pairs = {(i, j) for i in range(len(p)) for j in range(len(q)) if jensenshannon(p[i], q[j]) ** 2 <= max_js}
    whole = [distributions([x.sum(axis=0, keepdims=True) for x in side], sample_space)[0] for side in (source, target)]
    return Matches(pairs, float(jensenshannon(*whole) ** 2))
