"""JS-LSH obeys its collision law, in numpy and in SQL, and both give the same hashes."""

from __future__ import annotations

import math

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

import modelhub_sql
from modelhub_sql import tuning
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


def lay_out(con: duckdb.DuckDBPyConnection, vectors: npt.NDArray[np.float64], width: float) -> None:
    con.execute(
        "CREATE OR REPLACE TEMP TABLE the_axis AS SELECT 1 AS space_id, 1 AS slot, i::INT AS bin, i + 1 AS position FROM range(39) t(i)"
    )
    con.execute("CREATE OR REPLACE TEMP TABLE the_functions AS FROM space_functions('the_axis')")
    con.execute("CREATE OR REPLACE TEMP TABLE the_vectors (owner INT, space_id INT, partition_id INT, roots DOUBLE[])")
    con.executemany("INSERT INTO the_vectors VALUES (1, 1, ?, ?)", [(i, v.tolist()) for i, v in enumerate(vectors)])
    con.execute("CREATE OR REPLACE TEMP TABLE the_threshold AS SELECT ?::DOUBLE AS width", [width])


SIGNATURES = (
    "SELECT partition_id, band, signature FROM jslsh_signatures('the_vectors', 'the_functions', 'the_threshold') ORDER BY ALL"
)


@pytest.mark.parametrize(("c", "r"), SETTINGS)
def test_sql_collides_as_the_law_says(c: float, r: float) -> None:
    n = 3_000
    with modelhub_sql.connect(jslsh_bands=n, jslsh_rows=1, jslsh_width=1.0) as hub:
        stock = hub.con.cursor()
        lay_out(stock, pair_at(c), r)
        rows = stock.execute(SIGNATURES).fetchall()
    first, second = ([signature for partition, _, signature in rows if partition == which] for which in (0, 1))
    rate = float(np.mean([a == b for a, b in zip(first, second, strict=True)]))
    p = tuning.collision_probability(c, r)
    assert len(first) == n
    assert abs(rate - p) < 4 * math.sqrt(p * (1 - p) / n) + 1e-9


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
    lay_out(hub.con, vectors, 0.05)
    with_udf = hub.con.execute(SIGNATURES).fetchall()
    stock = hub.con.cursor()
    lay_out(stock, vectors, 0.05)
    sql_only = stock.execute(SIGNATURES).fetchall()
    assert with_udf == sql_only
    cells = {value for _, _, signature in sql_only for value in signature}
    assert {value for value in cells if value < 0}, "half of the projections are negative"
    # No clamping: cells below zero are as many different ones as cells above.
    negative, positive = sum(value < 0 for value in cells), sum(value > 0 for value in cells)
    assert 0.5 < negative / positive < 2


def test_directions_are_standard_normal_and_shifts_uniform(hub: modelhub_sql.Hub) -> None:
    lay_out(hub.con, pair_at(0.1), 1.0)
    directions = np.array([row[0] for row in hub.con.execute("SELECT direction FROM the_functions").fetchall()])
    shifts = np.array([row[0] for row in hub.con.execute("SELECT shift FROM the_functions").fetchall()])
    n = directions.size
    assert n >= 4000
    assert abs(directions.mean()) < 4 / math.sqrt(n)
    assert abs(directions.var() - 1) < 4 * math.sqrt(2 / n)
    assert abs(shifts.mean() - 0.5) < 4 / math.sqrt(12 * len(shifts))
    assert 0 <= shifts.min() < shifts.max() < 1
    assert np.abs(np.corrcoef(directions)[np.triu_indices(len(directions), 1)]).mean() < 0.2


def test_centres_collide_as_often_as_their_distance_says() -> None:
    functions = 2000
    with modelhub_sql.connect(jslsh_bands=functions, jslsh_rows=1, jslsh_width=1.0) as hub:
        rng = np.random.default_rng(0)
        centres = {f"m{i}": rng.normal(0, 1 + i, 6) for i in range(7)}
        for name, centre in centres.items():
            hub.register(name, pa.table({f"f{j}": [float(x)] * 10 for j, x in enumerate(centre)}))
        hub.con.register("target_table", pa.table({f"f{j}": [0.0] * 10 for j in range(6)}))
        hub.con.execute("CREATE TEMP TABLE target AS FROM sketch('target_table')")
        hub.con.execute("""
            CREATE TEMP TABLE every_match AS
            SELECT t.feature_id AS target_feature_id, s.dataset_id, s.feature_id FROM target AS t JOIN features AS s USING (feature)
        """)
        rows = hub.sql(
            "SELECT model, width, collisions FROM centre_collisions('every_match', 'target') JOIN models USING (dataset_id)"
        )
        found = {model: (width, collisions) for model, width, collisions in rows.fetchall()}
    distances = {name: float(np.linalg.norm(centre)) for name, centre in centres.items()}
    assert found.keys() == distances.keys()
    for name, (width, collisions) in found.items():
        assert width == pytest.approx(float(np.median(list(distances.values()))))
        expected = tuning.collision_probability(distances[name], width)
        assert abs(collisions - expected) < 4 * np.sqrt(expected * (1 - expected) / functions)
