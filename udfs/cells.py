"""Features of other names that are alike: the numpy kernel of ``open_pair``.

Each feature is its cells, on a grid that is one for all features of a kind, and how often each is replicated: its MinHash
elements (section 3.4). The Jaccard similarity of two features is computed from them exactly.
"""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelhub_sql.udfs.arrays import for_each, lists, numbers, numbers_or, places
from modelhub_sql.udfs.dyadic import Floats
from modelhub_sql.udfs.features import Histograms, Pairs
from modelhub_sql.udfs.similarities import histograms, similarities
from modelhub_sql.udfs.tables import Columns

__all__ = [
    "TEXT",
    "Alike",
    "Features",
    "Rules",
    "by_kind",
    "cells",
    "compared",
    "open_pairs",
    "replicas",
    "shares_band",
    "without_match",
]

Whole = npt.NDArray[np.int64]

NUMBER, TIME, TEXT = range(3)
#: A cell of times: 2^45 microseconds.
TIME_CELL = 2.0**45
#: A bin of times lies in as many cells as it covers, an eighth of it at a time.
PARTS = 8
#: Cells of a table, features by cells, that is filled at a time.
BLOCK = 1 << 18

#: JS divergences are rounded to 12 digits before they are compared.
ROUNDING = 1e-9


class Features(NamedTuple):
    """n features of one kind. k, b: resolution; -1 for b of text. elements: replicas of all cells. minhash: signatures,
    (n, functions); (n, 0) where bands miss no pair that is alike."""

    histograms: Histograms
    k: Whole
    b: Whole
    elements: Floats
    minhash: npt.NDArray[np.uint32]


class Rules(NamedTuple):
    """What a pair must hold. jaccard: it is above this. js: its JS divergence is below this; None for any.

    replicas: of the hub's format. rows: functions of a MinHash band; one band must be equal.
    """

    jaccard: float
    js: float | None
    replicas: int
    rows: int


class Open(NamedTuple):
    """Which features of the target have no match so far. dataset: of each source, from 0. table: (datasets, targets)."""

    dataset: Whole
    table: npt.NDArray[np.bool_]


class Alike(NamedTuple):
    """Pairs, arrays of one length. source, target: places of the features. js, distance: how much they differ."""

    source: Whole
    target: Whole
    jaccard: Floats
    js: Floats
    distance: Floats


def number_cells(bins: Floats) -> Floats:
    """The quarter of an octave that each bin begins in, on either side of 0."""
    # Of a double: sign, exponent and the first four bits of what follows.
    head = np.ascontiguousarray(bins).view(np.uint16)[3 if sys.byteorder == "little" else 0 :: 4].copy()
    # Next to nothing a number has no exponent of its own, and the last quarter has none after it.
    exponent = head & 0x7FF0
    odd = np.flatnonzero((exponent == 0) | (exponent >= 0x7FE0))
    # Below 0 a bin begins at its far end: in the next quarter, unless where it ends is where that begins.
    below = np.flatnonzero(head >= 1 << 15)
    beyond = bins[below].view(np.int64) & ((1 << 50) - 1) != 0
    head[below[beyond]] += 4
    found: Floats = _cells_of_heads()[head]
    if len(odd):
        found[odd] = _odd_cells(bins[odd])
    return found


@cache
def _cells_of_heads() -> Floats:
    head = np.arange(1 << 16)
    cell = ((head & 0x7FFF) >> 2) - 4 * 1023 + 4400.0
    return np.where(head < 1 << 15, cell, -cell)


def _odd_cells(bins: Floats) -> Floats:
    size = np.abs(bins)
    bits = size.view(np.int64)
    cell = ((bits >> 50) + ((bins < 0) & (bits & ((1 << 50) - 1) != 0)) - 4 * 1023 + 4400).astype(np.float64)
    tiny = np.flatnonzero((size < 2.0**-1022) & (size > 0))
    if len(tiny):
        # As many octaves up they have an exponent.
        cell[tiny] = np.abs(_odd_cells(np.ldexp(bins[tiny], 100))) - 400
    cell[~np.isfinite(size)] = 9999.0
    return np.where(bins == 0, 0.0, np.copysign(cell, bins))


