"""JS-LSH obeys its collision law, in numpy and in SQL, and both give the same hashes."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

import modelhub_sql
from modelhub_sql import logic, tuning
from modelhub_sql.udfs import jslsh

SETTINGS = [(c, r) for c in (0.1, 0.26, 0.5, 0.9) for r in (0.2, 0.5, 1.0, 2.0)]


def pair_at(distance: float, bins: int = 40) -> npt.NDArray[np.float64]:
    """Square roots of two distributions at a distance, in [0, sqrt 2]."""
    p, q = np.zeros((2, bins))
    angle = 2 * math.asin(distance / 2)
    p[3], q[3], q[7] = 1, math.cos(angle), math.sin(angle)
    return np.stack([p, q])


@pytest.mark.parametrize(("c", "r"), SETTINGS)
def test_the_kernel_collides_as_the_law_says(c: float, r: float) -> None:
    rng = np.random.default_rng(5)
    n = 20_000
    hashed = jslsh.hashes(pair_at(c), rng.normal(size=(n, 40)), rng.uniform(size=n), r)
    rate = float(np.mean(hashed[0] == hashed[1]))
    p = tuning.collision_probability(c, r)
    assert abs(rate - p) < 4 * math.sqrt(p * (1 - p) / n) + 1e-9


def signatures(
    hub: modelhub_sql.Hub, vectors: npt.NDArray[np.float64], width: float, numpy: bool = False
) -> list[tuple[int, int, list[int]]]:
    """Bands of the partitions of a space of 39 positions, by the relations of the search; their functions are left to be looked at."""
    con = hub.con
    con.execute("CREATE OR REPLACE TEMP TABLE options AS FROM _logic.search_options(search := 'lsh')")
    con.execute("CREATE OR REPLACE TEMP TABLE search_method AS SELECT 'lsh' AS search")
    con.execute("CREATE OR REPLACE TEMP TABLE reachable_space AS SELECT 1 AS space_id")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE space_axis AS "
        "SELECT 1 AS space_id, 1 AS slot, i AS ordinal, i + 1 AS position FROM range(39) t(i)"
    )
    con.execute("CREATE OR REPLACE TEMP TABLE partition_vector (owner INT, space_id INT, partition_id INT, roots DOUBLE[])")
    con.executemany("INSERT INTO partition_vector VALUES (1, 1, ?, ?)", [(i, v.tolist()) for i, v in enumerate(vectors)])
    con.execute("CREATE OR REPLACE TEMP TABLE threshold AS SELECT ?::DOUBLE AS width", [width])
    for name in ("hash_function", "partition_band"):
        con.execute(logic.step_statement(logic.relations("search", numpy)[name]))
    return con.execute("SELECT partition_id, band, signature FROM partition_band ORDER BY ALL").fetchall()


@pytest.mark.parametrize(("c", "r"), SETTINGS)
def test_sql_collides_as_the_law_says(many_functions: modelhub_sql.Hub, c: float, r: float) -> None:
    rows = signatures(many_functions, pair_at(c), r)
    first, second = ([signature for partition, _, signature in rows if partition == which] for which in (0, 1))
    n = len(first)
    rate = float(np.mean([a == b for a, b in zip(first, second, strict=True)]))
    p = tuning.collision_probability(c, r)
    assert n == 3_000
    assert abs(rate - p) < 4 * math.sqrt(p * (1 - p) / n) + 1e-9


@pytest.fixture(scope="module")
def many_functions() -> Iterator[modelhub_sql.Hub]:
    with modelhub_sql.connect(jslsh_bands=3_000, jslsh_rows=1, jslsh_width=1.0) as hub:
        yield hub


@pytest.mark.parametrize("c", [0.3, 0.6])
def test_bands_collide_as_their_law_says(c: float) -> None:
    bands, rows, r, trials = 5, 3, 1.0, 4_000
    rng = np.random.default_rng(2)
    hashed = jslsh.hashes(pair_at(c), rng.normal(size=(trials * bands * rows, 40)), rng.uniform(size=trials * bands * rows), r)
    equal = (hashed[0] == hashed[1]).reshape(trials, bands, rows).all(axis=2).any(axis=1)
    p = tuning.band_probability(tuning.collision_probability(c, r), bands, rows)
    assert abs(float(equal.mean()) - p) < 4 * math.sqrt(p * (1 - p) / trials)


def test_sql_and_numpy_give_the_same_signatures_with_negative_cells_distinct(hub: modelhub_sql.Hub) -> None:
    vectors = np.sqrt(np.random.default_rng(0).dirichlet(np.full(40, 0.2), 30))
    sql_only = signatures(hub, vectors, 0.05)
    assert signatures(hub, vectors, 0.05, numpy=True) == sql_only
    cells = {value for _, _, signature in sql_only for value in signature}
    assert {value for value in cells if value < 0}, "half of the projections are negative"
    # No clamping: cells below zero are as many different ones as cells above.
    negative, positive = sum(value < 0 for value in cells), sum(value > 0 for value in cells)
    assert 0.5 < negative / positive < 2


def test_directions_are_standard_normal_and_shifts_uniform(hub: modelhub_sql.Hub) -> None:
    signatures(hub, pair_at(0.1), 1.0)
    directions = np.array([row[0] for row in hub.con.execute("SELECT direction FROM hash_function").fetchall()])
    shifts = np.array([row[0] for row in hub.con.execute("SELECT shift FROM hash_function").fetchall()])
    n = directions.size
    assert n >= 4000
    assert abs(directions.mean()) < 4 / math.sqrt(n)
    assert abs(directions.var() - 1) < 4 * math.sqrt(2 / n)
    assert abs(shifts.mean() - 0.5) < 4 / math.sqrt(12 * len(shifts))
    assert 0 <= shifts.min() < shifts.max() < 1
    assert np.abs(np.corrcoef(directions)[np.triu_indices(len(directions), 1)]).mean() < 0.2
