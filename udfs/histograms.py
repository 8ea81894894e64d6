"""Histograms of partitions: the numpy kernel of the macro ``feature_partitions`` (Fig. 2)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelhub_sql.udfs.arrays import as_arrow, numbers

__all__ = ["arrow", "histograms"]

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.unsignedinteger[Any]]


def histograms(bins: Floats, partition: Whole, occurring: Floats, occurrences: Whole, partitions: int) -> npt.NDArray[np.uint32]:
    """How often each bin of a feature occurs in each partition.

    bins: of the feature, distinct, shape (k,). partition, occurring, occurrences: of each
    bin that occurs in a partition, three arrays of one length; partition in [0, partitions).

    Returns shape (partitions, k).
    """
    order = np.argsort(bins)
    counts = np.zeros((partitions, len(bins)), np.uint32)
    counts[partition, order[np.searchsorted(bins, occurring, sorter=order)]] = occurrences
    return counts


def arrow(
    bins: pa.ChunkedArray,
    partition: pa.ChunkedArray,
    occurring: pa.ChunkedArray,
    occurrences: pa.ChunkedArray,
    partitions: pa.ChunkedArray,
) -> pa.Array:
    """``histograms`` for DuckDB: a row is a feature; the histogram of a partition without values is empty."""
    found = []
    lengths = []
    for *elements, count in zip(bins, partition, occurring, occurrences, partitions, strict=True):
        of_feature, where, which, how_often = (numbers(side.values) for side in elements)
        counts = histograms(of_feature, where, which, how_often, count.as_py())
        filled = counts.any(axis=1)
        found.append(counts[filled].ravel())
        lengths.append(filled * counts.shape[1])
    ends = np.concatenate([[0], *lengths]).cumsum().astype(np.int32)
    values = as_arrow(np.concatenate(found) if found else np.empty(0, np.uint32))
    features = np.concatenate([[0], np.cumsum([len(filled) for filled in lengths])]).astype(np.int32)
    return pa.ListArray.from_arrays(as_arrow(features), pa.ListArray.from_arrays(as_arrow(ends), values))