def _width(bins: Floats, k: Whole, b: Whole) -> Floats:
    """Widths of bins of times, as ``_logic.bin_width``."""
    size = np.abs(bins)
    edge = np.ldexp(1.0, np.minimum(1023, k + b + 1))
    octave = np.frexp(np.where(np.isfinite(size) & (size > 0), size, 1.0))[1] - 1
    far = np.ldexp(1.0, np.maximum(np.maximum(-1074, k), octave - b))
    far = np.where((bins < 0) & (size == np.ldexp(1.0, octave)), far / 2, far)
    width = np.where((size < edge) | (bins == -edge), np.ldexp(1.0, k), far)
    return np.where(np.isinf(bins), 0.0, width)


def cells(kind: int, features: Features, rows: slice) -> tuple[Floats, Floats, Whole]:
    """Cells that the bins of some features lie in, the occurrences of each, and its feature, from 0; a cell may come twice."""
    held = features.histograms
    part = slice(held.starts[rows.start], held.starts[rows.stop])
    bins, counts = held.bins[part], held.counts[part]
    owner = np.repeat(np.arange(rows.stop - rows.start), np.diff(held.starts[rows.start : rows.stop + 1]))
    if kind == NUMBER:
        return number_cells(bins), counts, owner
    if kind == TEXT:
        return bins, counts, owner
    width = _width(bins, features.k[rows][owner], features.b[rows][owner])
    middles = bins[:, None] + (np.arange(PARTS) + 0.5) * width[:, None] / PARTS
    with np.errstate(invalid="ignore"):
        found = np.where(np.isinf(middles), np.copysign(1e6, middles), np.floor(middles / TIME_CELL))
    return found.reshape(-1), np.repeat(counts / PARTS, PARTS), np.repeat(owner, PARTS)


def replicas(counted: Floats, greatest: Floats, total: Floats, wanted: int) -> Floats:
    """How often cells are replicated. counted: (n, cells). greatest, total: of each of n features, (n,)."""
    with np.errstate(divide="ignore"):
        scale = np.maximum(wanted / np.sqrt(total), 0.500001 / np.sqrt(greatest))
    scaled = scale[:, None] * np.sqrt(counted)
    whole = np.floor(scaled)
    return np.asarray(whole + (scaled - whole >= 0.5))


