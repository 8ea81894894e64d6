"""Figures 3 and 4 of the paper: JS-LSH against pairwise comparison on 162 tables of sensor features.

The tables are the 137 (dataset, subject, body part) tables of har54 and 25 of dsads81 (subjects 1
to 5, five body parts: the same people and features, cut from another extraction), with the 54
features that both have. Each table is a query against the others; related are those with
JS < 0.1, feature by feature (the aligned space, one partition a table; flattened into one
histogram of range-free bins, nearly all of these tables are within 0.1 of each other).

    python examples/measurements/figures_3_4.py --data data

Three ways to find them, on the same vectors, all queries in one statement, timed in turn:

- pairwise: the JS divergence of every pair by logarithms, in SQL (the paper's baseline);
- LSH: bands of JS-LSH signatures joined, candidates verified, in SQL; the signatures of the hub
  stored beforehand, those of the queries computed;
- matrix: all H**2 as one product in numpy, logarithms only where H**2 leaves it open.
"""

from __future__ import annotations

import argparse
import csv
import math
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt

import modelhub_sql
from modelhub_sql import tuning
from modelhub_sql.udfs.divergence import close_pairs

RESULTS = Path(__file__).parent / "results"
MAX_JS = 0.1
REPEATS = 3

TABLES = """
    SELECT dataset || '_' || subject || '_' || body_part AS name, COLUMNS(lambda c: NOT list_contains(
        ['dataset', 'subject', 'body_part', 'activity', 'activity_common'], c))
    FROM read_parquet($har)
    UNION ALL BY NAME
    SELECT 'dsads81_' || subject || '_' || body_part AS name, COLUMNS(lambda c: list_contains($features, c))
    FROM read_parquet($dsads) WHERE subject <= 5
"""

VECTORS = """
    CREATE OR REPLACE TEMP TABLE members AS
    SELECT dataset_id AS owner, 1 AS space_id, feature_id, feature_id AS slot, 54 AS slots, bins FROM features;
    CREATE OR REPLACE TEMP TABLE totals AS SELECT dataset_id AS owner, feature_id, 0 AS partition_id, counts FROM features;
    CREATE OR REPLACE TEMP TABLE axis AS
    SELECT 1 AS space_id, feature_id AS slot, bin, row_number() OVER (ORDER BY feature_id, bin) AS position
    FROM (SELECT DISTINCT feature_id, unnest(list_append(bins, missing_bin())) AS bin FROM features);
    CREATE OR REPLACE TEMP TABLE options AS FROM search_options(sample_space := 'aligned');
    CREATE OR REPLACE TEMP TABLE sources AS
    SELECT 1 AS owner, space_id, owner AS partition_id, roots FROM space_vectors('members', 'totals', 'axis', 'options');
"""

PAIRWISE = """
    WITH bin AS (
        SELECT s.partition_id, t.partition_id AS query, unnest(s.roots) AS source_root, unnest(t.roots) AS target_root
        FROM sources AS s, target AS t WHERE s.partition_id <> t.partition_id
    )
    SELECT query, partition_id, sum(js_term(source_root * source_root, target_root * target_root)) AS js
    FROM bin GROUP BY query, partition_id HAVING js < $max_js
"""

LSH = """
    WITH target_signatures AS (FROM jslsh_signatures('target', 'functions', 'threshold')),
    candidates AS (
        FROM colliding_pairs('sources', 'target', 'source_signatures', 'target_signatures', 'threshold')
        WHERE source_partition <> target_partition
    ),
    pairs AS MATERIALIZED (SELECT row_number() OVER () AS pair_id, * FROM candidates)
    SELECT target_partition, source_partition FROM verified_pairs('pairs', 'sources', 'target', 'threshold')
"""

CANDIDATES = """
    SELECT count(DISTINCT (s.partition_id, t.partition_id))
    FROM source_signatures AS s JOIN jslsh_signatures('target', 'functions', 'threshold') AS t USING (space_id, band, signature)
    WHERE s.partition_id <> t.partition_id
"""


