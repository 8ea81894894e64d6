"""Partitions that match: the numpy kernels of the macro ``partition_matches`` (section 3.5)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelhub_sql.udfs.arrays import as_arrow, numbers, places
from modelhub_sql.udfs.divergence import Floats, Rows, close_pairs, pair_divergences
from modelhub_sql.udfs.series import DivergenceSeries

__all__ = ["arrow", "matching_pairs", "partition_roots"]

Whole = npt.NDArray[np.integer[Any]]

#: Positions of partitions that are filled in one go.
BLOCK = 1 << 18
#: From so many open pairs a partition on, all pairs by a product take less time (measured).
MANY = 5

MATCH = pa.struct(
    [
        ("owner", pa.uint32()),
        ("source_partition", pa.uint32()),
        ("target_partition", pa.uint32()),
        ("hellinger2", pa.float64()),
    ]
)


def partition_roots(
    counts: Whole,
    begins: Rows,
    totals: Floats,
    features: Whole,
    partitions: Whole,
    positions: Sequence[Rows],
    missing: Rows,
    width: int,
    aligned: bool,
) -> Floats:
    """``sqrt(P)`` of the partitions of a dataset over a space.

    counts: histograms one after the other. begins, totals, features, partitions: of each histogram
    of the dataset its first place in counts, the sum of its counts (0 where the partition has no
    value), its shared feature in [0, len(positions)) and its partition, four arrays of one length.
    positions: of each shared feature, for each of its bins, the position that it has in the space, or -1; several bins
    may have one. missing: of each shared feature, the position of "missing". width: positions of the space. aligned:
    features weigh the same; otherwise their counts are added up.

    Returns the partitions by ``width`` positions and one for the rest; each row has norm 1. A partition without
    any value is NaN where not aligned, and so near nothing.
    """
    shape = len(positions), int(partitions.max(initial=0)) + 1
    begin, total = np.zeros(shape, np.intp), np.zeros(shape)
    begin[features, partitions], total[features, partitions] = begins, totals
    weight = total * len(positions) if aligned else np.broadcast_to(total.sum(axis=0), shape)
    mass = np.zeros((shape[1], width + 1))
    for number, place in enumerate(positions):
        rows, known = np.flatnonzero(total[number]), np.flatnonzero(place >= 0)
        known = known[np.argsort(place[known], kind="stable")]
        # The bins of a finer resolution that fall into one position lie side by side then.
        position, first = np.unique(place[known], return_index=True)
        step = max(1, BLOCK // max(1, len(known)))
        for block in (rows[begun : begun + step] for begun in range(0, len(rows) if len(known) else 0, step)):
            found = counts[begin[number, block, None] + known].astype(np.float64)
            if len(position) < len(known):
                found = np.add.reduceat(found, first, axis=1)
            mass[block[:, None], position] += found / weight[number, block, None]
        if aligned:
            mass[total[number] == 0, missing[number]] = 1 / len(positions)
    mass[:, -1] = np.maximum(0, 1 - mass.sum(axis=1))
    if not aligned:
        mass[weight[0] == 0] = np.nan
    return np.sqrt(mass, out=mass)


def matching_pairs(
    source: Floats, target: Floats, max_js: float, series: DivergenceSeries | None = None
) -> tuple[Rows, Rows, Floats]:
    """The pairs of distributions with a Jensen-Shannon divergence of at most ``max_js`` (Def. 2).

    source, target: sqrt(P) and sqrt(Q) over d bins, shapes (n, d) and (m, d). max_js: in nats.
    series: that of target, where it serves more than one source.

    Returns the rows in source, the rows in target and the squared Hellinger distances, three arrays
    of one length. ln 2 * H**2 <= JS <= H**2: only the pairs between are looked at further, by logarithms,
    or where they are many by a product first, which leaves those near ``max_js``.
    """
    rows, columns, hellinger2 = close_pairs(source, target, max_js / math.log(2))
    matching = hellinger2 <= max_js
    open_pairs = np.flatnonzero(~matching)
    if len(open_pairs) > MANY * (len(source) + len(target)):
        divergences, error = (series or DivergenceSeries(target)).divergences(source)
        estimate = divergences[rows[open_pairs], columns[open_pairs]]
        matching[open_pairs] = estimate <= max_js
        open_pairs = open_pairs[np.abs(estimate - max_js) <= error]
    matching[open_pairs] = pair_divergences(source, target, rows[open_pairs], columns[open_pairs]) <= max_js
    return rows[matching], columns[matching], hellinger2[matching]


class _Histograms:
    """Histograms as DuckDB lists them: all counts one after the other, and of each where it begins and its sum."""

    def __init__(self, listed: pa.StructScalar) -> None:
        self.counts = numbers(listed["counts"].values.flatten())
        lengths = numbers(listed["counts"].values.value_lengths()).astype(np.intp)
        self.begins = np.cumsum(lengths) - lengths
        self.totals = np.zeros(len(lengths))
        if self.counts.size:
            # An empty histogram would be given the first of the next.
            some = lengths > 0
            self.totals[some] = np.add.reduceat(self.counts, self.begins[some], dtype=np.uint64)
        self.partitions = numbers(listed["partition_id"].values)

    def roots(self, rows: Rows, features: Whole, axis: _Axis, bins: list[Floats], slots: Whole, aligned: bool) -> Floats:
        """``partition_roots`` of some of the histograms; features: of each, its number in bins; slots: those of bins."""
        number = np.searchsorted(axis.slots, slots)
        positions = [axis.positions(slot, each) for slot, each in zip(number, bins, strict=True)]
        begins, totals, partitions = self.begins[rows], self.totals[rows], self.partitions[rows]
        missing = axis.ends[number] - 1
        return partition_roots(self.counts, begins, totals, features, partitions, positions, missing, int(axis.ends[-1]), aligned)


class _Axis:
    """The positions of a space: the bins of each slot, ascending, and at last "missing"."""

    def __init__(self, slots: Whole, bins: list[Floats]) -> None:
        self.slots = slots
        self.bins = bins
        self.ends = np.cumsum([len(each) for each in bins])

    def positions(self, slot: int, bins: Floats) -> Rows:
        """Positions of bins in a slot, -1 where it has not."""
        known = self.bins[slot][:-1]
        found = places(known, bins)
        return np.where(found == len(known), -1, found + (self.ends[slot] - len(self.bins[slot])))


def _pairs(
    datasets: pa.ListScalar,
    source_histograms: pa.StructScalar,
    target_histograms: pa.StructScalar,
    aligned: pa.BooleanScalar,
    max_js: pa.DoubleScalar,
) -> Iterator[pa.StructArray]:
    side_by_side, t = aligned.as_py(), max_js.as_py()
    sources, targets = _Histograms(source_histograms), _Histograms(target_histograms)
    owners, listed = (numbers(source_histograms[name].values) for name in ("owner", "number"))
    known, begins = np.unique(np.sort(owners), return_index=True)
    rows_of = dict(zip(known, np.split(np.argsort(owners, kind="stable"), begins[1:]), strict=True))
    features = numbers(target_histograms["feature_id"].values)
    # The target's matrix of a space serves all datasets there, and is held no longer.
    for _, of_space in itertools.groupby(datasets.values, lambda dataset: dataset["space_id"].as_py()):
        target = None
        for dataset in of_space:
            bins, target_bins, axis_bins = (
                [numbers(each.values) for each in dataset[name].values] for name in ("bins", "target_bins", "axis")
            )
            slots, target_slots, axis_slots = (numbers(dataset[name].values) for name in ("slots", "target_slots", "axis_slots"))
            if target is None:
                axis = _Axis(axis_slots, axis_bins)
                shared = numbers(dataset["target_features"].values)
                rows = np.flatnonzero(np.isin(features, shared))
                order = np.argsort(shared)
                place = order[np.searchsorted(shared, features[rows], sorter=order)]
                target = targets.roots(rows, place, axis, target_bins, target_slots, side_by_side)
                series = DivergenceSeries(target)
            owner = dataset["owner"].as_py()
            source = sources.roots(rows_of[owner], listed[rows_of[owner]], axis, bins, slots, side_by_side)
            pairs = matching_pairs(source, target, t, series)
            yield pa.StructArray.from_arrays(
                [
                    as_arrow(side, field.type.to_pandas_dtype())
                    for side, field in zip((np.full(len(pairs[0]), owner), *pairs), MATCH, strict=True)
                ],
                fields=list(MATCH),
            )


def arrow(
    datasets: pa.ChunkedArray,
    source_histograms: pa.ChunkedArray,
    target_histograms: pa.ChunkedArray,
    aligned: pa.ChunkedArray,
    max_js: pa.ChunkedArray,
) -> pa.Array:
    """``matching_pairs`` for DuckDB: a row is a search, all datasets against the target.

    datasets: those of a space one after the other: the bins of the features that are shared, of the dataset and of the
    target in the order of the slots, the slots that they belong to, and the axis, slot by slot. source_histograms: of a
    partition and a feature, by its number among the shared; target_histograms: by the feature's id.
    """
    found: list[pa.StructArray] = []
    ends = [0]
    for search in zip(datasets, source_histograms, target_histograms, aligned, max_js, strict=True):
        found += _pairs(*search)
        ends.append(sum(map(len, found)))
    values = pa.concat_arrays(found) if found else pa.array([], MATCH)
    return pa.ListArray.from_arrays(as_arrow(ends, np.int32), values)
