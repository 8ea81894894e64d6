"""Histograms at a coarser resolution: the numpy kernel of ``named_common_bin``."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelhub_sql.udfs.arrays import as_arrow, numbers
from modelhub_sql.udfs.dyadic import Floats, number_bins

__all__ = ["arrow", "coarser"]

Whole = npt.NDArray[np.integer[Any]]

MERGED = pa.struct([("bin", pa.float64()), ("n", pa.uint64())])


def coarser(bins: Floats, counts: Whole, lengths: Whole, k: Whole, b: Whole) -> tuple[Floats, Whole, Whole]:
    """Histograms whose bins are merged at another resolution.

    bins, counts: of all histograms one after the other, two arrays of one length. lengths, k, b: of each histogram its number
    of bins, and the resolution that it gets.

    Returns bins and counts as they came in, ascending in each histogram, and how many each has.
    """
    merged = np.empty_like(bins)
    histogram = np.repeat(np.arange(len(lengths)), lengths)
    for pair in {*zip(k.tolist(), b.tolist(), strict=True)}:
        chosen = np.flatnonzero(((k == pair[0]) & (b == pair[1]))[histogram])
        merged[chosen] = number_bins(bins[chosen], *pair)
    if np.any((np.diff(merged) < 0) & (np.diff(histogram) == 0)):
        order = np.lexsort((merged, histogram))
        merged, counts = merged[order], counts[order]
    is_first = np.ones(len(merged), bool)
    is_first[1:] = (merged[1:] != merged[:-1]) | (histogram[1:] != histogram[:-1])
    first = np.flatnonzero(is_first)
    summed = np.add.reduceat(counts, first, dtype=np.uint64) if len(first) else np.empty(0, np.uint64)
    return merged[first], summed, np.bincount(histogram[first], minlength=len(lengths))


def arrow(bins: pa.ChunkedArray, counts: pa.ChunkedArray, k: pa.ChunkedArray, b: pa.ChunkedArray) -> pa.Array:
    """``coarser`` for DuckDB: a row is a histogram and the resolution that it gets; its bins and how often each occurs."""
    listed, occurrences = bins.combine_chunks(), counts.combine_chunks()
    found, summed, lengths = coarser(
        numbers(listed.flatten()),
        numbers(occurrences.flatten()),
        np.diff(numbers(listed.offsets)),
        *(numbers(side) for side in (k, b)),
    )
    ends = np.concatenate([[0], lengths.cumsum()]).astype(np.int32)
    return pa.ListArray.from_arrays(
        as_arrow(ends), pa.StructArray.from_arrays([as_arrow(found), as_arrow(summed)], fields=list(MERGED))
    )
