"""How alike two histograms are: the numpy kernel of ``named_distance``, ``named_match``, ``open_similarity``, ``feature_error``.

A pair is a feature of a dataset (source) and one of the target, compared at the coarser of their resolutions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelhub_sql.udfs.arrays import for_each, is_narrow, lists, numbers, numbers_or, places
from modelhub_sql.udfs.dyadic import Floats, number_bins
from modelhub_sql.udfs.tables import Columns

__all__ = ["Histograms", "Pairs", "compared", "errors", "expected_errors", "histograms", "similarities"]

Whole = npt.NDArray[np.int64]

#: A place that is none of a table.
NONE = 1 << 40

#: Pairs that a thread compares before it takes others.
PAIRS = 1 << 15

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


@dataclass(frozen=True)
class _Block:
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
        place = np.searchsorted(self.bins, _at(targets.bins[part], self.k, self.b))
        counts = np.bincount(place, targets.counts[part], len(self.bins)).astype(np.float64, copy=False)
        columns = np.flatnonzero(counts)
        return columns, counts[columns]


def _at(bins: Floats, k: int, b: int) -> Floats:
    return bins if b < 0 else number_bins(bins, k, b)


def _runs(*columns: Whole) -> list[slice]:
    """Parts of sorted columns in which each is the same."""
    is_first = np.ones(len(columns[0]), bool)
    is_first[1:] = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    ends = [*np.flatnonzero(is_first).tolist(), len(is_first)]
    return list(map(slice, ends[:-1], ends[1:]))


def _is_shared(pairs: Pairs) -> bool:
    """Whether sources are in many pairs, so that their bins are looked up once for all of them."""
    return bool(len(pairs.source) > 2 * np.count_nonzero(np.bincount(pairs.source)))


def _groups(pairs: Pairs) -> list[Whole]:
    """Places of the pairs of one resolution, sorted by their source."""
    is_shared = _is_shared(pairs)
    by = (pairs.k, pairs.b) if is_shared else (pairs.target, pairs.k, pairs.b)
    order = np.lexsort((pairs.target, pairs.source, *reversed(by)) if is_shared else (pairs.source, *reversed(by)))
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


def _blocks(sources: Histograms, targets: Histograms, pairs: Pairs, group: Whole) -> Iterator[_Block]:
    target = pairs.target
    k, b = int(pairs.k[group[0]]), int(pairs.b[group[0]])
    ordered = pairs.source[group]
    is_first = np.diff(ordered, prepend=-1) != 0
    first, row_of = np.flatnonzero(is_first), is_first.cumsum() - 1
    rows = ordered[first]
    bins = np.unique(_at(targets.bins[targets.places(np.unique(target[group]))[0]], k, b))
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
        yield _Block(
            k, b, rows[chosen], is_finer, bins, lengths, at, _placed(bins, sources.bins[at], is_finer, lengths, k, b),
            [
                (int(target[group[by_target[part.start]]]), group[by_target[part]], row_of[by_target[part]] - start)
                for part in _runs(target[group[by_target]])
            ],
        )  # fmt: skip


def _placed(bins: Floats, own: Floats, is_finer: npt.NDArray[np.bool_], lengths: Whole, k: int, b: int) -> Whole:
    """Where among bins at a resolution those of sources are, of which some are finer."""
    if b < 0:
        return places(bins, own)
    if _is_even(bins, k, b):
        return places(bins, own, 2.0**k, within=bool(is_finer.any()))
    return places(bins, _coarser(own, np.repeat(is_finer, lengths), k, b), 2.0**k)


def _is_even(bins: Floats, k: int, b: int) -> bool:
    """Whether bins are all as wide. What is farther away than they are is none of them then, even rounded as they are."""
    return len(bins) > 0 and bool(max(-bins[0], bins[-1]) < 2.0 ** min(1023, k + b + 1))


def _coarser(own: Floats, is_finer: npt.NDArray[np.bool_], k: int, b: int) -> Floats:
    """Bins of which some are finer, at a resolution."""
    finer = np.flatnonzero(is_finer)
    if len(finer):
        own = own.copy()
        own[finer] = _at(own[finer], k, b)
    return own


class _Tables(NamedTuple):
    """Features of the target, each at a resolution, as tables to look bins up in, one after the other. n of them.

    step: width of a bin. low: which multiple of it a table begins with. last: how many it has but one. begin: where it begins.
    place: of each bin, from 0; ``NONE`` where the target has it not. first, width: where its counts begin, and how many.
    counts, shares: of all. negentropy: sum of q ln q of each.
    """

    step: Floats
    low: Floats
    last: Floats
    begin: Whole
    place: Whole
    first: Whole
    width: Whole
    counts: Floats
    shares: Floats
    negentropy: Floats


def looked_up_in(targets: Histograms, pairs: Pairs) -> tuple[_Tables, Whole]:
    """The tables that pairs need, and which of them each pair does; -1 where bins are too far apart for a table."""
    wanted, first, of_pair = np.unique(
        (pairs.target << 18) + ((pairs.k + 1024) << 6) + pairs.b + 1, return_index=True, return_inverse=True
    )
    number = np.full(len(wanted), -1)
    rows: list[tuple[float, float, float]] = []
    places_of, counts_of, shares_of = [], [], []
    for place, pair in enumerate(first.tolist()):
        row, k, b = int(pairs.target[pair]), int(pairs.k[pair]), int(pairs.b[pair])
        part = slice(targets.starts[row], targets.starts[row + 1])
        bins, at = np.unique(_at(targets.bins[part], k, b), return_inverse=True)
        if b < 0 or not _is_even(bins, k, b) or not is_narrow(bins, 2.0**k):
            continue
        number[place] = len(rows)
        # At either end is a place of none.
        low = bins[0] / 2.0**k - 1
        table = np.full(int(bins[-1] / 2.0**k - low) + 2, NONE)
        table[(bins / 2.0**k - low).astype(np.intp)] = np.arange(len(bins))
        rows.append((2.0**k, low, len(table) - 1.0))
        places_of.append(table)
        counts_of.append(np.bincount(at.reshape(-1), targets.counts[part]))
        shares_of.append(counts_of[-1] / targets.sizes[row])
    step, low, last = np.array(rows).reshape(-1, 3).T
    width = np.array([len(shares) for shares in shares_of], np.int64)
    counts, shares = (np.concatenate([*each, np.empty(0)]) for each in (counts_of, shares_of))
    length = last.astype(np.int64) + 1
    place_of = np.concatenate([*places_of, np.empty(0, np.int64)])
    negentropy = np.array([(each * np.log(each)).sum() for each in shares_of])
    begin, first = length.cumsum() - length, width.cumsum() - width
    tables = _Tables(step, low, last, begin, place_of, first, width, counts, shares, negentropy)
    return tables, number[of_pair.reshape(-1)]


def similarities(
    sources: Histograms,
    targets: Histograms,
    pairs: Pairs,
    *,
    divergence_within: float = math.inf,
    within: float = math.inf,
    looked_up: tuple[_Tables, Whole] | None = None,
) -> tuple[Floats, Floats]:
    """Sums over the bins that both sides have: 2 p q / (p + q), and p ln p + q ln q - (p + q) ln (p + q).

    divergence_within: distance below which the second is wanted; it is anything for other pairs. within: squared Hellinger
    distance below which a pair is wanted at all; both are 0 for others. looked_up: ``looked_up_in`` of these pairs, where it is
    known. Returns two arrays, a number for each pair. A distance is 1 less the first, a JS divergence ln 2 and half of the
    second: what only one side has cancels.
    """
    if within < 1 or _is_shared(pairs):
        return _block_by_block(sources, targets, pairs, divergence_within, within)

    def by_table(tables: _Tables, table: Whole, some: Pairs) -> tuple[Floats, Floats]:
        return _similarities(sources, tables, table, some, divergence_within > 0)

    def by_block(some: Pairs) -> tuple[Floats, Floats]:
        return _block_by_block(sources, targets, some, divergence_within, within)

    return _by_table_or_block(looked_up or looked_up_in(targets, pairs), pairs, by_table, by_block)


def _by_table_or_block(
    looked_up: tuple[_Tables, Whole],
    pairs: Pairs,
    by_table: Callable[[_Tables, Whole, Pairs], tuple[Floats, Floats]],
    by_block: Callable[[Pairs], tuple[Floats, Floats]],
) -> tuple[Floats, Floats]:
    """Two numbers of each pair: of those that have a table, as many at a time as the cache holds, and of the others."""
    tables, table = looked_up
    found = np.zeros((2, len(pairs.source)))
    chosen, others = np.flatnonzero(table >= 0), np.flatnonzero(table < 0)
    chosen = chosen[np.argsort(pairs.source[chosen], kind="stable")]
    cells = tables.width[table[chosen]].cumsum()

    def fill(part: Whole) -> None:
        found[:, part] = by_table(tables, table[part], pairs.of(part))

    if len(chosen):
        for_each(fill, np.split(chosen, np.flatnonzero(np.diff(cells // BLOCK)) + 1))
    if len(others):
        found[:, others] = by_block(pairs.of(others))
    return found[0], found[1]


class _Cells(NamedTuple):
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

    def of_target(self, tables: _Tables, table: Whole) -> Whole:
        """Where among the shares and counts of the tables that of each cell is."""
        return np.arange(int(self.width.sum())) + np.repeat(tables.first[table] - self.first, self.width)


def _cells(sources: Histograms, tables: _Tables, table: Whole, pairs: Pairs) -> _Cells:
    at, lengths = sources.span(pairs.source)
    bins = sources.bins[at]
    # What is far away or infinite is none.
    with np.errstate(over="ignore"):
        step = bins / np.repeat(tables.step[table], lengths)
    if pairs.is_finer.any():
        below = np.flatnonzero((step > -1) & (bins < 0))
        np.floor(step, out=step)
        # The quotient of what is next to nothing is 0.
        step[below] = -1
    step -= np.repeat(tables.low[table], lengths)
    np.fmin(np.fmax(step, 0, out=step), np.repeat(tables.last[table], lengths), out=step)
    width = tables.width[table]
    first = width.cumsum() - width
    cell = tables.place[step.astype(np.intp) + np.repeat(tables.begin[table], lengths)]
    cell += np.repeat(first, lengths)
    return _Cells(first, width, at, lengths, np.minimum(cell, int(width.sum()), out=cell))


def _similarities(sources: Histograms, tables: _Tables, table: Whole, pairs: Pairs, divergence: bool) -> tuple[Floats, Floats]:
    cells = _cells(sources, tables, table, pairs)
    p = cells.summed(sources.counts[cells.at] / np.repeat(sources.sizes[pairs.source], cells.lengths))
    q = tables.shares[cells.of_target(tables, table)]
    both = p + q
    affinity = np.add.reduceat(2 * p * q / both, cells.first)
    if not divergence:
        return affinity, np.zeros(len(table))
    return affinity, np.add.reduceat(_negentropy(p) - both * np.log(both), cells.first) + tables.negentropy[table]


def _block_by_block(
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
                gain[chosen[near]] = (_negentropy(p) - both * np.log(both)).sum(axis=1) + (q * np.log(q)).sum()

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


def _negentropy(mass: Floats) -> Floats:
    # m ln m, continued by 0.
    return np.asarray(mass * np.log(mass + 1e-300))


def expected_errors(
    sources: Histograms, targets: Histograms, pairs: Pairs, *, looked_up: tuple[_Tables, Whole] | None = None
) -> tuple[Floats, Floats]:
    """The distance to expect between two samples of one distribution of the sizes of both sides, and its variance.

    The distribution is that of both sides together. looked_up: as of ``similarities``. Returns two arrays, a number for each
    pair.
    """

    def by_table(tables: _Tables, table: Whole, some: Pairs) -> tuple[Floats, Floats]:
        cells = _cells(sources, tables, table, some)
        amounts = sources.counts[cells.at]
        together = cells.summed(amounts) + tables.counts[cells.of_target(tables, table)]
        pair = np.arange(len(table))
        # What only the source has: bins that fall together are one.
        single = np.flatnonzero(cells.cell == len(together))
        owner = np.repeat(pair, cells.lengths)[single]
        own = sources.bins[cells.at][single]
        finer = np.flatnonzero(some.is_finer[owner])
        own[finer] = _each_at(own[finer], some.k[owner[finer]], some.b[owner[finer]])
        alone, of = _summed(own, owner, amounts[single])
        n, owner = np.concatenate([together, alone]), np.concatenate([np.repeat(pair, cells.width), of])
        return _errors(n, owner, sources.sizes[some.source], targets.sizes[some.target])

    return _by_table_or_block(
        looked_up or looked_up_in(targets, pairs), pairs, by_table, lambda some: _errors_by_block(sources, targets, some)
    )


def _each_at(bins: Floats, k: Whole, b: Whole) -> Floats:
    """Bins each at a resolution of its own."""
    found = np.empty(len(bins))
    for pair in np.unique(k * 64 + b):
        some = np.flatnonzero(k * 64 + b == pair)
        found[some] = number_bins(bins[some], int(pair) // 64, int(pair) % 64)
    return found


def _errors(n: Floats, owner: Whole, a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Expected distance and variance of pairs of sizes a and b. n: of each bin how often it occurs on both sides; owner: its
    pair."""
    share = ((a + b) / (4 * a * b))[owner]
    seen = 1 - np.exp(2 * n * np.log(np.maximum(np.abs(a - b) / (a + b), 1e-300))[owner])
    expected = np.bincount(owner, share * seen * (1 - n / (a + b)[owner]), len(a))
    variance = np.bincount(owner, share**2 * 2 * seen * (1 - 1 / n), len(a))
    return expected.astype(np.float64, copy=False), variance.astype(np.float64, copy=False)


