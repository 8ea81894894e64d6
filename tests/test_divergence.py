"""JS, KL and Hellinger in SQL against scipy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

import modelhub_sql
from modelhub_sql import logic
from modelhub_sql.udfs import arrays, divergence, matches, series

masses = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=40).filter(
    lambda pairs: sum(p for p, _ in pairs) > 0 and sum(q for _, q in pairs) > 0
)


@pytest.fixture(scope="module")
def open_hub() -> modelhub_sql.Hub:
    return modelhub_sql.connect()


@settings(max_examples=60, deadline=None)
@given(masses)
def test_divergences_are_scipys_and_bound_each_other(open_hub: modelhub_sql.Hub, pairs: list[tuple[int, int]]) -> None:
    p, q = (np.array(side) / sum(side) for side in zip(*pairs, strict=True))
    js, kl, h2 = open_hub.sql(
        "SELECT _logic.js_divergence(p, q), _logic.kl_divergence(p, q), _logic.hellinger2(p, q) FROM (SELECT ?::DOUBLE[] AS p, ?::DOUBLE[] AS q)",
        [p.tolist(), q.tolist()],
    ).fetchall()[0]
    assert js == pytest.approx(jensenshannon(p, q) ** 2, abs=1e-9)
    assert h2 == pytest.approx(0.5 * ((np.sqrt(p) - np.sqrt(q)) ** 2).sum(), abs=1e-9)
    if math.isinf(entropy(p, q)):
        assert math.isinf(kl)
    else:
        assert kl == pytest.approx(entropy(p, q), abs=1e-9)
    assert math.log(2) * h2 - 1e-12 <= js <= h2 + 1e-12


@pytest.mark.parametrize("numpy", [True, False], ids=["numpy", "SQL alone"])
def test_pair_divergences_by_entropies_are_scipys(open_hub: modelhub_sql.Hub, numpy: bool) -> None:
    rng = np.random.default_rng(0)
    p, q = rng.dirichlet(np.full(60, 0.1), 5), rng.dirichlet(np.full(60, 0.1), 4)
    p[0], q[0] = np.eye(60)[0], np.eye(60)[1]
    con = open_hub.con
    con.execute("CREATE OR REPLACE TEMP TABLE sample_vector (owner INT, space_id INT, partition_id INT, roots DOUBLE[])")
    con.executemany(
        "INSERT INTO sample_vector VALUES (?, 1, ?, ?)",
        [(owner, i, np.sqrt(v).tolist()) for owner, side in ((1, p), (0, q)) for i, v in enumerate(side)],
    )
    con.execute("""
        CREATE OR REPLACE TEMP TABLE sample_pair AS
        SELECT row_number() OVER () AS pair_id, 1 AS owner, 1 AS space_id, i::INT AS source_partition, j::INT AS target_partition
        FROM range(5) a(i), range(4) b(j)
    """)
    step = logic.relations("search", numpy)["sample_divergence"]
    rows = con.execute(f"""
        SELECT source_partition, target_partition, js_divergence
        FROM ({step.query}) JOIN sample_pair USING (pair_id)
    """).fetchall()
    assert len(rows) == 20
    for i, j, js in rows:
        assert js == pytest.approx(jensenshannon(p[i], q[j]) ** 2, abs=1e-9)


@pytest.mark.parametrize("pairs", [3, 400], ids=["pair by pair", "as a product"])
def test_kernels_of_pairs_are_scipys(pairs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(divergence, "DENSE", 20)
    monkeypatch.setattr(divergence, "CHUNK", 100)
    rng = np.random.default_rng(1)
    p, q = rng.dirichlet(np.full(30, 0.1), 20), rng.dirichlet(np.full(30, 0.1), 30)
    rows, columns = rng.integers(0, 20, pairs), rng.integers(0, 30, pairs)
    h2 = divergence.pair_hellinger2(np.sqrt(p), np.sqrt(q), rows, columns)
    js = divergence.pair_divergences(np.sqrt(p), np.sqrt(q), rows, columns)
    for i, j, found_h2, found_js in zip(rows, columns, h2, js, strict=True):
        assert found_h2 == pytest.approx(0.5 * ((np.sqrt(p[i]) - np.sqrt(q[j])) ** 2).sum(), abs=1e-12)
        assert found_js == pytest.approx(jensenshannon(p[i], q[j]) ** 2, abs=1e-12)
    assert len(divergence.pair_divergences(np.sqrt(p), np.sqrt(q), rows[:0], columns[:0])) == 0


@pytest.mark.parametrize("aligned", [True, False])
def test_roots_of_partitions_are_those_of_dense_histograms(aligned: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matches, "BLOCK", 12)
    # Three features on 6, 4 and 5 bins in 7 partitions, some without a value, in any order; several bins in one position.
    rng = np.random.default_rng(2)
    size, widths = 7, (6, 4, 5)
    dense = [rng.integers(0, 9, (size, width)) for width in widths]
    dense[0][2], dense[1][5], dense[2][5], dense[0][5] = 0, 0, 0, 0
    # Positions of each feature's bins, -1 for those that the space has not; a "missing" after each.
    positions = [np.array([2, 0, 0, -1, 1, 2]), np.array([4, 4, -1, 5]), np.array([7, 9, 8, 7, -1])]
    missing = np.array([3, 6, 10])
    totals = np.stack([matrix.sum(axis=1) for matrix in dense])
    expected = np.zeros((size, 12))
    for number, (matrix, place) in enumerate(zip(dense, positions, strict=True)):
        for partition, counts in enumerate(matrix):
            weight = totals[number, partition] * 3 if aligned else totals[:, partition].sum()
            if aligned and not totals[number, partition]:
                expected[partition, missing[number]] += 1 / 3
            for bin_place, n in zip(place, counts, strict=True):
                if bin_place >= 0 and n:
                    expected[partition, bin_place] += n / weight
    expected[:, -1] = 1 - expected.sum(axis=1)
    if not aligned:
        expected[totals.sum(axis=0) == 0] = np.nan

    order = rng.permutation([(feature, partition) for feature in range(3) for partition in range(size)])
    histograms = [dense[f][p][: widths[f] * bool(totals[f, p])] for f, p in order]
    lengths = np.array([len(histogram) for histogram in histograms])
    roots = matches.partition_roots(
        np.concatenate(histograms).astype(np.uint32),
        np.cumsum(lengths) - lengths,
        np.array([histogram.sum() for histogram in histograms], dtype=float),
        order[:, 0].astype(np.uint32),
        order[:, 1].astype(np.uint32),
        positions,
        missing,
        11,
        aligned,
    )
    assert roots**2 == pytest.approx(expected, abs=1e-12, nan_ok=True)


@given(st.lists(st.floats(allow_nan=False), unique=True), st.lists(st.floats(allow_nan=False), unique=True))
def test_the_places_of_bins_are_those_of_a_list(bins: list[float], axis: list[float]) -> None:
    axis = sorted(axis)
    found = arrays.places(np.array(axis), np.array(bins))
    assert found.tolist() == [axis.index(each) if each in axis else len(axis) for each in bins]


@settings(max_examples=100, deadline=None)
@given(pairs=masses, power=st.sampled_from([1, 4, 12]))
def test_an_estimate_is_off_by_no_more_than_it_says(open_hub: modelhub_sql.Hub, pairs: list[tuple[int, int]], power: int) -> None:
    p, q = (np.array(side, float) ** power for side in zip(*pairs, strict=True))
    p, q = p / p.sum(), q / q.sum()
    ((h2, estimate, error),) = open_hub.con.execute(
        """
        SELECT 1 - list_inner_product($1, $2) AS h2, _logic.js_estimate(h2, list_inner_product(_logic.waves($1), _logic.waves($2))),
            _logic.js_cosine().error
        """,
        [np.sqrt(p).tolist(), np.sqrt(q).tolist()],
    ).fetchall()
    assert abs(estimate - jensenshannon(p, q) ** 2) <= error * h2 + 1e-12


def test_the_cosine_is_the_best_fit_and_off_by_no_more_than_it_says(open_hub: modelhub_sql.Hub) -> None:
    ((cosine,),) = open_hub.con.execute("SELECT _logic.js_cosine()").fetchall()
    # A bin of probabilities 1 and exp(-x): from equal ones to one that is all but 0.
    x = np.concatenate([np.linspace(0.01, 12, 3000), np.linspace(12, 80, 500)])
    q = np.exp(-x)
    js = (np.log(2 / (1 + q)) + q * np.log(2 * q / (1 + q))) / 2
    h2 = (1 - np.sqrt(q)) ** 2 / 2

    def least_error(frequency: float) -> float:
        # The level and the weight that make the largest error least, and that error: a linear program.
        terms = np.stack([np.ones_like(x), np.sqrt(q) * (1 - np.cos(frequency * x)) / h2], axis=1)
        bound = -np.ones((len(x), 1))
        found = linprog(
            [0, 0, 1],
            A_ub=np.block([[terms, bound], [-terms, bound]]),
            b_ub=np.concatenate([js / h2, -js / h2]),
            bounds=[(None, None), (None, None), (0, None)],
        )
        return float(found.fun)

    fitted = cosine["level"] * h2 + cosine["weight"] * np.sqrt(q) * (1 - np.cos(cosine["frequency"] * x))
    assert (np.abs(js - fitted) / h2).max() <= cosine["error"]
    best = least_error(cosine["frequency"])
    assert best == pytest.approx(cosine["error"], abs=1e-4)
    assert all(least_error(cosine["frequency"] + step) > best for step in (-0.02, 0.02))


@pytest.mark.parametrize("max_js", [1e-9, 0.05, 0.3, math.log(2)])
def test_matching_pairs_are_those_of_scipy(max_js: float) -> None:
    rng = np.random.default_rng(3)
    p, q = rng.dirichlet(np.full(12, 0.5), 20), rng.dirichlet(np.full(12, 0.5), 30)
    q[:3] = p[:3]
    rows, columns, h2 = matches.matching_pairs(np.sqrt(p), np.sqrt(q), max_js)
    expected = {(i, j) for i in range(20) for j in range(30) if jensenshannon(p[i], q[j]) ** 2 <= max_js + 1e-12}
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == expected
    assert len(expected) >= 3
    for i, j, found in zip(rows, columns, h2, strict=True):
        assert found == pytest.approx(0.5 * ((np.sqrt(p[i]) - np.sqrt(q[j])) ** 2).sum(), abs=1e-12)


@pytest.mark.parametrize(("size", "concentration"), [(500, 0.02), (500, 2.0), (100_000, 0.1), (1, 1.0)])
def test_a_product_is_off_by_no_more_than_it_says(size: int, concentration: float) -> None:
    rng = np.random.default_rng(4)
    p, q = (
        np.stack([rng.multinomial(size, each) / size for each in rng.dirichlet(np.full(60, concentration), rows)])
        for rows in (20, 30)
    )
    q[:2] = p[:2]
    p[0, :], p[0, 7] = 0, 1
    p[1] = p[1] * (1 - 1e-16) + 1e-16 / 60  # what rounding leaves is no mass
    found, error = series.DivergenceSeries(np.sqrt(q)).divergences(np.sqrt(p))
    exact = np.array([[jensenshannon(source, target) ** 2 for target in q] for source in p])
    assert np.abs(found - exact).max() <= error < 0.01


@pytest.mark.parametrize("max_js", [0.035, 0.045, 0.055])
def test_many_open_pairs_are_decided_as_one_by_one(max_js: float, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    p, q = (np.stack([rng.multinomial(100, np.full(20, 0.05)) / 100 for _ in range(rows)]) for rows in (80, 120))
    by_logarithms = []

    def counted(*given: Any) -> Any:
        by_logarithms.append(len(given[2]))
        return divergence.pair_divergences(*given)

    monkeypatch.setattr(matches, "pair_divergences", counted)
    found = []
    for many in (0, 10**9):
        monkeypatch.setattr(matches, "MANY", many)
        found.append(matches.matching_pairs(np.sqrt(p), np.sqrt(q), max_js))
    assert by_logarithms[0] < by_logarithms[1] / 10
    for by_product, one_by_one in zip(*found, strict=True):
        assert np.array_equal(by_product, one_by_one)
