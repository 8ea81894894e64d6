"""Pairs of features compared block by block: the sources and features of the target of one resolution at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modelhub_sql.udfs.arrays import for_each, places
from modelhub_sql.udfs.dyadic import Floats
from modelhub_sql.udfs.features import (
    BLOCK,
    Histograms,
    Pairs,
    Whole,
    at_resolution,
    coarser,
    error_sums,
    is_even,
    negentropy,
    sums,
)  # fmt: skip

__all__ = ["errors_by_block", "is_shared", "placed", "similarities_by_block"]

#: Pairs that a thread compares before it takes others.
PAIRS = 1 << 15


@dataclass(frozen=True)
class Block:
    """Sources and features of the target at one resolution (k, b): what is compared in one go.

    source: rows of n sources. is_finer: whether the bins of each are finer. bins: of all the targets, ascending, (m,).
    lengths: how many bins each source has. at: where these are. place: where in ``bins`` each is, m where it is not there.
    pairs: of each target its row, the places of the pairs that it is in, and the source of each, from 0.
    """

    k: int
    b: int
    source: Whole
    is_finer: npt.NDArray[np.bool_]
    bins: Floats
    lengths: Whole
    at: Whole | slice
    place: Whole
    pairs: list[tuple[int, Whole, Whole]]

    def summed(self, amounts: Floats) -> Floats:
        """Amounts of the bins of the sources where the targets have them, (n, m)."""
        rows, columns = len(self.source), len(self.bins) + 1
        cell = np.repeat(np.arange(rows) * columns, self.lengths)
        cell += self.place
        return np.bincount(cell, amounts, rows * columns).reshape(rows, columns)[:, :-1].astype(np.float64, copy=False)

    def target(self, targets: Histograms, row: int) -> tuple[Whole, Floats]:
        """Which of ``bins`` a target has, and its counts there."""
        part = slice(targets.starts[row], targets.starts[row + 1])
        place = np.searchsorted(self.bins, at_resolution(targets.bins[part], self.k, self.b))
        counts = np.bincount(place, targets.counts[part], len(self.bins)).astype(np.float64, copy=False)
        columns = np.flatnonzero(counts)
        return columns, counts[columns]


def _runs(*columns: Whole) -> list[slice]:
    """Parts of sorted columns in which each is the same."""
    is_first = np.ones(len(columns[0]), bool)
    is_first[1:] = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    ends = [*np.flatnonzero(is_first).tolist(), len(is_first)]
    return list(map(slice, ends[:-1], ends[1:]))


def is_shared(pairs: Pairs) -> bool:
    """Whether sources are in many pairs, so that their bins are looked up once for all of them."""
    return bool(len(pairs.source) > 2 * np.count_nonzero(np.bincount(pairs.source)))


def _groups(pairs: Pairs) -> list[Whole]:
    """Places of the pairs of one resolution, sorted by their source."""
    shared = is_shared(pairs)
    by = (pairs.k, pairs.b) if shared else (pairs.target, pairs.k, pairs.b)
    order = np.lexsort((pairs.target, pairs.source, *reversed(by)) if shared else (pairs.source, *reversed(by)))
    return [
        part
        for run in _runs(*(column[order] for column in by))
        for part in _with_their_source(order[run], pairs.source[order[run]])
    ]


def _with_their_source(pairs: Whole, source: Whole) -> list[Whole]:
    """Parts of about ``PAIRS`` pairs, sorted by their source; those of one source are in one."""
    starts = np.flatnonzero(np.diff(source)) + 1
    ends = np.searchsorted(starts, np.arange(PAIRS, len(pairs), PAIRS))
    return np.split(pairs, np.unique(starts[ends[ends < len(starts)]]))


def _blocks(sources: Histograms, targets: Histograms, pairs: Pairs, group: Whole) -> Iterator[Block]:
    target = pairs.target
    k, b = int(pairs.k[group[0]]), int(pairs.b[group[0]])
    ordered = pairs.source[group]
    is_first = np.diff(ordered, prepend=-1) != 0
    first, row_of = np.flatnonzero(is_first), is_first.cumsum() - 1
    rows = ordered[first]
    bins = np.unique(at_resolution(targets.bins[targets.places(np.unique(target[group]))[0]], k, b))
    # A block of several targets costs a step for each.
    step = max(1, min(8, len(group) // len(rows)) * BLOCK // (len(bins) + 1))
    for start in range(0, len(rows), step):
        chosen = slice(start, start + step)
        # Their pairs are side by side.
        held = slice(*np.searchsorted(row_of, [start, start + step]).tolist())
        at, lengths = sources.span(rows[chosen])
        is_finer = pairs.is_finer[group[first[chosen]]]
        # A sort of numbers of 16 bits is one by their digits.
        by_target = np.argsort(target[group[held]].astype(np.uint16), kind="stable") + held.start
        yield Block(
            k, b, rows[chosen], is_finer, bins, lengths, at, placed(bins, sources.bins[at], is_finer, lengths, k, b),
            [
                (int(target[group[by_target[part.start]]]), group[by_target[part]], row_of[by_target[part]] - start)
                for part in _runs(target[group[by_target]])
            ],
        )  # fmt: skip


def placed(bins: Floats, own: Floats, is_finer: npt.NDArray[np.bool_], lengths: Whole, k: int, b: int) -> Whole:
    """Where among bins at a resolution those of sources are, of which some are finer."""
    if b < 0:
        return places(bins, own)
    if is_even(bins, k, b):
        return places(bins, own, 2.0**k, within=bool(is_finer.any()))
    return places(bins, coarser(own, np.repeat(is_finer, lengths), k, b), 2.0**k)


def similarities_by_block(
    sources: Histograms, targets: Histograms, pairs: Pairs, divergence_within: float, within: float
) -> tuple[Floats, Floats]:
    affinity, gain = np.zeros(len(pairs.source)), np.zeros(len(pairs.source))

    def fill(group: Whole) -> None:
        of_targets: dict[int, tuple[Whole, Floats]] = {}
        for block in _blocks(sources, targets, pairs, group):
            for target, *_ in block.pairs:
                if target not in of_targets:
                    columns, counts = block.target(targets, target)
                    of_targets[target] = columns, counts / targets.sizes[target]
            shares = block.summed(sources.counts[block.at] / np.repeat(sources.sizes[block.source], block.lengths))
            # Half as many bits do, with a little more than the bound for rounding.
            slack = 1e-6 + 2.0**-23 * len(block.bins)
            alike = _products_of_roots(shares, [of_targets[target] for target, *_ in block.pairs]) if within < 1 else None
            for number, (target, every, row_of) in enumerate(block.pairs):
                columns, q = of_targets[target]
                chosen, row = every, row_of
                if alike is not None:
                    close = np.flatnonzero(alike[row, number] > 1 - within - slack)
                    chosen, row = every[close], row_of[close]
                p = shares[row] if len(columns) == len(block.bins) else shares[row[:, None], columns]
                both = p + q
                affinity[chosen] = found = (p / both) @ (2 * q)
                near = np.flatnonzero(1 - found < divergence_within)
                if len(near) < len(found):
                    p, both = p[near], both[near]
                # Where the source has nothing, q ln q cancels.
                gain[chosen[near]] = (negentropy(p) - both * np.log(both)).sum(axis=1) + (q * np.log(q)).sum()

    for_each(fill, _groups(pairs))
    return affinity, gain


def _products_of_roots(shares: Floats, targets: list[tuple[Whole, Floats]]) -> Floats:
    """Sums of sqrt(p q), which are 1 less the squared Hellinger distances, of 32 bits, by one product, (sources, targets).

    shares: of the sources in m bins, (sources, m). targets: of each the places of its bins and its shares there.
    """
    roots = np.zeros((shares.shape[1], len(targets)), np.float32)
    for number, (columns, q) in enumerate(targets):
        roots[columns, number] = np.sqrt(q)
    return np.asarray(np.sqrt(shares.astype(np.float32)) @ roots)


def errors_by_block(sources: Histograms, targets: Histograms, pairs: Pairs) -> tuple[Floats, Floats]:
    expected, variance = np.zeros(len(pairs.source)), np.zeros(len(pairs.source))
    for block in (block for group in _groups(pairs) for block in _blocks(sources, targets, pairs, group)):
        amounts = sources.counts[block.at]
        common = block.summed(amounts)
        source = np.repeat(np.arange(len(block.source)), block.lengths)
        for target, chosen, row in block.pairs:
            columns, counts = block.target(targets, target)
            together = common[row[:, None], columns]
            together += counts
            # What only the source has: bins that fall together are one.
            is_common = np.zeros(len(block.bins) + 1, bool)
            is_common[columns] = True
            position = np.full(len(block.source), -1)
            position[row] = np.arange(len(row))
            single = np.flatnonzero(~is_common[block.place] & (position[source] >= 0))
            own = coarser(sources.bins[block.at][single], block.is_finer[source[single]], block.k, block.b)
            alone, pair = sums(own, position[source[single]], amounts[single])
            n = np.concatenate([together.reshape(-1), alone])
            owner = np.concatenate([np.repeat(np.arange(len(row)), len(columns)), pair])
            b = np.full(len(row), targets.sizes[target])
            expected[chosen], variance[chosen] = error_sums(n, owner, sources.sizes[block.source][row], b)
    return expected, variance
