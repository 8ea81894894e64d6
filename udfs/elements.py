"""Bins counted: the numpy kernel of the macro ``number_elements`` (section 2.1)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["arrow", "bin_counts"]

Whole = npt.NDArray[np.intp]

ELEMENT = pa.struct(
    [
        ("partition_id", pa.uint32()),
        ("feature_id", pa.uint16()),
        ("bin", pa.uint16()),
        ("occurrences", pa.uint64()),
        ("total", pa.float64()),
    ]
)


def bin_counts(
    columns: Sequence[npt.NDArray[np.uint16]], partition: npt.NDArray[np.uint32], width: int
) -> tuple[Whole, Whole, Whole, Whole]:
    """How often each bin occurs in each column of each partition.

    columns: d of them, the bins of n rows in each, shape (n,), below width.
    partition: of each row, shape (n,).

    Returns column in [0, d), partition, bin in [0, width) and occurrences of what occurs,
    four arrays of one length, in this order.
    """
    found = [(np.empty(0, np.intp),) * 3]
    lengths = []
    first_key = partition.astype(np.intp) * width
    for bins in columns:
        counts = np.bincount(first_key + bins)
        occurring = np.flatnonzero(counts)
        found.append((*np.divmod(occurring, width), counts[occurring]))
        lengths.append(len(occurring))
    partitions, bin_number, occurrences = (np.concatenate(side) for side in zip(*found, strict=True))
    return np.repeat(np.arange(len(columns)), lengths), partitions, bin_number, occurrences


def arrow(number_bins: pa.ChunkedArray, partitions: pa.ChunkedArray, *columns: pa.ChunkedArray) -> pa.Array:
    """``bin_counts`` for DuckDB: a row is a dataset: the partition of its rows, and for each column their bins and the
    total of its finite values.

    Bins from ``number_bins`` on are those of NaN and infinities, and at last of NULL. The total of an element is its
    share of the column's, as if every finite value were the mean.
    """
    found = []
    for finite_bins, partition, *collected in zip(number_bins, partitions, *columns, strict=True):
        null_bin = finite_bins.as_py() + 3
        bins = [column["bins"].values.to_numpy() for column in collected]
        totals = np.array([column["total"].as_py() for column in collected], float)
        column, where, bin_number, occurrences = bin_counts(bins, partition.values.to_numpy(), null_bin + 1)
        is_finite = bin_number < finite_bins.as_py()
        finite = np.bincount(column[is_finite], occurrences[is_finite], minlength=len(totals))
        with np.errstate(divide="ignore", invalid="ignore"):
            means = totals / finite
        found.append(
            pa.StructArray.from_arrays(
                [
                    pa.array(where.astype(np.uint32)),
                    pa.array((column + 1).astype(np.uint16)),
                    pa.array(bin_number.astype(np.uint16), mask=bin_number == null_bin),
                    pa.array(occurrences.astype(np.uint64)),
                    pa.array(means[column] * occurrences, mask=~is_finite),
                ],
                fields=list(ELEMENT),
            )
        )
    ends = np.cumsum([0, *map(len, found)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), pa.concat_arrays(found) if found else pa.array([], ELEMENT))
