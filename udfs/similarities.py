"""How alike two histograms are: the numpy kernel of ``named_distance``, ``named_match``, ``open_similarity``, ``feature_error``.

A pair is a feature of a dataset (source) and one of the target, compared at the coarser of their resolutions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelhub_sql.udfs.arrays import for_each, lists, numbers, numbers_or
from modelhub_sql.udfs.blocks import errors_by_block, is_shared, similarities_by_block
from modelhub_sql.udfs.dyadic import Floats
from modelhub_sql.udfs.features import BLOCK, Histograms, Pairs
from modelhub_sql.udfs.lookup import Tables, looked_up_errors, looked_up_in, looked_up_similarities
from modelhub_sql.udfs.tables import Columns

__all__ = ["compared", "errors", "expected_errors", "histograms", "similarities"]

Whole = npt.NDArray[np.int64]


def similarities(
    sources: Histograms,
    targets: Histograms,
    pairs: Pairs,
    *,
    divergence_within: float = math.inf,
    within: float = math.inf,
    looked_up: tuple[Tables, Whole] | None = None,
) -> tuple[Floats, Floats]:
    """Sums over the bins that both sides have: 2 p q / (p + q), and p ln p + q ln q - (p + q) ln (p + q).

    divergence_within: distance below which the second is wanted; it is anything for other pairs. within: squared Hellinger
    distance below which a pair is wanted at all; both are 0 for others. looked_up: ``looked_up_in`` of these pairs, where it is
    known. Returns two arrays, a number for each pair. A distance is 1 less the first, a JS divergence ln 2 and half of the
    second: what only one side has cancels.
    """
    if within < 1 or is_shared(pairs):
        return similarities_by_block(sources, targets, pairs, divergence_within, within)

    def by_table(tables: Tables, table: Whole, some: Pairs) -> tuple[Floats, Floats]:
        return looked_up_similarities(sources, tables, table, some, divergence_within > 0)

    def by_block(some: Pairs) -> tuple[Floats, Floats]:
        return similarities_by_block(sources, targets, some, divergence_within, within)

    return _by_table_or_block(looked_up or looked_up_in(targets, pairs), pairs, by_table, by_block)


def _by_table_or_block(
    looked_up: tuple[Tables, Whole],
    pairs: Pairs,
    by_table: Callable[[Tables, Whole, Pairs], tuple[Floats, Floats]],
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


def expected_errors(
    sources: Histograms, targets: Histograms, pairs: Pairs, *, looked_up: tuple[Tables, Whole] | None = None
) -> tuple[Floats, Floats]:
    """The distance to expect between two samples of one distribution of the sizes of both sides, and its variance.

    The distribution is that of both sides together. looked_up: as of ``similarities``. Returns two arrays, a number for each
    pair.
    """

    def by_table(tables: Tables, table: Whole, some: Pairs) -> tuple[Floats, Floats]:
        return looked_up_errors(sources, targets, tables, table, some)

    return _by_table_or_block(
        looked_up or looked_up_in(targets, pairs), pairs, by_table, lambda some: errors_by_block(sources, targets, some)
    )


def histograms(features: Columns) -> Histograms:
    """Histograms of the columns size, bins and counts: a row a feature."""
    starts, bins = lists(features["bins"])
    return Histograms(numbers(features["size"]).astype(np.float64), starts, bins, lists(features["counts"])[1])


def _by_part(
    sources: Iterable[Columns], targets: Columns, pairs: Columns
) -> Iterator[tuple[Whole, Histograms, Histograms, Pairs, tuple[Tables, Whole]]]:
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
