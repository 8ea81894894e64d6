"""Baselines that need the raw data: maximum mean discrepancy, energy distance, reduced kernel mean embeddings."""

from __future__ import annotations

import re
import warnings
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.cluster.vq import kmeans2
from scipy.spatial.distance import cdist

__all__ = ["Embedding", "energy_distance", "reduced_set"]

ROWS = 500
#: Random Fourier features of MMD, rows of an energy distance, points of a reduced set, bins of words.
FEATURES, ENERGY_ROWS, POINTS, WORDS = 128, 200, 20, 64
Matrix = np.ndarray[Any, np.dtype[np.float64]]


class Embedding:
    """Rows of all tables of a draw in one numeric space: numbers standardised, words hashed; at most 500 rows a table.

    Columns go by their name. MMD: Gretton et al. 2012, by random Fourier features (Rahimi and Recht 2007) of an RBF kernel
    whose width is the median distance. RKME: the kernel mean of each table reduced to 20 points with weights (Wu et al. 2023,
    the learnware specification), compared with the target's rows. Energy distance: Szekely and Rizzo 2013.
    """

    def __init__(self, tables: Mapping[str, pa.Table], seed: int) -> None:
        rng = np.random.default_rng(seed)
        samples = {name: _sample(table, rng) for name, table in tables.items()}
        numbers = sorted({c for sample in samples.values() for c in sample.columns if pd.api.types.is_numeric_dtype(sample[c])})
        matrices = {name: _numeric(sample, numbers) for name, sample in samples.items()}
        stacked = np.concatenate(list(matrices.values()))
        centre, spread = np.nanmean(stacked, axis=0), np.nanstd(stacked, axis=0) + 1e-9
        self._rows = {
            name: np.nan_to_num(np.clip((values - centre) / spread, -10, 10), nan=0.0) for name, values in matrices.items()
        }
        picked = np.concatenate(list(self._rows.values()))
        picked = picked[rng.choice(len(picked), min(400, len(picked)), replace=False)]
        distances = cdist(picked, picked)
        self._width = float(np.median(distances[distances > 0])) if (distances > 0).any() else 1.0
        directions = rng.normal(size=(picked.shape[1], FEATURES)) / self._width
        shifts = rng.uniform(0, 2 * np.pi, FEATURES)
        self._means = {
            name: (np.sqrt(2 / FEATURES) * np.cos(values @ directions + shifts)).mean(axis=0)
            for name, values in self._rows.items()
        }
        self._reduced: dict[str, tuple[Matrix, Matrix]] = {}
        self._seed = seed

    def distances(self, target: str, candidates: Sequence[str]) -> pd.DataFrame:
        """Distances of the target from each candidate, 0 or above: mmd, energy, rkme (that less a constant)."""
        rows = self._rows[target]
        found = {}
        for name in candidates:
            points, weights = self._of(name)
            kernel = _kernel(points, points, self._width)
            found[name] = {
                "mmd": float(np.linalg.norm(self._means[name] - self._means[target])),
                "energy": energy_distance(self._rows[name][:ENERGY_ROWS], rows[:ENERGY_ROWS]),
                "rkme": float(weights @ kernel @ weights - 2 * weights @ _kernel(points, rows, self._width).mean(axis=1)),
            }
        return pd.DataFrame.from_dict(found, orient="index")

    def _of(self, name: str) -> tuple[Matrix, Matrix]:
        if name not in self._reduced:
            self._reduced[name] = reduced_set(self._rows[name], self._width, self._seed)
        return self._reduced[name]


def energy_distance(x: Matrix, y: Matrix) -> float:
    """2 E|X - Y| - E|X - X'| - E|Y - Y'| of the rows of two matrices of one width, over pairs of different rows."""

    def within(rows: Matrix) -> float:
        return float(cdist(rows, rows).sum() / max(1, len(rows) * (len(rows) - 1)))

    return float(2 * cdist(x, y).mean() - within(x) - within(y))


def reduced_set(rows: Matrix, width: float, seed: int) -> tuple[Matrix, Matrix]:
    """At most 20 points and weights whose kernel mean is that of the rows, as nearly as these points can."""
    with warnings.catch_warnings():
        # A cluster without rows is a point like any other.
        warnings.simplefilter("ignore", UserWarning)
        points, _ = kmeans2(rows, min(POINTS, len(rows)), minit="points", iter=10, seed=seed)
    points = np.unique(points, axis=0)
    kernel = _kernel(points, points, width) + 1e-6 * np.eye(len(points))
    return points, np.linalg.solve(kernel, _kernel(points, rows, width).mean(axis=1))


def _kernel(x: Matrix, y: Matrix, width: float) -> Matrix:
    kernel: Matrix = np.exp(-(cdist(x, y) ** 2) / (2 * width**2))
    return kernel


def _sample(table: pa.Table, rng: np.random.Generator) -> pd.DataFrame:
    rows = rng.choice(table.num_rows, min(ROWS, table.num_rows), replace=False)
    frame: pd.DataFrame = table.take(pa.array(rows)).to_pandas()
    return frame


def _numeric(sample: pd.DataFrame, numbers: Sequence[str]) -> Matrix:
    here = {c: pd.to_numeric(sample[c], errors="coerce") if c in sample else np.nan for c in numbers}
    values = pd.DataFrame(here, index=sample.index).to_numpy(dtype=float)
    values = np.sign(values) * np.log1p(np.abs(values))
    values[np.isinf(values)] = 50
    texts = [column for column in sample.columns if column not in numbers]
    words = np.zeros((len(sample), WORDS))
    for column in texts:
        for i, text in enumerate(sample[column].fillna("").astype(str)):
            for word in re.findall(r"\w+", text.lower()):
                words[i, zlib.crc32(word.encode()) % WORDS] += 1
    words /= np.maximum(words.sum(axis=1, keepdims=True), 1)
    return np.concatenate([values, words], axis=1)
