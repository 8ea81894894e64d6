"""How alike two histograms are: the numpy kernel of ``named_distance``, ``named_match``, ``open_similarity``, ``feature_error``.

A pair is a feature of a dataset (source) and one of the target, compared at the coarser of their resolutions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelhub_sql.udfs.arrays import for_each, lists, numbers, numbers_or
from modelhub_sql.udfs.blocks import errors_by_block, is_shared, similarities_by_block
from modelhub_sql.udfs.dyadic import Floats
from modelhub_sql.udfs.features import BLOCK, Histograms, Pairs
from modelhub_sql.udfs.lookup import Lookup, Tables, looked_up_errors, looked_up_similarities
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
    lookup: Lookup | None = None,
) -> tuple[Floats, Floats]:
    """Sums over the bins that both sides have: 2 p q / (p + q), and p ln p + q ln q - (p + q) ln (p + q).

    divergence_within: distance below which the second is wanted; it is anything for other pairs. within: squared Hellinger
    distance below which a pair is wanted at all; both are 0 for others. lookup: of these targets, where there is one. Returns
    two arrays, a number for each pair. A distance is 1 less the first, a JS divergence ln 2 and half of the second: what only
    one side has cancels.
    """
    if within < 1 or is_shared(pairs):
        return similarities_by_block(sources, targets, pairs, divergence_within, within)

    def by_table(tables: Tables, table: Whole, some: Pairs) -> tuple[Floats, Floats]:
        return looked_up_similarities(sources, tables, table, some, divergence_within > 0)

    def by_block(some: Pairs) -> tuple[Floats, Floats]:
        return similarities_by_block(sources, targets, some, divergence_within, within)

    return _by_table_or_block((lookup or Lookup(targets)).of(pairs), pairs, by_table, by_block)


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
    sources: Histograms, targets: Histograms, pairs: Pairs, *, lookup: Lookup | None = None
) -> tuple[Floats, Floats]:
    """The distance to expect between two samples of one distribution of the sizes of both sides, and its variance.

    The distribution is that of both sides together. lookup: as of ``similarities``. Returns two arrays, a number for each pair.
    """

    def by_table(tables: Tables, table: Whole, some: Pairs) -> tuple[Floats, Floats]:
        return looked_up_errors(sources, targets, tables, table, some)

    return _by_table_or_block(
        (lookup or Lookup(targets)).of(pairs), pairs, by_table, lambda some: errors_by_block(sources, targets, some)
    )


def histograms(features: Columns) -> Histograms:
    """Histograms of the columns size, bins and counts: a row a feature."""
    starts, bins = lists(features["bins"])
    return Histograms(numbers(features["size"]).astype(np.float64), starts, bins, lists(features["counts"])[1])


def _by_part(pairs: Iterable[Columns], targets: Columns) -> Iterator[tuple[npt.NDArray[np.uint64], Histograms, Pairs]]:
    """Of each part: what its pairs are called, the histograms of their sources, and the pairs."""
    keys = numbers(targets["key"])
    order = np.argsort(keys)
    for part in pairs:
        named = numbers(part["pair"])
        target = order[np.searchsorted(keys, numbers(part["target_key"]), sorter=order)]
        k, b = (numbers_or(part[name], -1).astype(np.int64) for name in ("k", "b"))
        is_finer = numbers(part["is_finer"].cast(pa.uint8())).astype(bool)
        yield named, histograms(part), Pairs(np.arange(len(named)), target, k, b, is_finer)


def compared(pairs: Iterable[Columns], targets: Columns, asked: Columns) -> dict[str, npt.NDArray[Any]]:
    """``similarities`` of tables.

    pairs: what each is called, the feature of the target, the coarser resolution, whether the source is finer, and its histogram
    (pair, target_key, k, b, is_finer, size, bins, counts). targets: key, size, bins, counts. asked: one row, whether the JS
    divergence is wanted (divergence).
    """
    within = math.inf if asked["divergence"][0].as_py() else 0.0
    theirs = histograms(targets)
    lookup = Lookup(theirs)
    found = [
        (named, *similarities(held, theirs, placed, divergence_within=within, lookup=lookup))
        for named, held, placed in _by_part(pairs, targets)
    ]
    return _columns(("pair", "affinity", "entropy_gain"), found)


def errors(pairs: Iterable[Columns], targets: Columns) -> dict[str, npt.NDArray[Any]]:
    """``expected_errors`` of tables, those of ``compared``."""
    theirs = histograms(targets)
    lookup = Lookup(theirs)
    found = [(named, *expected_errors(held, theirs, placed, lookup=lookup)) for named, held, placed in _by_part(pairs, targets)]
    return _columns(("pair", "expected", "variance"), found)


def _columns(names: Sequence[str], parts: Sequence[tuple[npt.NDArray[np.uint64], Floats, Floats]]) -> dict[str, npt.NDArray[Any]]:
    none = (np.empty(0, np.uint64), np.empty(0), np.empty(0))
    return {name: np.concatenate(column) for name, column in zip(names, zip(none, *parts, strict=True), strict=True)}