def _errors_by_block(sources: Histograms, targets: Histograms, pairs: Pairs) -> tuple[Floats, Floats]:
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
            own = _coarser(sources.bins[block.at][single], block.is_finer[source[single]], block.k, block.b)
            alone, pair = _summed(own, position[source[single]], amounts[single])
            n = np.concatenate([together.reshape(-1), alone])
            owner = np.concatenate([np.repeat(np.arange(len(row)), len(columns)), pair])
            b = np.full(len(row), targets.sizes[target])
            expected[chosen], variance[chosen] = _errors(n, owner, sources.sizes[block.source][row], b)
    return expected, variance


def _summed(bins: Floats, owner: Whole, amounts: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], Whole]:
    """Sums of the amounts of the same bin of the same owner, and the owner of each."""
    order = np.lexsort((bins, owner))
    owner, bins = owner[order], bins[order]
    is_first = np.ones(len(order), bool)
    is_first[1:] = (owner[1:] != owner[:-1]) | (bins[1:] != bins[:-1])
    first = np.flatnonzero(is_first)
    return np.add.reduceat(amounts[order], first) if len(first) else np.empty(0), owner[first]


def histograms(features: Columns) -> Histograms:
    """Histograms of the columns size, bins and counts: a row a feature."""
    starts, bins = lists(features["bins"])
    return Histograms(numbers(features["size"]).astype(np.float64), starts, bins, lists(features["counts"])[1])


