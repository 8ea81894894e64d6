"""Maximum mean discrepancy with random Fourier features, as a baseline that needs the raw data."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

__all__ = ["Embedding"]

ROWS = 500
FEATURES = 128
WORDS = 64
Matrix = np.ndarray[Any, np.dtype[np.float64]]


class Embedding:
    """Rows of all tables of a draw in one numeric space: numbers standardised, words hashed.

    Gretton et al. 2012 (MMD), Rahimi and Recht 2007 (random Fourier features); an RBF kernel whose
    width is the median distance; at most 500 rows a table. Columns go by their name.
    """

    def __init__(self, tables: Mapping[str, pa.Table], seed: int) -> None:
        rng = np.random.default_rng(seed)
        samples = {name: _sample(table, rng) for name, table in tables.items()}
        numbers = sorted({c for sample in samples.values() for c in sample.columns if pd.api.types.is_numeric_dtype(sample[c])})
        matrices = {name: _numeric(sample, numbers) for name, sample in samples.items()}
        stacked = np.concatenate(list(matrices.values()))
        centre, spread = stacked.mean(axis=0), stacked.std(axis=0) + 1e-9
        matrices = {name: np.clip((values - centre) / spread, -10, 10) for name, values in matrices.items()}
        picked = np.concatenate(list(matrices.values()))
        picked = picked[rng.choice(len(picked), min(400, len(picked)), replace=False)]
        distances = ((picked[:, None, :] - picked[None, :, :]) ** 2).sum(axis=2)
        width = np.sqrt(np.median(distances[distances > 0])) if (distances > 0).any() else 1.0
        directions = rng.normal(size=(picked.shape[1], FEATURES)) / width
        shifts = rng.uniform(0, 2 * np.pi, FEATURES)
        self._means = {
            name: (np.sqrt(2 / FEATURES) * np.cos(values @ directions + shifts)).mean(axis=0) for name, values in matrices.items()
        }

    def mmd(self, target: str, candidates: Sequence[str]) -> pd.Series:
        """Distance of the mean embeddings of the target and each candidate, 0 or above."""
        return pd.Series({name: float(np.linalg.norm(self._means[name] - self._means[target])) for name in candidates})


def _sample(table: pa.Table, rng: np.random.Generator) -> pd.DataFrame:
    rows = np.sort(rng.choice(table.num_rows, min(ROWS, table.num_rows), replace=False))
    frame: pd.DataFrame = table.take(pa.array(rows)).to_pandas()
    return frame


def _numeric(sample: pd.DataFrame, numbers: Sequence[str]) -> Matrix:
    values = sample.reindex(columns=numbers).to_numpy(dtype=float)
    values = np.nan_to_num(np.sign(values) * np.log1p(np.abs(values)), posinf=50, neginf=-50)
    texts = [column for column in sample.columns if column not in numbers]
    words = np.zeros((len(sample), WORDS if texts else 0))
    for column in texts:
        for i, text in enumerate(sample[column].fillna("").astype(str)):
            for word in re.findall(r"\w+", text.lower()):
                words[i, zlib.crc32(word.encode()) % WORDS] += 1
    words /= np.maximum(words.sum(axis=1, keepdims=True), 1)
    return np.concatenate([values, words], axis=1)