class Run(NamedTuple):
    """What the queries of one configuration gave."""

    precision: float
    recall: float
    candidates: float
    related: float
    pairwise: float
    lsh: float
    matrix: float


def tables(har: str, dsads: str) -> dict[str, Any]:
    """The 162 tables by name, as Arrow tables."""
    with duckdb.connect() as con:
        names = [row[0] for row in con.execute("DESCRIBE FROM read_parquet(?)", [har]).fetchall()]
        features = [name for name in names if name.startswith(("acc_", "gyr"))]
        con.execute("SET VARIABLE f = ?", [features])
        query = TABLES.replace("$har", f"'{har}'").replace("$dsads", f"'{dsads}'").replace("$features", "getvariable('f')")
        con.execute(f"CREATE TABLE rows AS {query}")
        found = [row[0] for row in con.execute("SELECT DISTINCT name FROM rows ORDER BY name").fetchall()]
        cut = {}
        for name in found:
            con.execute("SET VARIABLE n = ?", [name])
            cut[name] = con.sql("SELECT * EXCLUDE (name) FROM rows WHERE name = getvariable('n')").to_arrow_table()
        return cut


def matrix(roots: npt.NDArray[np.float64], queries: int) -> set[tuple[int, int]]:
    """Pairs (query, table) of rows of ``roots`` (square roots of distributions) with JS < MAX_JS, by matrix product."""
    rows, columns, hellinger2 = close_pairs(roots, roots[:queries], MAX_JS / math.log(2))
    unsure = np.flatnonzero(hellinger2 >= MAX_JS)
    p, q = roots[rows[unsure]] ** 2, roots[columns[unsure]] ** 2
    m = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        js = (np.nan_to_num(p * np.log(p / m)) + np.nan_to_num(q * np.log(q / m))).sum(axis=1) / 2
    kept = np.ones(len(rows), bool)
    kept[unsure[js >= MAX_JS]] = False
    return {(int(c), int(r)) for r, c in zip(rows[kept], columns[kept], strict=True) if r != c}


