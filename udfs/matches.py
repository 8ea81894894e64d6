"""Partitions that match: the numpy kernels of the macro ``partition_matches`` (section 3.5)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelhub_sql.udfs.divergence import Floats, Rows, close_pairs, pair_divergences
from modelhub_sql.udfs.series import DivergenceSeries

__all__ = ["arrow", "matching_pairs", "partition_roots"]

Whole = npt.NDArray[np.unsignedinteger[Any]]

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
    counts: Whole, begins: Rows, totals: Floats, features: Whole, partitions: Whole, places: Sequence[Whole], aligned: bool
) -> Floats:
    """``sqrt(P)`` of the partitions of a dataset over a space.

    counts: histograms one after the other. begins, totals, features, partitions: of each histogram
    of the dataset its first place in counts, the sum of its counts (0 where the partition has no
    value), its shared feature in [0, len(places)) and its partition, four arrays of one length.
    places: of each shared feature, for each bin of its slot, where its histograms have that bin, from 1,
    or 0; the last is that of "missing". aligned: slots lie side by side and weigh the same; otherwise
    all have the same positions and are added up.

    Returns the partitions by d positions and one for the rest; each row has norm 1. A partition without
    any value is NaN where not aligned, and so near nothing.
    """
    shape = len(places), int(partitions.max(initial=0)) + 1
    begin, total = np.zeros(shape, np.intp), np.zeros(shape)
    begin[features, partitions], total[features, partitions] = begins, totals
    ends = np.cumsum([len(place) for place in places]) if aligned else np.full(len(places), len(places[0]))
    mass = np.zeros((shape[1], int(ends[-1]) + 1))
    if aligned:
        # Of each position that a histogram has: its feature and its place in the histogram.
        slot, place = np.repeat(np.arange(len(places)), [len(place) for place in places]), np.concatenate(places).astype(np.intp)
        known = np.flatnonzero(place)
        slot, place = slot[known], place[known] - 1
        # No mass, instead of a division by 0, where a partition has no value.
        weight = np.where(total > 0, total * len(places), np.inf)
        step = max(1, BLOCK // max(1, len(known)))
        for first in range(0, shape[1] if len(counts) else 0, step):
            block = slice(first, first + step)
            mass[block, known] = counts.take(begin[slot, block].T + place, mode="clip") / weight[slot, block].T
        for number in np.flatnonzero((total == 0).any(axis=1)):
            mass[total[number] == 0, ends[number] - 1] = 1 / len(places)
    else:
        weight = total.sum(axis=0)
        for histogram_place, start, sums in zip(places, begin, total, strict=True):
            rows, known = np.flatnonzero(sums), np.flatnonzero(histogram_place)
            found = counts[start[rows, None] + (histogram_place[known].astype(np.intp) - 1)]
            mass[rows[:, None], known] += found / weight[rows, None]
    mass[:, -1] = np.maximum(0, 1 - mass.sum(axis=1))
    if not aligned:
        mass[weight == 0] = np.nan
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


def places(axis: Whole, bins: Whole) -> Whole:
    """For each bin of an axis where ``bins`` has it, counted from 1; 0 where it has not. Shape of axis."""
    order = np.argsort(bins)
    found = order[np.minimum(np.searchsorted(bins, axis, sorter=order), len(bins) - 1)]
    return np.where(bins[found] == axis, found + 1, 0).astype(np.uint32)


class _Histograms:
    """Histograms as DuckDB lists them: all counts one after the other, and of each where it begins and its sum."""

    def __init__(self, listed: pa.StructScalar) -> None:
        self.counts = listed["counts"].values.flatten().to_numpy()
        lengths = listed["counts"].values.value_lengths().to_numpy().astype(np.intp)
        self.begins = np.cumsum(lengths) - lengths
        sums = np.concatenate([[0], np.cumsum(self.counts, dtype=np.float64)])
        self.totals = sums[self.begins + lengths] - sums[self.begins]
        self.partitions = listed["partition_id"].values.to_numpy()

    def roots(self, rows: Rows, features: Whole, axis: list[Whole], bins: list[Whole], aligned: bool) -> Floats:
        """``partition_roots`` of some of the histograms; features: of each, its number in bins."""
        of_features = [places(axis[number if aligned else 0], each) for number, each in enumerate(bins)]
        begins, totals, partitions = self.begins[rows], self.totals[rows], self.partitions[rows]
        return partition_roots(self.counts, begins, totals, features, partitions, of_features, aligned)


def _pairs(
    datasets: pa.ListScalar,
    source_histograms: pa.StructScalar,
    target_histograms: pa.StructScalar,
    aligned: pa.BooleanScalar,
    max_js: pa.DoubleScalar,
) -> Iterator[pa.StructArray]:
    side_by_side, t = aligned.as_py(), max_js.as_py()
    sources, targets = _Histograms(source_histograms), _Histograms(target_histograms)
    owners, numbers = (source_histograms[name].values.to_numpy() for name in ("owner", "number"))
    known, begins = np.unique(np.sort(owners), return_index=True)
    rows_of = dict(zip(known, np.split(np.argsort(owners, kind="stable"), begins[1:]), strict=True))
    features = target_histograms["feature_id"].values.to_numpy()
    # The target's matrix of a space serves all datasets there, and is held no longer.
    for _, of_space in itertools.groupby(datasets.values, lambda dataset: dataset["space_id"].as_py()):
        target = None
        for dataset in of_space:
            axis, bins, target_bins = (
                [each.values.to_numpy() for each in dataset[name].values] for name in ("axis", "bins", "target_bins")
            )
            if target is None:
                place = places(features, dataset["target_features"].values.to_numpy())
                rows = np.flatnonzero(place)
                target = targets.roots(rows, place[rows] - 1, axis, target_bins, side_by_side)
                series = DivergenceSeries(target)
            owner = dataset["owner"].as_py()
            source = sources.roots(rows_of[owner], numbers[rows_of[owner]], axis, bins, side_by_side)
            pairs = matching_pairs(source, target, t, series)
            yield pa.StructArray.from_arrays(
                [pa.array(side, field.type) for side, field in zip((np.full(len(pairs[0]), owner), *pairs), MATCH, strict=True)],
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
    target in the order of the slots, and those of the axis, slot by slot or of all together. source_histograms: of a
    partition and a feature, by its number among the shared; target_histograms: by the feature's id.
    """
    found: list[pa.StructArray] = []
    ends = [0]
    for search in zip(datasets, source_histograms, target_histograms, aligned, max_js, strict=True):
        found += _pairs(*search)
        ends.append(sum(map(len, found)))
    values = pa.concat_arrays(found) if found else pa.array([], MATCH)
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), values)
