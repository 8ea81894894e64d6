"""Distances of all pairs of datasets (the numpy kernel of ``shared_pair``): features of one name, at the coarser resolution."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelhub_sql.udfs.arrays import for_each
from modelhub_sql.udfs.dyadic import number_bins

__all__ = ["Named", "arrow", "common_sums", "shared_sums"]

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.intp]
#: k and b, or None for text.
Resolution = tuple[int, int] | None

#: Elements that are computed in one go: what stays in the cache.
CHUNK = 1 << 15
#: Datasets whose pairs with all others are held at a time.
BLOCK = 256

PAIR = pa.struct(
    [
        ("dataset_id", pa.uint32()), ("other_id", pa.uint32()), ("shared_features", pa.uint32()),
        ("shared_distance", pa.float64()), ("shared_js", pa.float64()),
    ]
)  # fmt: skip


class Named(NamedTuple):
    """The features of one name and kind. rows: place of the dataset of each, ascending. bins, shares: what occurs of each,
    and how often of all its values."""

    rows: Whole
    resolutions: list[Resolution]
    bins: list[Floats]
    shares: list[Floats]


def common_sums(source: Floats, target: Floats) -> tuple[Floats, Floats]:
    """Sums over bins of all pairs of distributions: 2 p q / (p + q), and p ln p + q ln q - (p + q) ln (p + q).

    source, target: probabilities, shapes (bins, n) and (bins, m). Returns two arrays of shape (n, m). A JS divergence
    is ln 2 and half of the second; only bins that both sides have add to either.
    """
    affinity = np.zeros((source.shape[1], target.shape[1]))
    gain = np.zeros_like(affinity)
    alone, other_alone = _negentropy(source), _negentropy(target)
    # Few pairs: many bins at once.
    if affinity.size * 2 <= CHUNK:
        step = CHUNK // max(1, affinity.size)
        for start in range(0, len(source), step):
            part = slice(start, start + step)
            p, q = source[part, :, None], target[part, None, :]
            both = p + q
            affinity += (2 * p * q / np.maximum(both, 1e-300)).sum(axis=0)
            gain += (alone[part, :, None] + other_alone[part, None, :] - _negentropy(both)).sum(axis=0)
        return affinity, gain
    for masses, other_masses, negentropy, other_negentropy in zip(source, target, alone, other_alone, strict=True):
        having, columns = np.flatnonzero(masses), _side(other_masses)
        if not len(having):
            continue
        q, q_negentropy = other_masses[columns], other_negentropy[columns]
        step = max(1, CHUNK // max(1, len(q)))
        for start in range(0, len(having), step):
            rows = having[start : start + step]
            p = masses[rows, None]
            both = p + q
            product = 2 * p * q
            product /= both
            logarithm = np.log(both)
            logarithm *= both
            np.subtract(negentropy[rows, None] + q_negentropy, logarithm, out=logarithm)
            if isinstance(columns, slice) and rows[-1] - rows[0] == len(rows) - 1:
                affinity[rows[0] : rows[-1] + 1, columns] += product
                gain[rows[0] : rows[-1] + 1, columns] += logarithm
                continue
            for row, of_affinity, of_gain in zip(rows, product, logarithm, strict=True):
                affinity[row, columns] += of_affinity
                gain[row, columns] += of_gain
    return affinity, gain


def _side(masses: Floats) -> slice | Whole:
    """Where there is mass: a slice, with some places between that have none, is much faster than a list of places."""
    having = np.flatnonzero(masses)
    if not len(having):
        return slice(0, 0)
    first, last = int(having[0]), int(having[-1]) + 1
    return slice(first, last) if 2 * len(having) > last - first else having


def shared_sums(named: Sequence[Named], first: int, last: int, datasets: int) -> tuple[Whole, Floats, Floats]:
    """What the datasets ``first`` to ``last`` (excluded) share with each from ``first`` on.

    named: the features, by name. datasets: how many there are. Returns how many features of one name, the sum of their
    distances and of their JS divergences, three arrays of shape (last - first, datasets).
    """
    shared = np.zeros((last - first, datasets), np.intp)
    distance, js = np.zeros(shared.shape), np.zeros(shared.shape)
    involved = [each for each in named if np.searchsorted(each.rows, first) < np.searchsorted(each.rows, last)]
    for blocks in for_each(lambda each: list(_compared(each, first, last)), involved):
        for rows, columns, affinity, gain in blocks:
            place = np.ix_(rows - first, columns)
            shared[place] += 1
            # As the relation of SQL settles them.
            distance[place] += np.round(np.maximum(0, 1 - affinity), 12)
            js[place] += np.round(np.maximum(0, math.log(2) + gain / 2), 12)
    return shared, distance, js


def _compared(named: Named, first: int, last: int) -> Iterator[tuple[Whole, Whole, Floats, Floats]]:
    """Sums of the features of one name: datasets of one resolution at a time, those and these at the coarser of the two."""
    by_resolution: dict[tuple[int, int] | None, list[int]] = {}
    for place in range(int(np.searchsorted(named.rows, first)), len(named.rows)):
        by_resolution.setdefault(named.resolutions[place], []).append(place)
    for places in by_resolution.values():
        # What is alike side by side: bins that it has are side by side then.
        places.sort(key=lambda place: (bool(named.rows[place] >= last), float(named.bins[place] @ named.shares[place])))
    # The same features at the same resolution serve several blocks.
    resolved: dict[tuple[Resolution, Resolution], _Resolved] = {}

    def at(own: Resolution, resolution: Resolution) -> _Resolved:
        if (own, resolution) not in resolved:
            resolved[own, resolution] = _Resolved(named, by_resolution[own], None if own == resolution else resolution)
        return resolved[own, resolution]

    for own, places in by_resolution.items():
        within = int((named.rows[places] < last).sum())
        for other in by_resolution if within else ():
            coarser = None if own is None or other is None else (max(own[0], other[0]), min(own[1], other[1]))
            source, target = at(own, coarser), at(other, coarser)
            _, here, there = np.intersect1d(source.bins, target.bins, assume_unique=True, return_indices=True)
            sums = common_sums(source.shares[here][:, :within], target.shares[there])
            yield named.rows[places[:within]], named.rows[by_resolution[other]], *sums


class _Resolved:
    """Some of the features of a name at one resolution. bins: ascending. shares: of each bin and feature."""

    def __init__(self, named: Named, places: Sequence[int], resolution: Resolution) -> None:
        bins = np.concatenate([named.bins[place] for place in places])
        if resolution is not None:
            bins = number_bins(bins, *resolution)
        self.bins, position = np.unique(bins, return_inverse=True)
        column = np.repeat(np.arange(len(places)), [len(named.bins[place]) for place in places])
        self.shares: Floats = (
            np.bincount(
                position.reshape(-1) * len(places) + column,
                np.concatenate([named.shares[place] for place in places]),
                len(self.bins) * len(places),
            )
            .reshape(len(self.bins), len(places))
            .astype(np.float64, copy=False)
        )


def _negentropy(mass: Floats) -> Floats:
    # m ln m, continued by 0.
    return np.asarray(mass * np.log(mass + 1e-300))


def _by_name(features: pa.StructScalar) -> tuple[npt.NDArray[np.uint32], list[Named]]:
    ids, names, sizes = (features[name].values.to_numpy() for name in ("dataset_id", "name_id", "size"))
    ks, bs = (features[name].values.to_pylist() for name in ("k", "b"))
    ends = np.cumsum(features["bins"].values.value_lengths().to_numpy())[:-1]
    bins = np.split(features["bins"].values.flatten().to_numpy(), ends)
    counts = np.split(features["counts"].values.flatten().to_numpy(), ends)
    datasets, rows = np.unique(ids, return_inverse=True)
    order = np.lexsort((rows, names))
    begins = np.flatnonzero(np.diff(names[order], prepend=names[order[:1]] + 1))
    return datasets, [
        Named(
            rows[places],
            [None if ks[place] is None else (ks[place], bs[place]) for place in places],
            [bins[place] for place in places],
            [counts[place] / max(1, sizes[place]) for place in places],
        )
        for places in np.split(order, begins[1:])
    ]


def arrow(hubs: pa.ChunkedArray) -> pa.Array:
    """``shared_sums`` for DuckDB: a row is a hub: of each feature its dataset, the number of its name and kind, k and b (NULL
    for text), its values in all, its bins and their counts. Pairs that share nothing are left out."""
    found: list[pa.StructArray] = []
    ends = [0]
    for features in hubs:
        datasets, named = _by_name(features)
        for first in range(0, len(datasets), BLOCK):
            shared, *sums = shared_sums(named, first, min(first + BLOCK, len(datasets)), len(datasets))
            rows, columns = np.nonzero(np.triu(shared, first + 1))
            pairs = [datasets[rows + first], datasets[columns], *(each[rows, columns] for each in (shared, *sums))]
            found.append(
                pa.StructArray.from_arrays(
                    [pa.array(each).cast(field.type) for each, field in zip(pairs, PAIR, strict=True)], fields=list(PAIR)
                )
            )
        ends.append(sum(map(len, found)))
    values = pa.concat_arrays(found) if found else pa.array([], PAIR)
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), values)