@contextmanager
def prepared(cut: dict[str, Any], **settings: Any) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a hub with the tables, each one partition, as vectors of one space."""
    with modelhub_sql.connect(partition_size=1_000_000, **settings) as hub:
        hub.register_many([{"name": name, "dataset": table} for name, table in cut.items()])
        for statement in VECTORS.split(";"):
            hub.con.execute(statement)
        yield hub.con


def run(con: duckdb.DuckDBPyConnection, lsh: tuple[int, int, float], queries: int) -> Run:
    """The first tables as queries against all others, with L, K and relative r of ``lsh``."""
    con.execute("UPDATE settings SET jslsh_bands = ?, jslsh_rows = ?, jslsh_width = ?", list(lsh))
    con.execute("CREATE OR REPLACE TEMP TABLE functions AS FROM space_functions('axis')")
    width = lsh[2] * tuning.match_distance(MAX_JS)
    con.execute("CREATE OR REPLACE TEMP TABLE threshold AS SELECT ?::DOUBLE AS max_js, ?::DOUBLE AS width", [MAX_JS, width])
    con.execute("CREATE OR REPLACE TEMP TABLE source_signatures AS FROM jslsh_signatures('sources', 'functions', 'threshold')")
    rows = con.execute("SELECT partition_id, roots FROM sources ORDER BY partition_id").fetchall()
    ids = np.array([row[0] for row in rows])
    roots = np.array([row[1] for row in rows])
    asked = min(queries, len(ids))
    last = int(ids[asked - 1])
    con.execute(
        "CREATE OR REPLACE TEMP TABLE target AS SELECT 0 AS owner, * EXCLUDE (owner) FROM sources WHERE partition_id <= ?", [last]
    )
    times: dict[str, list[float]] = {"pairwise": [], "lsh": [], "matrix": []}
    for _ in range(REPEATS):
        started = time.perf_counter()
        truth = {row[:2] for row in con.execute(PAIRWISE.replace("$max_js", str(MAX_JS))).fetchall()}
        times["pairwise"].append(time.perf_counter() - started)
        started = time.perf_counter()
        hashed = set(con.execute(LSH).fetchall())
        times["lsh"].append(time.perf_counter() - started)
        started = time.perf_counter()
        product = {(int(ids[query]), int(ids[table])) for query, table in matrix(roots, asked)}
        times["matrix"].append(time.perf_counter() - started)
    assert product == truth, "the matrix product finds what the pairwise comparison finds"
    candidates = con.execute(CANDIDATES).fetchall()[0][0]
    median = [statistics.median(values) / asked for values in times.values()]
    share = (candidates / asked / (len(ids) - 1), len(truth) / asked / (len(ids) - 1))
    return Run(len(hashed & truth) / max(len(hashed), 1), len(hashed & truth) / max(len(truth), 1), *share, *median)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of har/har54.parquet and har/dsads81.parquet")
    parser.add_argument("--fast", action="store_true", help="a tenth of the queries, no sweeps")
    arguments = parser.parse_args()
    har, dsads = arguments.data / "har" / "har54.parquet", arguments.data / "har" / "dsads81.parquet"
    for path in (har, dsads):
        if not path.exists():
            parser.error(f"{path} is missing: --data names the folder that holds it")
    cut = tables(str(har), str(dsads))
    print(f"{len(cut)} tables")
    tuned = tuning.tune_jslsh()
    bands, rows, width = tuned
    queries, every = (16, 16) if arguments.fast else (len(cut), 40)
    rounds: list[tuple[str, Run]] = []
    with prepared(cut) as con:
        rounds.append(("tuned", run(con, tuned, queries)))
        if not arguments.fast:
            for factor in (0.25, 0.5, 2):
                rounds.append((f"r x {factor:g}", run(con, (bands, rows, width * factor), every)))
            for k in (1, 3, 10):
                rounds.append((f"K = {k}", run(con, (bands, k, width), every)))
            for count in (1, 5, 100):
                rounds.append((f"L = {count}", run(con, (count, rows, width), every)))
    if not arguments.fast:
        for bins in (64, 1024):
            with prepared(cut, number_bins=bins) as con:
                rounds.append((f"bins = {bins}", run(con, tuned, every)))
    report(rounds, len(cut), queries, tuned)


def report(rounds: list[tuple[str, Run]], count: int, queries: int, tuned: tuple[int, int, float]) -> None:
    """Write the table and the plot."""
    RESULTS.mkdir(exist_ok=True)
    header = ["configuration", *Run._fields]
    with (RESULTS / "figures_3_4.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows([name, *result] for name, result in rounds)
    lines = [
        f"{queries} of {count} tables (40 at most in the sweeps), each a query against the others; related: JS < {MAX_JS}.",
        f"Tuned: L = {tuned[0]}, K = {tuned[1]}, r = {tuned[2]:.3f} times the greatest distance of a match.",
        "Candidates, related: share of the pairs that share a band, that are related.",
        "Times: per query, the median of three passes of one run in turn, as ratios to the LSH's.",
        "",
        "| configuration | precision | recall | candidates | related | pairwise / LSH | matrix / LSH | LSH, ms |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, r in rounds:
        ratios = f"{r.pairwise / r.lsh:.2f} | {r.matrix / r.lsh:.3f} | {r.lsh * 1e3:.1f}"
        lines.append(f"| {name} | {r.precision:.4f} | {r.recall:.4f} | {r.candidates:.3f} | {r.related:.3f} | {ratios} |")
    (RESULTS / "figures_3_4.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    try:
        from matplotlib import pyplot
    except ModuleNotFoundError:
        print("no plot: pip install matplotlib")
        return
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4))
    names = [name for name, _ in rounds]
    left.bar(names, [r.recall for _, r in rounds])
    left.set_ylabel("recall (precision is 1)")
    right.bar(names, [r.candidates for _, r in rounds])
    right.set_ylabel("candidates / tables")
    for plot in (left, right):
        plot.tick_params(axis="x", rotation=60)
    figure.tight_layout()
    figure.savefig(RESULTS / "figures_3_4.png", dpi=110)


if __name__ == "__main__":
    main()
