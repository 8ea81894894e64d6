"""Histograms of features and pairs of them, and what the kernels that compare these share."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from modelhub_sql.udfs.dyadic import Floats, number_bins

__all__ = ["BLOCK", "Histograms", "Pairs", "at_resolution", "coarser", "each_at", "error_sums", "is_even", "negentropy", "sums"]

Whole = npt.NDArray[np.int64]

#: Cells of a table, pairs by bins of the target, that is filled at a time: what the cache holds, and what the C library
#: need not ask the system for anew.
BLOCK = 1 << 15


class Histograms(NamedTuple):
    """n features. sizes: of each its values in all, shape (n,). starts: where its bins begin, (n + 1,).

    bins, counts: of all features one after the other; counts of any type of numbers.
    """

    sizes: Floats
    starts: Whole
    bins: Floats
    counts: npt.NDArray[Any]

    def places(self, rows: Whole) -> tuple[Whole, Whole]:
        """Places of all bins of some features, and the position in ``rows`` of the feature that each belongs to."""
        lengths = self.starts[rows + 1] - self.starts[rows]
        owner = np.repeat(np.arange(len(rows)), lengths)
        return np.arange(len(owner)) + np.repeat(self.starts[rows] - lengths.cumsum() + lengths, lengths), owner

    def span(self, rows: Whole) -> tuple[Whole | slice, Whole]:
        """Places of all bins of some features, and how many each has."""
        lengths = self.starts[rows + 1] - self.starts[rows]
        if (np.diff(rows) == 1).all():
            # Side by side they need no copy.
            return slice(self.starts[rows[0]], self.starts[rows[-1] + 1]), lengths
        return self.places(rows)[0], lengths

    def chosen(self, rows: Whole) -> Histograms:
        """Those of some features, ascending."""
        if len(rows) == len(self.sizes):
            return self
        places, _ = self.places(rows)
        starts = np.concatenate([[0], np.diff(self.starts)[rows].cumsum()])
        return Histograms(self.sizes[rows], starts, self.bins[places], self.counts[places])


class Pairs(NamedTuple):
    """Pairs, arrays of one length. source, target: places of the features among the histograms.

    k, b: the resolution at which they are compared; -1 for b where they are text, which has none.
    is_finer: whether the bins of the source are finer than that.
    """

    source: Whole
    target: Whole
    k: Whole
    b: Whole
    is_finer: npt.NDArray[np.bool_]

    def of(self, places: Whole) -> Pairs:
        """Some of them."""
        return Pairs(self.source[places], self.target[places], self.k[places], self.b[places], self.is_finer[places])


def at_resolution(bins: Floats, k: int, b: int) -> Floats:
    return bins if b < 0 else number_bins(bins, k, b)


def is_even(bins: Floats, k: int, b: int) -> bool:
    """Whether bins are all as wide. What is farther away than they are is none of them then, even rounded as they are."""
    return len(bins) > 0 and bool(max(-bins[0], bins[-1]) < 2.0 ** min(1023, k + b + 1))


def coarser(own: Floats, is_finer: npt.NDArray[np.bool_], k: int, b: int) -> Floats:
    """Bins of which some are finer, at a resolution."""
    finer = np.flatnonzero(is_finer)
    if len(finer):
        own = own.copy()
        own[finer] = at_resolution(own[finer], k, b)
    return own


def each_at(bins: Floats, k: Whole, b: Whole) -> Floats:
    """Bins each at a resolution of its own."""
    found = np.empty(len(bins))
    for pair in np.unique(k * 64 + b):
        some = np.flatnonzero(k * 64 + b == pair)
        found[some] = number_bins(bins[some], int(pair) // 64, int(pair) % 64)
    return found


def negentropy(mass: Floats) -> Floats:
    # m ln m, continued by 0.
    return np.asarray(mass * np.log(mass + 1e-300))


def error_sums(n: Floats, owner: Whole, a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Expected distance and variance of pairs of sizes a and b. n: of each bin how often it occurs on both sides; owner: its
    pair."""
    share = ((a + b) / (4 * a * b))[owner]
    seen = 1 - np.exp(2 * n * np.log(np.maximum(np.abs(a - b) / (a + b), 1e-300))[owner])
    expected = np.bincount(owner, share * seen * (1 - n / (a + b)[owner]), len(a))
    variance = np.bincount(owner, share**2 * 2 * seen * (1 - 1 / n), len(a))
    return expected.astype(np.float64, copy=False), variance.astype(np.float64, copy=False)


def sums(bins: Floats, owner: Whole, amounts: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], Whole]:
    """Sums of the amounts of the same bin of the same owner, and the owner of each."""
    order = np.lexsort((bins, owner))
    owner, bins = owner[order], bins[order]
    is_first = np.ones(len(order), bool)
    is_first[1:] = (owner[1:] != owner[:-1]) | (bins[1:] != bins[:-1])
    first = np.flatnonzero(is_first)
    return np.add.reduceat(amounts[order], first) if len(first) else np.empty(0), owner[first]
