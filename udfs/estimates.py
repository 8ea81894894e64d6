"""Datasets whose features of other names may be like the target's: the numpy kernel of ``promising_dataset``.

In a hub of hundreds of datasets nearly none of those that share no name with the target is among the nearest. What the
features of each have in common with the target's is estimated here, in one product for many, so that only those of the
first are compared exactly.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelhub_sql.udfs.arrays import for_each, numbers, places
from modelhub_sql.udfs.blocks import placed
from modelhub_sql.udfs.cells import TEXT, Features, by_kind, without_match
from modelhub_sql.udfs.dyadic import Floats
from modelhub_sql.udfs.features import at_resolution
from modelhub_sql.udfs.tables import Columns

__all__ = ["Nearest", "coefficients", "grids", "likeness"]

Whole = npt.NDArray[np.int64]
Shares = npt.NDArray[np.float32]

#: Cells of a table, features by bins of the target, that is filled at a time.
CELLS = 1 << 17
#: Resolutions (k) that are farther apart are those of features that are not alike.
STEPS = 2
#: The coarsest resolution of all.
WIDEST = 1022
#: A pair counts in whole where its squared Hellinger distance is this share of the bar, and less and less up to the second; the
#: same of its share of that of the next. A squared Hellinger distance is between the JS divergence and 1.44 times it.
BAR = (0.93, 1.33)
RIVAL = (0.9, 1.1)
#: A squared Hellinger distance that none has.
NONE = np.float32(2)


class Grid(NamedTuple):
    """Features of the target at one resolution (k, b), their own or the next finer's. bins: all that they have, ascending, (m,).

    targets: their places. roots: of each their square roots of shares, (m, targets), at resolutions from k to k + STEPS.
    """

    k: int
    b: int
    bins: Floats
    targets: Whole
    roots: list[Shares]


def grids(kind: int, targets: Features) -> list[Grid]:
    """The features of the target that are of one kind, by their resolutions, two of which are one."""
    held = targets.histograms
    found = []
    left = np.arange(len(targets.k))
    while len(left):
        k = int(targets.k[left].max())
        is_near = targets.k[left] >= k - 1
        chosen, left = left[is_near], left[~is_near]
        b = int(targets.b[chosen].min())
        parts = [slice(held.starts[row], held.starts[row + 1]) for row in chosen]
        steps = range(1 if kind == TEXT else STEPS + 1)
        at = [[at_resolution(held.bins[part], min(k + step, WIDEST), b) for part in parts] for step in steps]
        bins = np.unique(np.concatenate(list(itertools.chain.from_iterable(at))))
        roots = []
        for features in at:
            counted = [
                np.bincount(np.searchsorted(bins, own), held.counts[part], len(bins))
                for own, part in zip(features, parts, strict=True)
            ]
            roots.append(np.sqrt(np.array(counted, np.float32).T / held.sizes[chosen].astype(np.float32)))
        found.append(Grid(k, b, bins, chosen, roots))
    return found


def coefficients(sources: Features, rows: Whole, of_targets: list[Grid]) -> Shares:
    """Bhattacharyya coefficients sum sqrt(p q) of some sources and the targets of each grid, (rows, targets), estimated.

    At the resolution of the target, or of the source where its bins are wider; 0 where these are farther apart than ``STEPS``.
    """
    held = sources.histograms
    found = np.zeros((len(rows), sum(len(grid.targets) for grid in of_targets)), np.float32)
    stop = 0
    for grid in of_targets:
        begin, stop = stop, stop + len(grid.targets)
        is_near = (sources.k[rows] <= grid.k + STEPS) & (sources.k[rows] >= grid.k - STEPS - 1)
        # Most are; without the others there would be more to copy.
        near = np.flatnonzero(is_near) if 2 * np.count_nonzero(is_near) < len(rows) else np.arange(len(rows))
        if not len(near):
            continue
        chosen = rows[near]
        at, lengths = held.span(chosen)
        columns = len(grid.bins) + 1
        cell = np.repeat(np.arange(len(chosen)) * columns, lengths)
        cell += placed(grid.bins, held.bins[at], np.ones(len(chosen), bool), lengths, grid.k, grid.b)
        counted = np.bincount(cell, held.counts[at], len(chosen) * columns).reshape(len(chosen), columns)
        roots = np.sqrt(counted[:, :-1].astype(np.float32))
        alike = roots @ grid.roots[0]
        for step in range(1, len(grid.roots)):
            wider = np.flatnonzero(sources.k[chosen] == grid.k + step)
            alike[wider] = roots[wider] @ grid.roots[step]
        alike *= (is_near[near] / np.sqrt(held.sizes[chosen])).astype(np.float32)[:, None]
        found[near, begin:stop] = alike
    return found


class Nearest:
    """What of some datasets is nearest to each feature of the target, and next, gathered part by part.

    apart: squared Hellinger distances, (datasets, targets); ``NONE`` where a dataset has none.
    """

    def __init__(self, datasets: int, targets: int) -> None:
        self.first = np.full((datasets, targets), NONE)
        self.second = np.full((datasets, targets), NONE)
        self._sources: list[tuple[Whole, Whole, Shares, Shares]] = []

    def add(self, apart: Shares, starts: Whole, datasets: Whole, js: float) -> None:
        """apart: of some sources, side by side for each of datasets, from starts, and all targets."""
        owner = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(apart)))
        first = np.minimum.reduceat(apart, starts, axis=0)
        is_first = apart == first[owner]
        second = np.minimum.reduceat(np.where(is_first, NONE, apart), starts, axis=0)
        # Of two that are as near, one is the next.
        second = np.where(np.add.reduceat(is_first, starts, axis=0, dtype=np.uint16) > 1, first, second)
        before = self.first[datasets]
        self.first[datasets] = np.minimum(before, first)
        self.second[datasets] = np.minimum(np.minimum(self.second[datasets], second), np.maximum(before, first))
        column = apart.argmin(axis=1)
        found = apart[np.arange(len(apart)), column]
        some = np.flatnonzero(found < BAR[1] * js)
        others = apart[some]
        others[np.arange(len(some)), column[some]] = NONE
        self._sources.append((datasets[owner[some]], column[some], found[some], others.min(axis=1)))

    def matches(self, js: float, own_share: float | None) -> npt.NDArray[np.float64]:
        """How much of the target each dataset is likely to match, (datasets,), in features.

        js: a match is below it. own_share: and below this share of the next of either side, where that is asked. A match
        counts as 1 less its distance, of which (sum sqrt(p q))^2 is an estimate.
        """
        if not self._sources:
            return np.zeros(len(self.first))
        dataset, column, found, following = (np.concatenate(side) for side in zip(*self._sources, strict=True))
        weight = _falling(found / js, *BAR) * (found == self.first[dataset, column])
        if own_share is not None:
            following = np.minimum(following, self.second[dataset, column])
            weight *= _falling(found / (own_share * np.maximum(following, 1e-30)), *RIVAL)
        return np.bincount(dataset, weight * (1 - found) ** 2, len(self.first)).astype(np.float64)


def _falling(value: npt.NDArray[Any], whole: float, none: float) -> npt.NDArray[Any]:
    """1 up to the first, 0 from the second on, between them a line."""
    return np.asarray(np.clip((none - value) / (none - whole), 0, 1))


def likeness(sources: Iterable[Columns], targets: Columns, still_open: Columns, rules: Columns) -> dict[str, npt.NDArray[Any]]:
    """``Nearest.matches`` of tables, those of ``cells.compared``; of rules kind, js (of a rival) and own_share are read.

    Returns each dataset that has such features, and its sum.
    """
    theirs = by_kind(targets)
    given = {rule["kind"]: rule for rule in pa.table(dict(rules)).to_pylist()}
    datasets = np.unique(numbers(still_open["dataset_id"]))
    of_targets = {kind: grids(kind, target) for kind, (_, target) in theirs.items()}
    tables = {
        kind: without_match(datasets, keys[np.concatenate([grid.targets for grid in of_targets[kind]])], still_open)
        for kind, (keys, _) in theirs.items()
    }
    found = {kind: Nearest(*tables[kind].shape) for kind in theirs}
    bars = {kind: given[kind]["js"] * (given[kind]["own_share"] or 1) for kind in theirs}
    for part in sources:
        own = by_kind(part)
        for kind in own.keys() & theirs.keys():
            keys, source = own[kind]
            _gather(found[kind], source, places(datasets, keys >> np.uint64(16), 1.0), tables[kind], of_targets[kind], bars[kind])
    sums = np.sum([found[kind].matches(bars[kind], given[kind]["own_share"]) for kind in theirs], axis=0)
    return {"dataset_id": datasets.astype(np.uint64), "likeness": sums[:-1]}


def _gather(
    found: Nearest, source: Features, dataset: Whole, is_open: npt.NDArray[np.bool_], of_targets: list[Grid], js: float
) -> None:
    """Add the features of one kind of a part. dataset: of each, from 0. is_open: which targets have no match in each."""
    order = np.argsort(dataset, kind="stable")
    firsts = np.flatnonzero(np.diff(dataset[order], prepend=-1))
    # As many at a time as the cache holds; those of a dataset together.
    targets = is_open.shape[1]
    step = max(1, CELLS // max(targets, *(len(grid.bins) + 1 for grid in of_targets)))
    chunks = np.split(np.arange(len(firsts)), np.flatnonzero(np.diff(firsts // step)) + 1)

    def add(chunk: Whole) -> None:
        begin = int(firsts[chunk[0]])
        rows = order[begin : int(firsts[chunk[-1] + 1]) if chunk[-1] + 1 < len(firsts) else None]
        apart = 1 - coefficients(source, rows, of_targets)
        apart[~is_open[dataset[rows]]] = NONE
        found.add(apart, firsts[chunk] - begin, dataset[order[firsts[chunk]]], js)

    for_each(add, chunks)
