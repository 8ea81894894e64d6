"""Columns of numbers of many datasets: what a sample tells of each, and how often its bins occur in each partition.

The cells of a column come dataset after dataset: those of dataset d are ``starts[d]:starts[d + 1]``, one at the least. The
equations are those of ``sql/values/35_elements.sql``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelhub_sql.udfs.arrays import as_arrow, for_each, nulls, numbers, steps
from modelhub_sql.udfs.dyadic import far_bins

__all__ = ["Elements", "Sampled", "counted", "elements", "resolutions", "sampled"]

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

#: So many cells of a column, about, are counted at a time: their arrays fit into caches, which is faster.
CELLS = 1 << 15
#: A table of counts, partitions by bins, has so many places for a cell at the most; a dataset that needs more is sorted.
SPARSE = 8


class Sampled(NamedTuple):
    """Of each dataset, (d,): resolution; cells that are not missing, how many values these have, and how many of the values occur
    once and twice; the least and the most that a number exceeds that of its row by."""

    k: Whole
    b: Whole
    cells: Whole
    found: Whole
    once: Whole
    twice: Whole
    least: Floats
    most: Floats


class Elements(NamedTuple):
    """Arrays of one length: dataset, partition, bin and occurrences of what occurs; bin NaN counts what is missing."""

    dataset: Whole
    partition: Whole
    bin: Floats
    occurrences: Whole


def counted(
    rows: pa.Table, sample: pa.Table, columns: Mapping[int, str], width: int, uses: npt.NDArray[np.bool_], threads: int
) -> tuple[pa.Table, pa.Table]:
    """The relations counted_column and counted_element: the columns of numbers of many datasets, each in the place of one column.

    rows, sample: relations partitioned_row and sample_row: the place, and the columns c1, c2 ... as DOUBLE. columns: the place of
    each of them and its form. width: features that come before those of dataset 1. uses: whether a dataset has a column in a
    place, (datasets, width + 1).
    """
    every, some = _Rows(rows, width), _Rows(sample, width)

    def of_place(place: int) -> list[tuple[pa.Table, pa.Table]]:
        found = []
        for begin, end in every.parts(CELLS):
            a, b = every.of(begin, end, place, uses), some.of(begin, end, place, uses)
            if len(a.dataset) == 0:
                continue
            told = sampled(b.values, b.missing, b.number, b.starts)
            made = elements(np.where(a.missing, np.nan, a.values), a.number, a.starts, told.k, told.b)
            feature = a.dataset * width + place
            found.append((_columns(told, feature), _elements(made, feature[made.dataset], columns[place])))
        return found

    tables = [each for found in for_each(of_place, [*columns], threads) for each in found]
    told, made = zip(*tables, strict=True)
    return pa.concat_tables(told), pa.concat_tables(made)


class _Cells(NamedTuple):
    """Cells of a column: their datasets (d,), where each begins and the last ends (d + 1,); of each cell the number (of the row,
    or of the partition), the value, and whether it is missing."""

    dataset: Whole
    starts: Whole
    number: Whole
    values: Floats
    missing: Flags


class _Rows:
    """Rows of many datasets, dataset after dataset."""

    def __init__(self, table: pa.Table, width: int) -> None:
        place = numbers(table.column(0))
        dataset = (place & 0xFFFF).astype(np.uint16) // width
        # They come as they were read, but nothing says that they must.
        order = None if (dataset[1:] >= dataset[:-1]).all() else np.argsort(dataset, kind="stable")
        self._table = table if order is None else table.take(pa.array(order))
        self._number = ((place if order is None else place[order]) >> 16).astype(np.uint32)
        sizes = np.bincount(dataset)
        # Where each dataset begins; those without rows, too.
        self._starts = np.concatenate([[0], np.cumsum(sizes)])

    def parts(self, cells: int) -> Iterator[tuple[int, int]]:
        """First dataset, and the one after the last, of parts of about so many rows."""
        begin = 0
        while begin < len(self._starts) - 1:
            end = max(begin + 1, int(np.searchsorted(self._starts, self._starts[begin] + cells, side="right")) - 1)
            yield begin, end
            begin = end

    def of(self, begin: int, end: int, place: int, uses: Flags) -> _Cells:
        """The cells of a column, of the datasets that have one there."""
        starts = self._starts[begin : end + 1]
        column = self._table[f"c{place}"].slice(starts[0], starts[-1] - starts[0])
        number = self._number[starts[0] : starts[-1]].astype(np.int64)
        values, missing = numbers(column), nulls(column)
        sizes = np.diff(starts)
        dataset = np.arange(begin, end)
        is_used = uses[begin:end, place] & (sizes > 0)
        if not is_used.all():
            kept = np.repeat(is_used, sizes)
            number, values, missing = number[kept], values[kept], missing[kept]
            dataset, sizes = dataset[is_used], sizes[is_used]
        return _Cells(dataset, np.concatenate([[0], np.cumsum(sizes)]), number, values, missing)


def _columns(told: Sampled, feature: Whole) -> pa.Table:
    types = (np.int16, np.int16, np.uint64, np.uint64, np.uint64, np.uint64, np.float64, np.float64)
    made = {name: as_arrow(getattr(told, name), type_) for name, type_ in zip(told._fields, types, strict=True)}
    return pa.table({"feature_id": as_arrow(feature, np.uint16), **made})


def _elements(made: Elements, feature: Whole, form: str) -> pa.Table:
    forms = pa.DictionaryArray.from_arrays(as_arrow(np.zeros(len(feature)), np.int8), pa.array([form]))
    return pa.table({
        "form": forms, "place": as_arrow(made.partition << 16 | feature, np.uint64),
        "bin": as_arrow(made.bin, missing=np.isnan(made.bin)), "occurrences": as_arrow(made.occurrences, np.uint64),
    })  # fmt: skip


def sampled(values: Floats, missing: Flags, rows: Whole, starts: Whole) -> Sampled:
    """What a sample tells. values, missing, rows: of n cells, (n,): numbers, where there is none, and the numbers of their rows.

    NaN is a number here, greater than all others and equal to itself.
    """
    first = starts[:-1]
    is_nan = np.isnan(values)
    with np.errstate(invalid="ignore"):
        ahead = np.where(missing, np.nan, values - rows)
    nan = _sums(is_nan & ~missing, first)
    least = np.fmin.reduceat(ahead, first)
    most = np.where(nan > 0, np.nan, np.fmax.reduceat(ahead, first))
    held = np.where(missing, np.nan, values)
    for begin, end in pairwise(starts):
        held[begin:end].sort()  # NaN last
    is_number = ~np.isnan(held)
    numbers = _sums(is_number, first)
    is_first = is_number.copy()
    is_first[1:] &= held[1:] != held[:-1]
    is_first[first] = is_number[first]
    found = _sums(is_first, first)
    begins = np.flatnonzero(is_first)
    dataset = np.repeat(np.arange(len(first)), found)
    lengths = np.minimum(np.append(begins[1:], starts[-1]), (first + numbers)[dataset]) - begins
    once, twice = (np.bincount(dataset[lengths == n], minlength=len(first)) + (nan == n) for n in (1, 2))
    below = _sums(held == -np.inf, first)
    finite = numbers - below - _sums(held == np.inf, first)
    k, b = resolutions(held, first + below, finite)
    return Sampled(k, b, numbers + nan, found + (nan > 0), once, twice, least, most)


def _sums(flags: Flags, first: Whole) -> Whole:
    return np.add.reduceat(flags, first, dtype=np.int64)


def resolutions(values: Floats, first: Whole, counts: Whole) -> tuple[Whole, Whole]:
    """k and b of each dataset from its finite numbers, ascending: ``values[first:first + counts]``."""
    last = np.maximum(counts - 1, 0)
    # Where there are none, any: what is made of it is not taken.
    begin = np.minimum(first, len(values) - 1)
    least, low, lower, upper, high, most = (
        np.where(counts > 0, values[begin + last * share // 100], 0.0) for share in (0, 5, 25, 75, 95, 100)
    )
    with np.errstate(over="ignore"):
        k = np.select(
            [upper - lower > 0, high - low > 0, most - least > 0, upper == 0],
            [_between(lower, upper), _between(low, high), _between(least, most), np.full(len(first), -30)],
            np.clip(_octave(np.abs(upper)) - 20, -1000, 1000),
        )
    bulk = np.maximum(np.abs(low), np.abs(high))
    b = np.select([(most == 0) & (least == 0), bulk == 0], [20, 3], _octave(bulk) - k)
    is_none = counts == 0
    return np.where(is_none, -30, k), np.where(is_none, 20, np.clip(b, 3, 52))


def _between(low: Floats, high: Floats) -> Whole:
    width = high - low
    return np.clip(np.where(np.isinf(width), 1020, _octave(width) - 3), -1000, 1000)


def _octave(x: Floats) -> Whole:
    """floor(log2 x) of finite numbers above 0; of others any."""
    return np.frexp(np.where(np.isfinite(x), x, 1.0))[1].astype(np.int64) - 1


def elements(values: Floats, partition: Whole, starts: Whole, k: Whole, b: Whole) -> Elements:
    """How often each bin of each dataset occurs in each of its partitions.

    values, partition: of n cells, (n,); NaN is missing. k, b: resolution of each dataset, (d,).
    """
    first, sizes = starts[:-1], np.diff(starts)
    dataset = np.repeat(np.arange(len(first)), sizes)
    quantum = np.ldexp(1.0, k)
    is_missing = np.isnan(values)
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        whole = steps(values, np.repeat(np.ldexp(1.0, -k), sizes))
        is_near = np.abs(values) < np.repeat(np.ldexp(1.0, np.minimum(1023, k + b + 1)), sizes)
    near = np.where(is_near, whole, np.nan)
    low = np.nan_to_num(np.fmin.reduceat(near, first))
    # The last place of a partition counts what is missing.
    width = np.nan_to_num(np.fmax.reduceat(near, first) - low + 1) + 1
    partitions = np.maximum.reduceat(partition, first) + 1
    is_dense = width * partitions <= SPARSE * sizes + 64
    width = np.where(is_dense, width, 0).astype(np.int64)
    offset = np.concatenate([[0], np.cumsum(width * partitions)])
    counted = is_dense[dataset] & (is_near | is_missing)
    of, where = (dataset, partition) if counted.all() else (dataset[counted], partition[counted])
    place = np.where(is_missing, width[dataset] - 1, whole - low[dataset])[counted].astype(np.int64)
    counts = np.bincount(offset[of] + where * width[of] + place)
    occurring = np.flatnonzero(counts)
    of = np.searchsorted(offset, occurring, side="right") - 1
    where, place = np.divmod(occurring - offset[of], np.maximum(width[of], 1))
    bins = np.where(place == width[of] - 1, np.nan, (low[of] + place) * quantum[of] + 0.0)
    dense = Elements(of, where, bins, counts[occurring])
    rest = np.flatnonzero(~counted)
    if not len(rest):
        return dense
    of = dataset[rest]
    bins = np.where(is_near[rest], whole[rest] * quantum[of] + 0.0, np.nan)
    far = np.flatnonzero(~is_near[rest] & ~is_missing[rest])
    bins[far] = far_bins(values[rest[far]], k[of[far]], b[of[far]])
    return Elements(*(np.concatenate(both) for both in zip(dense, _sorted(of, partition[rest], bins), strict=True)))


def _sorted(dataset: Whole, partition: Whole, bins: Floats) -> Elements:
    order = np.lexsort((bins, partition, dataset))
    dataset, partition, bins = dataset[order], partition[order], bins[order]
    is_first = np.ones(len(order), np.bool_)
    is_first[1:] = (dataset[1:] != dataset[:-1]) | (partition[1:] != partition[:-1]) | (bins[1:] != bins[:-1])
    # NaN is last of its partition.
    is_first[1:] &= ~(
        np.isnan(bins[1:]) & np.isnan(bins[:-1]) & (dataset[1:] == dataset[:-1]) & (partition[1:] == partition[:-1])
    )
    begins = np.flatnonzero(is_first)
    return Elements(dataset[begins], partition[begins], bins[begins], np.diff(np.append(begins, len(order))))