def _by_part(
    sources: Iterable[Columns], targets: Columns, pairs: Columns
) -> Iterator[tuple[Whole, Histograms, Histograms, Pairs, tuple[_Tables, Whole]]]:
    """Of each part of the sources: the places of the pairs that these are in, both sides' histograms, these pairs, and the tables
    that they are looked up in."""
    source = numbers(pairs["source_key"])
    order = np.argsort(source, kind="stable")
    source = source[order]
    theirs = histograms(targets)
    k, b = (numbers_or(pairs[name], -1).astype(np.int64)[order] for name in ("k", "b"))
    is_finer = numbers(pairs["is_finer"].cast(pa.uint8())).astype(bool)[order]
    target = _places(numbers(targets["key"]), numbers(pairs["target_key"]))[order]
    tables, table = looked_up_in(theirs, Pairs(np.empty(0, np.int64), target, k, b, is_finer))
    for part in sources:
        keys = numbers(part["key"])
        first = np.searchsorted(source, keys)
        many = np.searchsorted(source, keys, "right") - first
        row = np.repeat(np.arange(len(keys)), many)
        at = np.arange(len(row)) + np.repeat(first - many.cumsum() + many, many)
        yield order[at], histograms(part), theirs, Pairs(row, target[at], k[at], b[at], is_finer[at]), (tables, table[at])


