"""The numpy kernels of a search against the relations of the SQL that they take the place of, and against brute force."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from conftest import both_ways
from scipy.spatial.distance import jensenshannon

import modelhub_sql
from modelhub_sql.result import Result
from modelhub_sql.udfs import arrays, blocks, cells, dyadic, features, lookup, similarities, tables
from modelhub_sql.udfs.features import Histograms, Pairs

Floats = np.ndarray[Any, np.dtype[np.float64]]


def held(drawn: list[tuple[Floats, int, int]]) -> Histograms:
    """Histograms of values, each at its resolution."""
    counted = [np.unique(dyadic.number_bins(values, k, b), return_counts=True) for values, k, b in drawn]
    lengths = [len(bins) for bins, _ in counted]
    return Histograms(
        np.array([float(len(values)) for values, *_ in drawn]),
        np.concatenate([[0], np.cumsum(lengths)]),
        np.concatenate([bins for bins, _ in counted]),
        np.concatenate([counts for _, counts in counted]).astype(float),
    )


def numbers(rng: np.random.Generator, how_many: int) -> list[tuple[Floats, int, int]]:
    """Features near zero and far from it, of several resolutions; some of infinities."""
    found = []
    for place in range(how_many):
        values = rng.normal(rng.choice([0, 3, 150]), rng.choice([0.5, 4, 30]), rng.integers(1, 200))
        if place % 5 == 0:
            values[: len(values) // 3] = np.inf
        found.append((values, int(rng.integers(-4, 3)), int(rng.integers(0, 9))))
    return found


def compared(sources: list[Any], targets: list[Any], chosen: list[tuple[int, int]]) -> Pairs:
    at = [(max(sources[s][1], targets[t][1]), min(sources[s][2], targets[t][2])) for s, t in chosen]
    finer = [sources[s][1:] != pair for (s, _), pair in zip(chosen, at, strict=True)]
    source, target = np.array(chosen).T
    k, b = np.array(at).T
    return Pairs(source, target, k, b, np.array(finer))


@pytest.mark.parametrize("step", [None, 2.0**-1000, 2.0**-3, 1.0, 2.0**40])
@pytest.mark.parametrize("reach", [1, 50, 10**6])
@pytest.mark.parametrize("offset", [0, -20, 2**51, 2**60])
def test_places_are_those_of_a_dictionary(step: float | None, reach: int, offset: int) -> None:
    rng = np.random.default_rng(1)
    known, wanted = (
        np.append(rng.integers(-reach, reach, size) + offset, [offset]) * (step or 0.1) for size in (reach % 90, 300)
    )
    known, wanted = np.unique(known), np.append(wanted, [np.inf, -np.inf, known[0], known[-1]])
    at = {number: place for place, number in enumerate(known.tolist())}
    assert arrays.places(known, wanted, step).tolist() == [at.get(number, len(known)) for number in wanted.tolist()]
    # An infinity is a bin of its own.
    known = np.append(known, np.inf)
    assert arrays.places(known, wanted, step).tolist() == [
        len(known) - 1 if number == np.inf else at.get(number, len(known)) for number in wanted.tolist()
    ]
    assert arrays.places(known[:0], wanted, step).tolist() == [0] * len(wanted)


# Few pairs of a source, and all pairs: then a source's bins are looked up once.
@pytest.mark.parametrize("share", [0.04, 1.0])
def test_similarities_are_those_of_the_values_at_the_coarser_resolution(share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    sources, targets = numbers(rng, 25), numbers(rng, 12)
    chosen = [(s, t) for s in range(25) for t in range(12) if rng.random() < share]
    pairs = compared(sources, targets, chosen)
    monkeypatch.setattr(similarities, "BLOCK", 300)
    affinity, gain = similarities.similarities(held(sources), held(targets), pairs)
    within, some = similarities.similarities(held(sources), held(targets), pairs, divergence_within=0.5)
    np.testing.assert_array_equal(affinity, within)
    np.testing.assert_array_equal(some, np.where(1 - affinity < 0.5, gain, 0))
    wanted, _ = similarities.similarities(held(sources), held(targets), pairs, within=0.5)
    np.testing.assert_allclose(wanted[affinity > 0.5], affinity[affinity > 0.5], rtol=1e-12)
    np.testing.assert_allclose(wanted[wanted > 0], affinity[wanted > 0], rtol=1e-12)
    assert np.count_nonzero(wanted == 0) > np.count_nonzero(affinity == 0)
    expected, variance = similarities.expected_errors(held(sources), held(targets), pairs)
    for place, (s, t) in enumerate(chosen):
        at = int(pairs.k[place]), int(pairs.b[place])
        one, other = (Counter(dyadic.number_bins(values, *at).tolist()) for values in (sources[s][0], targets[t][0]))
        a, c = one.total(), other.total()
        bins = sorted({*one, *other})
        p, q = np.array([one[x] / a for x in bins]), np.array([other[x] / c for x in bins])
        assert affinity[place] == pytest.approx((2 * p * q / (p + q)).sum())
        assert np.log(2) + gain[place] / 2 == pytest.approx(jensenshannon(p, q) ** 2, abs=1e-12)
        n = np.array([float(one[x] + other[x]) for x in bins])
        seen = 1 - np.maximum(abs(a - c) / (a + c), 1e-300) ** (2 * n)
        share_of = (a + c) / (4 * a * c)
        assert expected[place] == pytest.approx((share_of * seen * (1 - n / (a + c))).sum())
        assert variance[place] == pytest.approx((share_of**2 * 2 * seen * (1 - 1 / n)).sum())


def test_what_is_next_to_nothing_below_zero_is_in_the_bin_below() -> None:
    # Its bin begins at -2^-1000; times 2^-100 that is 0.
    tiny = (np.array([-5e-324] * 3 + [0.0, 17.0]), -1000, 52)
    wide = (np.array([-3.0, -1.0, 0.0, 40.0]), 100, 6)
    # In the bin below are 3 of 5 and 2 of 4, in that of 0 the others.
    right = 2 * (0.6 * 0.5 / 1.1 + 0.4 * 0.5 / 0.9)
    for many in (1, 3):
        affinity, _ = similarities.similarities(
            held([tiny]), held([wide] * many), compared([tiny], [wide] * many, [(0, 0)] * many)
        )
        assert affinity == pytest.approx(right)


def features_of(kind: int, found: list[tuple[Floats, int, int]], wanted: int) -> cells.Features:
    histograms = held(found) if kind != cells.TEXT else held([(values, 0, 52) for values, *_ in found])
    k, b = (np.array([feature[side] for feature in found]) for side in (1, 2))
    made = cells.Features(
        histograms, k, b if kind != cells.TEXT else np.full(len(found), -1), np.empty(0), np.empty((0, 4), np.uint32)
    )
    elements = [sum(cells_of(kind, made, row, wanted).values()) for row in range(len(found))]
    # All alike: what the bands let through is tested on its own.
    return made._replace(elements=np.array(elements, float), minhash=np.zeros((len(found), 4), np.uint32))


def cells_of(kind: int, features: cells.Features, row: int, wanted: int) -> Counter[float]:
    """Replicas of the cells of a feature, one by one."""
    cell, occurrences, _ = cells.cells(kind, features, slice(row, row + 1))
    counted: Counter[float] = Counter()
    for each, n in zip(cell.tolist(), occurrences.tolist(), strict=True):
        counted[each] += n
    scale = max(wanted / counted.total() ** 0.5, 0.500001 / max(counted.values()) ** 0.5)
    return Counter({each: int(scale * n**0.5 + 0.5) for each, n in counted.items()})


@pytest.mark.parametrize("kind", [cells.NUMBER, cells.TIME, cells.TEXT])
@pytest.mark.parametrize("js", [None, 0.2])
def test_open_pairs_are_all_that_are_alike(kind: int, js: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    monkeypatch.setattr(cells, "BLOCK", 100)
    if kind == cells.NUMBER:
        sources, targets = numbers(rng, 30), numbers(rng, 10)
    elif kind == cells.TIME:
        made = [(rng.normal(1.6e15 + rng.normal() * 5e13, 2e13, 80), int(rng.integers(40, 46)), 9) for _ in range(40)]
        sources, targets = made[:30], made[30:]
    else:
        # One of thousands of words that come once each: no cell gets a replica by its share.
        words = [rng.integers(0, 60, rng.integers(20, 200)).astype(float) for _ in range(39)] + [np.arange(3000.0)]
        made = [(values, 0, 52) for values in words]
        sources, targets = made[10:], made[:10]
    wanted = 4
    mine, theirs = features_of(kind, sources, wanted), features_of(kind, targets, wanted)
    # A dataset each; of one, a target has its match.
    is_open = np.ones((len(sources), len(targets)), bool)
    is_open[3, 2] = False
    still = cells.Open(np.arange(len(sources)), is_open)
    alike = cells.open_pairs(kind, mine, theirs, cells.Rules(0.3, js, wanted, 2), still)
    found = {(s, t): rest for s, t, *rest in zip(*(side.tolist() for side in alike), strict=True)}
    missed = 0
    for s in range(len(sources)):
        for t in range(len(targets)):
            one, other = cells_of(kind, mine, s, wanted), cells_of(kind, theirs, t, wanted)
            jaccard = (one & other).total() / (one | other).total()
            at = (max(sources[s][1], targets[t][1]), min(sources[s][2], targets[t][2]))
            bins = [
                Counter((dyadic.number_bins(x, *at) if kind != cells.TEXT else x).tolist())
                for x in (sources[s][0], targets[t][0])
            ]
            keys = sorted({*bins[0], *bins[1]})
            p, q = (np.array([side[key] / side.total() for key in keys]) for side in bins)
            divergence = jensenshannon(p, q) ** 2
            is_alike = bool(is_open[s, t]) and jaccard > 0.3 and (js is None or divergence < js)
            assert ((s, t) in found) == is_alike, (s, t, jaccard, divergence)
            missed += is_open[s, t] and jaccard > 0.3 and not is_alike
            if is_alike:
                assert found[s, t] == pytest.approx([jaccard, divergence, 1 - (2 * p * q / (p + q)).sum()], abs=1e-9)
    assert found
    assert bool(missed) == (js is not None)
    nothing = cells.open_pairs(kind, mine, theirs, cells.Rules(1.0, js, wanted, 2), still)
    assert all(len(side) == 0 for side in nothing)


def own_matches(pairs: list[tuple[int, int, float]]) -> set[tuple[int, int]]:
    """Pairs that are the nearest of both sides, without another in a row or column that is nearly as near."""
    return {
        (row, column)
        for row, column, js in pairs
        if all(js < 0.8 * other for r, c, other in pairs if (r == row) != (c == column))
        and all(js <= other for r, c, other in pairs if r == row or c == column)
    }


@pytest.mark.parametrize("seed", range(40))
def test_what_is_undecided_has_the_matches_of_all_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    # Ties, nearest ones that are just at their share of the next, and numbers between.
    steps = np.concatenate([[0.0], 0.05 * 0.8 ** np.arange(5), rng.uniform(0, 0.1, 3)]).round(12)
    made = {(int(r), int(c)): float(rng.choice(steps)) for r, c in rng.integers(0, (6, 9), (25, 2))}
    pairs = [(row, column, js) for (row, column), js in made.items()]
    rows, columns, js = (np.array(side) for side in zip(*pairs, strict=True))
    kept = cells.undecided(js.astype(float), rows, columns, 0.8)
    left = [pair for pair, is_left in zip(pairs, kept.tolist(), strict=True) if is_left]
    assert own_matches(left) == own_matches(pairs)
    # It is not all of them.
    assert len(left) < len(pairs)


def test_signatures_share_a_band_where_all_functions_of_one_are_equal() -> None:
    one = np.array([[1, 2, 3, 4, 5], [1, 9, 9, 4, 5], [9, 2, 3, 9, 5], [9, 9, 3, 4, 9]], np.uint32)
    other = np.tile(np.array([1, 2, 3, 4, 5], np.uint32), (4, 1))
    assert cells.shares_band(one, other, 1).tolist() == [True, True, True, True]
    # Of five functions two bands of two are made.
    assert cells.shares_band(one, other, 2).tolist() == [True, False, False, True]


@pytest.mark.once
def test_a_number_lies_in_the_quarter_of_an_octave_that_its_bin_begins_in() -> None:
    rng = np.random.default_rng(4)
    octaves = np.ldexp(1.0, np.arange(-1074, 1023))
    drawn = rng.integers(-(2**63), 2**63 - 1, 20_000, dtype=np.int64).view(np.float64)
    edges = np.concatenate([octaves * quarter for quarter in (1, 1.25, 1.3, 1.5, 1.75)])
    bins = np.concatenate([drawn[~np.isnan(drawn)], edges, -edges, [0.0, -0.0, np.inf, -np.inf]])

    def cell(number: float) -> float:
        if number == 0 or math.isinf(number):
            return 0 if number == 0 else math.copysign(9999, number)
        share, exponent = math.frexp(abs(number))
        quarters = math.floor(8 * share) if number > 0 else math.ceil(8 * share)
        return math.copysign(quarters - 4 + 4 * (exponent - 1) + 4400, number)

    assert cells.number_cells(bins).tolist() == [cell(number) for number in bins.tolist()]


def test_a_feature_that_has_its_match_by_name_is_no_rival_of_others() -> None:
    drawn = np.random.default_rng(5).normal(0, 1, 2000)
    with modelhub_sql.connect() as hub:
        hub.register("m", pa.table({"a": drawn, "c": drawn}))
        # Here it has none by name.
        hub.register("other", pa.table({"z": drawn}))
        # The target's a is just like c, too; but it is compared with a.
        target = pa.table({"a": drawn, "b": drawn + 0.3})
        found = hub.find_models(target, all_models=True).select("model, shared_features, distance > 0").fetchall()
        assert sorted(found) == [("m", 2, True), ("other", 1, True)]


def test_few_bands_miss_the_same_pairs_with_numpy_and_without(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    drawn = {f"f{place}": rng.normal(rng.normal(0, 50), rng.uniform(1, 9), 600) for place in range(12)}
    found = {}
    for bands in (1, 64):
        with modelhub_sql.connect(tmp_path / f"{bands}.duckdb", minhash_bands=bands, minhash_rows=6) as hub:
            hub.register("m", pa.table({name: values + rng.normal(0, 0.2, 600) for name, values in drawn.items()}))
            target = pa.table({name.replace("f", "g"): values for name, values in drawn.items()})
            found[bands] = both_ways(
                hub, target, "SELECT target_feature, source_feature FROM explain_features('m', 'target') ORDER BY ALL"
            )
    missed = [sum(row[1] is None for row in rows) for rows in found.values()]
    assert missed[0] > missed[1]


@pytest.mark.parametrize(
    "way",
    [
        {(tables, "BINS"): 1}, {(tables, "BINS"): 300}, {(lookup, "MANY"): 0}, {(lookup, "LONGEST"): 1},
        {(features, "BLOCK"): 9, (similarities, "BLOCK"): 9, (blocks, "BLOCK"): 9}, {(blocks, "PAIRS"): 3},
    ],
)  # fmt: skip
def test_features_are_compared_alike_however_many_at_a_time(
    way: dict[tuple[ModuleType, str], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(8)
    target = pa.table({f"f{place}": rng.normal(place, 1 + place / 3, 300) for place in range(6)})
    with modelhub_sql.connect(minhash_bands=4, minhash_rows=2) as hub:
        for model in range(9):
            # Some of the target's names, others of their own; one that the target lacks.
            columns = {f"{'fg'[(model + place) % 2]}{place}": rng.normal(place, 1 + place / 3, 200 + model) for place in range(7)}
            hub.register(f"m{model}", pa.table(columns))
        queries: list[Callable[[], Result]] = [
            lambda: hub.find_models(target, details=True, all_models=True),
            lambda: hub.explain("m3", target),
            lambda: hub.find_models(target, features="values", all_models=True),
        ]
        whole = [query().fetchall() for query in queries]
        for (module, name), least in way.items():
            monkeypatch.setattr(module, name, least)
        assert [query().fetchall() for query in queries] == whole
