"""Pairs of features compared in tables: whatever their targets and resolutions are, thousands at a time.

For sources that are in one pair or two. Where bins are too far apart for a table, ``blocks`` compares.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from modelhub_sql.udfs.arrays import is_narrow, steps
from modelhub_sql.udfs.dyadic import Floats
from modelhub_sql.udfs.features import Histograms, Pairs, Whole, at_resolution, each_at, error_sums, is_even, negentropy, sums

__all__ = ["Lookup", "Tables", "looked_up_errors", "looked_up_similarities"]

#: A place that is none of a table.
NONE = 1 << 40
#: Longest table.
LONGEST = 1 << 12
#: Numbers of which a table tells the distinct ones, not a sort.
MANY = 1 << 20


class Tables(NamedTuple):
    """Features of the target, each at a resolution, as tables to look bins up in, one after the other. n of them.

    scale: 1 over the width of a bin. low: which multiple of that a table begins with. last: how many it has but one. begin: where
    it begins. place: of each bin, from 0; ``NONE`` where the target has it not. first, width: where its counts begin, and how
    many. counts, shares: of all. negentropy: sum of q ln q of each.
    """

    scale: Floats
    low: Floats
    last: Floats
    begin: Whole
    place: Whole
    first: Whole
    width: Whole
    counts: Floats
    shares: Floats
    negentropy: Floats


class Lookup:
    """Features of the target, of which a table is made for each resolution that pairs ask for, once."""

    def __init__(self, targets: Histograms) -> None:
        self._targets = targets
        self._numbers: dict[tuple[int, int, int], int] = {}
        self._rows: list[tuple[float, float, float]] = []
        self._places: list[Whole] = []
        self._counts: list[Floats] = []
        self._shares: list[Floats] = []
        self._tables: Tables | None = None

    def of(self, pairs: Pairs) -> tuple[Tables, Whole]:
        """All tables so far, and which of them each pair needs; -1 where bins are too far apart for a table."""
        if not len(pairs.k):
            return self._tables or self._put_together(), np.empty(0, np.int64)
        shape = (len(self._targets.sizes), int(np.ptp(pairs.k)) + 1, int(np.ptp(pairs.b)) + 1)
        least = int(pairs.k.min()), int(pairs.b.min())
        wanted, of_pair = _distinct(
            (pairs.target * shape[1] + (pairs.k - least[0])) * shape[2] + (pairs.b - least[1]), math.prod(shape)
        )
        numbers = []
        for place in wanted.tolist():
            row, k, b = place // (shape[1] * shape[2]), place // shape[2] % shape[1] + least[0], place % shape[2] + least[1]
            if (row, k, b) not in self._numbers:
                self._numbers[row, k, b] = self._added(row, k, b)
            numbers.append(self._numbers[row, k, b])
        if self._tables is None:
            self._tables = self._put_together()
        return self._tables, np.array(numbers)[of_pair]

    def _added(self, row: int, k: int, b: int) -> int:
        part = slice(self._targets.starts[row], self._targets.starts[row + 1])
        bins, at = np.unique(at_resolution(self._targets.bins[part], k, b), return_inverse=True)
        if b < 0 or not is_even(bins, k, b) or not is_narrow(bins, 2.0**k, LONGEST):
            return -1
        # At either end is a place of none.
        low = bins[0] / 2.0**k - 1
        table = np.full(int(bins[-1] / 2.0**k - low) + 2, NONE)
        table[(bins / 2.0**k - low).astype(np.intp)] = np.arange(len(bins))
        counts = np.bincount(at.reshape(-1), self._targets.counts[part]).astype(np.float64, copy=False)
        self._rows.append((2.0**-k, low, len(table) - 1.0))
        self._places.append(table)
        self._counts.append(counts)
        self._shares.append(counts / self._targets.sizes[row])
        self._tables = None
        return len(self._rows) - 1

    def _put_together(self) -> Tables:
        scale, low, last = np.array(self._rows).reshape(-1, 3).T
        width = np.array([len(counts) for counts in self._counts], np.int64)
        length = last.astype(np.int64) + 1
        place = np.concatenate([*self._places, np.empty(0, np.int64)])
        counts, shares = (np.concatenate([*each, np.empty(0)]) for each in (self._counts, self._shares))
        negentropies = np.array([negentropy(each).sum() for each in self._shares])
        begin, first = length.cumsum() - length, width.cumsum() - width
        return Tables(scale, low, last, begin, place, first, width, counts, shares, negentropies)


def _distinct(values: Whole, end: int) -> tuple[Whole, Whole]:
    """The distinct values, ascending, and which of them each is. values: in [0, end)."""
    if end > MANY:
        distinct, which = np.unique(values, return_inverse=True)
        return distinct, which.reshape(-1)
    # Much faster than a sort.
    place = np.zeros(end, np.int64)
    place[values] = 1
    distinct = np.flatnonzero(place)
    place[distinct] = np.arange(len(distinct))
    return distinct, place[values]


class Cells(NamedTuple):
    """The bins of n pairs that the target has, one after the other: their cells. first, width: of each pair, (n,).

    at: where the bins of the sources are. lengths: how many each has. cell: of each; how many there are where it has none.
    """

    first: Whole
    width: Whole
    at: Whole | slice
    lengths: Whole
    cell: Whole

    def summed(self, amounts: npt.NDArray[Any]) -> Floats:
        """Amounts of the bins of the sources in each cell."""
        many = int(self.width.sum())
        return np.bincount(self.cell, amounts, many + 1)[:-1].astype(np.float64, copy=False)

    def of_target(self, tables: Tables, table: Whole) -> Whole:
        """Where among the shares and counts of the tables that of each cell is."""
        return np.arange(int(self.width.sum())) + np.repeat(tables.first[table] - self.first, self.width)


def _cells(sources: Histograms, tables: Tables, table: Whole, pairs: Pairs) -> Cells:
    at, lengths = sources.span(pairs.source)
    bins = sources.bins[at]
    scale = np.repeat(tables.scale[table], lengths)
    # What is far away or infinite is none.
    with np.errstate(over="ignore"):
        step = steps(bins, scale) if pairs.is_finer.any() else bins * scale
    step -= np.repeat(tables.low[table], lengths)
    np.fmin(np.fmax(step, 0, out=step), np.repeat(tables.last[table], lengths), out=step)
    width = tables.width[table]
    first = width.cumsum() - width
    cell = tables.place[step.astype(np.intp) + np.repeat(tables.begin[table], lengths)]
    cell += np.repeat(first, lengths)
    return Cells(first, width, at, lengths, np.minimum(cell, int(width.sum()), out=cell))


def looked_up_similarities(
    sources: Histograms, tables: Tables, table: Whole, pairs: Pairs, divergence: bool
) -> tuple[Floats, Floats]:
    """``similarities`` of some pairs, each with its table. divergence: whether the second number is wanted."""
    cells = _cells(sources, tables, table, pairs)
    p = cells.summed(sources.counts[cells.at] / np.repeat(sources.sizes[pairs.source], cells.lengths))
    q = tables.shares[cells.of_target(tables, table)]
    both = p + q
    affinity = np.add.reduceat(2 * p * q / both, cells.first)
    if not divergence:
        return affinity, np.zeros(len(table))
    return affinity, np.add.reduceat(negentropy(p) - both * np.log(both), cells.first) + tables.negentropy[table]


def looked_up_errors(
    sources: Histograms, targets: Histograms, tables: Tables, table: Whole, pairs: Pairs
) -> tuple[Floats, Floats]:
    """``expected_errors`` of some pairs, each with its table."""
    cells = _cells(sources, tables, table, pairs)
    amounts = sources.counts[cells.at]
    together = cells.summed(amounts) + tables.counts[cells.of_target(tables, table)]
    pair = np.arange(len(table))
    # What only the source has: bins that fall together are one.
    single = np.flatnonzero(cells.cell == len(together))
    owner = np.repeat(pair, cells.lengths)[single]
    own = sources.bins[cells.at][single]
    finer = np.flatnonzero(pairs.is_finer[owner])
    own[finer] = each_at(own[finer], pairs.k[owner[finer]], pairs.b[owner[finer]])
    alone, of = sums(own, owner, amounts[single])
    n, owner = np.concatenate([together, alone]), np.concatenate([np.repeat(pair, cells.width), of])
    return error_sums(n, owner, sources.sizes[pairs.source], targets.sizes[pairs.target])