def _places(keys: npt.NDArray[np.uint64], wanted: npt.NDArray[np.uint64]) -> Whole:
    """Where each wanted key is among the keys, in any order."""
    order = np.argsort(keys)
    return np.asarray(order[np.searchsorted(keys, wanted, sorter=order)])


def compared(sources: Iterable[Columns], targets: Columns, pairs: Columns, asked: Columns) -> dict[str, npt.NDArray[Any]]:
    """``similarities`` of tables.

    sources, targets: features of datasets and of the target (key, size, bins, counts). pairs: of them (pair, source_key,
    target_key, k, b, is_finer). asked: one row, whether the JS divergence is wanted (divergence).
    """
    within = math.inf if asked["divergence"][0].as_py() else 0.0
    found = np.zeros((2, len(pairs["pair"])))
    for at, held, theirs, placed, looked_up in _by_part(sources, targets, pairs):
        found[:, at] = similarities(held, theirs, placed, divergence_within=within, looked_up=looked_up)
    return {"pair": numbers(pairs["pair"]), "affinity": found[0], "entropy_gain": found[1]}


def errors(sources: Iterable[Columns], targets: Columns, pairs: Columns) -> dict[str, npt.NDArray[Any]]:
    """``expected_errors`` of tables, those of ``compared``."""
    found = np.zeros((2, len(pairs["pair"])))
    for at, held, theirs, placed, looked_up in _by_part(sources, targets, pairs):
        found[:, at] = expected_errors(held, theirs, placed, looked_up=looked_up)
    return {"pair": numbers(pairs["pair"]), "expected": found[0], "variance": found[1]}
