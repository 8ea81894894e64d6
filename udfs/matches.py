"""Partitions that match: the numpy kernels of the macro ``partition_matches`` (section 3.5)."""

from __future__ import annotations

import math
from collections.abc import Sequence
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


def arrow(
    counts: pa.ChunkedArray,
    owners: pa.ChunkedArray,
    features: pa.ChunkedArray,
    partitions: pa.ChunkedArray,
    places: pa.ChunkedArray,
    target_roots: pa.ChunkedArray,
    target_partitions: pa.ChunkedArray,
    aligned: pa.ChunkedArray,
    max_js: pa.ChunkedArray,
) -> pa.Array:
    """``matching_pairs`` for DuckDB: a row is a space: its histograms, its datasets' places by owner, the target's matrix."""
    found = []
    ends = [0]
    spaces = zip(counts, owners, features, partitions, places, target_roots, target_partitions, aligned, max_js, strict=True)
    for histograms, *numbers, slots, target_matrix, target_partition, side_by_side, t in spaces:
        flat = histograms.values.flatten().to_numpy()
        lengths = histograms.values.value_lengths().to_numpy().astype(np.intp)
        begins = np.cumsum(lengths) - lengths
        sums = np.concatenate([[0], np.cumsum(flat, dtype=np.float64)])
        totals = sums[begins + lengths] - sums[begins]
        owner, feature, partition = (number.values.to_numpy() for number in numbers)
        order = np.argsort(owner, kind="stable")
        bounds = np.flatnonzero(np.diff(owner[order], prepend=-1, append=-1))
        target_ids = target_partition.values.to_numpy()
        target = target_matrix.values.to_numpy().reshape(len(target_ids), -1)
        series = DivergenceSeries(target)
        for start, end, of_features in zip(bounds[:-1], bounds[1:], slots.values, strict=True):
            rows = order[start:end]
            roots = partition_roots(
                flat,
                begins[rows],
                totals[rows],
                feature[rows],
                partition[rows],
                [place.values.to_numpy() for place in of_features.values],
                side_by_side.as_py(),
            )
            sources, targets, hellinger2 = matching_pairs(roots, target, t.as_py(), series)
            pairs = [np.full(len(sources), owner[rows[0]]), sources, target_ids[targets], hellinger2]
            found.append(
                pa.StructArray.from_arrays(
                    [pa.array(side, field.type) for side, field in zip(pairs, MATCH, strict=True)], fields=list(MATCH)
                )
            )
        ends.append(sum(map(len, found)))
    values = pa.concat_arrays(found) if found else pa.array([], MATCH)
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), values)