def _parts(features: Features, known: Floats) -> list[slice]:
    step = max(1, BLOCK // (len(known) + 1))
    return [slice(start, min(len(features.k), start + step)) for start in range(0, len(features.k), step)]


def _table(kind: int, features: Features, known: Floats, wanted: int, rows: slice) -> Floats:
    """How often each of the cells ``known`` (ascending) is replicated in some of the features, (n, cells)."""
    columns, size = len(known) + 1, rows.stop - rows.start
    cell, occurrences, owner = cells(kind, features, rows)
    place = places(known, cell, None if kind == TEXT else 1.0)
    summed = np.bincount(owner * columns + place, occurrences, size * columns)
    counted = summed.astype(np.float64, copy=False).reshape(size, columns)
    greatest = _greatest(counted, cell, occurrences, owner)
    return replicas(counted[:, :-1], greatest, counted.sum(axis=1), wanted)


def _greatest(counted: Floats, cell: Floats, occurrences: Floats, owner: Whole) -> Floats:
    """Occurrences in the cell of each feature that has the most; at least, where it has a thousandth of all."""
    greatest: Floats = counted[:, :-1].max(axis=1, initial=0)
    # There may be a greater one that is not among the known cells. Where replicas are few it decides how many there are.
    unsure = greatest * 1024 < counted.sum(axis=1)
    chosen = np.flatnonzero(unsure[owner])
    if len(chosen):
        order = chosen[np.lexsort((cell[chosen], owner[chosen]))]
        is_first = np.ones(len(order), bool)
        is_first[1:] = (cell[order][1:] != cell[order][:-1]) | (owner[order][1:] != owner[order][:-1])
        first = np.flatnonzero(is_first)
        np.maximum.at(greatest, owner[order][first], np.add.reduceat(occurrences[order], first))
    return greatest


def open_pairs(kind: int, sources: Features, targets: Features, rules: Rules, still: Open) -> Alike:
    """Pairs of features of one kind that are alike, and how much their distributions differ; none that is too far apart."""
    known = np.unique(cells(kind, targets, slice(0, len(targets.k)))[0])
    theirs = np.concatenate([_table(kind, targets, known, rules.replicas, rows) for rows in _parts(targets, known)])

    def alike_in(rows: slice) -> list[tuple[Any, ...]]:
        by_cell = np.ascontiguousarray(_table(kind, sources, known, rules.replicas, rows).T)
        found = []
        for number, cells_of in enumerate(theirs):
            common = np.zeros(by_cell.shape[1])
            for cell in np.flatnonzero(cells_of):
                common += np.minimum(by_cell[cell], cells_of[cell])
            jaccard = common / (targets.elements[number] + sources.elements[rows] - common)
            alike = np.flatnonzero((jaccard > rules.jaccard) & still.table[still.dataset[rows], number])
            found.append((alike + rows.start, np.full(len(alike), number), jaccard[alike]))
        return found

    found = itertools.chain.from_iterable(for_each(alike_in, _parts(sources, known)))
    source, target, jaccard = (np.concatenate(side) for side in zip(*found, strict=True))
    k, b = sources.k[source], sources.b[source]
    coarser = np.maximum(k, targets.k[target]), np.minimum(b, targets.b[target])
    held, theirs_held = sources.histograms, targets.histograms
    pairs = Pairs(source, target, *coarser, (k < coarser[0]) | (b > coarser[1]))
    # A JS divergence is at least half of the distance, and ln 2 of the squared Hellinger distance (Topsoe 2000).
    most = math.inf if rules.js is None else rules.js
    affinity, gain = similarities(held, theirs_held, pairs, divergence_within=2 * most, within=most / math.log(2))
    js, distance = np.maximum(0, math.log(2) + gain / 2), np.maximum(0, 1 - affinity)
    near = np.flatnonzero(js < most)
    if sources.minhash.size:
        near = near[shares_band(sources.minhash[source[near]], targets.minhash[target[near]], rules.rows)]
    return Alike(source[near], target[near], jaccard[near], js[near], distance[near])


def undecided(js: Floats, row: Whole, column: Whole, own_share: float) -> npt.NDArray[np.bool_]:
    """Which pairs may be a match, the nearest in its row and its column without a rival in either, or be such a rival.

    js: of n pairs, (n,). row, column: a target in a dataset, and a source. A pair is a rival where ``own_share`` of its JS
    divergence is not above that of the nearest. What is decided by rounding stays: ``open_match`` decides.
    """
    if not len(js):
        return np.zeros(0, bool)
    least = []
    is_none = np.zeros(len(js), bool)
    for side in (row, column):
        nearest = np.full(int(side.max()) + 1, np.inf)
        np.minimum.at(nearest, side, js)
        is_rival = own_share * js + ROUNDING < nearest[side]
        # The nearest itself is below its own share, too.
        rivals = np.bincount(side, is_rival)[side] - is_rival
        is_none |= (rivals > 0) | (js > nearest[side] + ROUNDING)
        least.append(nearest)
    match = ~is_none
    found = match.copy()
    for side, nearest in zip((row, column), least, strict=True):
        has_match = np.bincount(side, match) > 0
        found |= has_match[side] & (np.abs(own_share * js - nearest[side]) <= ROUNDING)
    return np.asarray(found)


def shares_band(one: npt.NDArray[np.uint32], other: npt.NDArray[np.uint32], rows: int) -> npt.NDArray[np.bool_]:
    """Whether two MinHash signatures have a band of ``rows`` functions in common. one, other: (n, functions)."""
    equal = one == other
    banded = equal[:, ::rows]
    for place in range(1, rows):
        banded = banded[:, : equal.shape[1] // rows] & equal[:, place::rows]
    return np.asarray(banded.any(axis=1))


def by_kind(rows: Columns) -> dict[int, tuple[npt.NDArray[np.uint64], Features]]:
    """Keys and features of each kind that there is."""
    held = histograms(rows)
    k, b = (numbers_or(rows[name], -1).astype(np.int64) for name in ("k", "b"))
    kinds, keys, elements = (numbers(rows[name]) for name in ("kind", "key", "elements"))
    ends, functions = lists(rows["minhash"])
    found = {}
    for kind in np.unique(kinds).tolist():
        chosen = np.flatnonzero(kinds == kind)
        width = int(ends[chosen[0] + 1] - ends[chosen[0]])
        signatures = functions[ends[chosen, None] + np.arange(width)]
        features = Features(held.chosen(chosen), k[chosen], b[chosen], elements[chosen].astype(np.float64), signatures)
        found[kind] = keys[chosen], features
    return found


def compared(sources: Iterable[Columns], targets: Columns, still_open: Columns, rules: Columns) -> dict[str, npt.NDArray[Any]]:
    """``open_pairs`` of tables, without those that surely are no match.

    sources, targets: features of datasets and of the target (key, kind, size, k, b, bins, counts, elements, minhash).
    still_open: a dataset and a feature of the target that has no match there (dataset_id, feature_id). rules: of each kind its
    own (kind, jaccard, js, replicas, functions, and own_share, of the next JS divergence: a match is below it; NULL where all
    pairs are wanted). Returns of each pair the keys of both, and what they have in common.
    """
    theirs = by_kind(targets)
    given = {rule["kind"]: rule for rule in pa.table(dict(rules)).to_pylist()}
    datasets = np.unique(numbers(still_open["dataset_id"]))
    tables = {kind: without_match(datasets, keys, still_open) for kind, (keys, _) in theirs.items()}
    found: dict[int, list[list[npt.NDArray[Any]]]] = {kind: [] for kind in theirs}
    for part in sources:
        own = by_kind(part)
        for kind in own.keys() & theirs.keys():
            (keys, source), (_, target) = own[kind], theirs[kind]
            still = Open(places(datasets, keys >> np.uint64(16), 1.0), tables[kind])
            rule = Rules(*(given[kind][name] for name in ("jaccard", "js", "replicas", "functions")))
            alike = open_pairs(kind, source, target, rule, still)
            found[kind].append([keys[alike.source], still.dataset[alike.source], *alike[1:]])
    columns: list[list[npt.NDArray[Any]]] = [[np.empty(0, np.uint64), np.empty(0, np.uint64), *[np.empty(0)] * 3]]
    for kind, parts in sorted(found.items()):
        if not parts:
            continue
        key, dataset, target_place, jaccard, js, distance = (np.concatenate(side) for side in zip(*parts, strict=True))
        if given[kind]["own_share"] is not None:
            row = dataset * len(theirs[kind][0]) + target_place
            wanted = undecided(js, row, np.unique(key, return_inverse=True)[1].reshape(-1), given[kind]["own_share"])
            key, target_place, jaccard, js, distance = (side[wanted] for side in (key, target_place, jaccard, js, distance))
        columns.append([key, theirs[kind][0][target_place], jaccard, js, distance])
    names = ("source_key", "target_key", "jaccard", "js_divergence", "distance")
    return {name: np.concatenate(side) for name, side in zip(names, zip(*columns, strict=True), strict=True)}


def without_match(datasets: npt.NDArray[Any], their_keys: npt.NDArray[np.uint64], still_open: Columns) -> npt.NDArray[np.bool_]:
    """Which features of the target have no match in each dataset, (datasets + 1, targets); a dataset that is not there has
    none that has none."""
    order = np.argsort(their_keys)
    columns = numbers(still_open["feature_id"])
    place = order[np.minimum(np.searchsorted(their_keys, columns, sorter=order), len(order) - 1)]
    there = their_keys[place] == columns
    table = np.zeros((len(datasets) + 1, len(their_keys)), bool)
    table[places(datasets, numbers(still_open["dataset_id"]), 1.0)[there], place[there]] = True
    return table
