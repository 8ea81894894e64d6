"""Figures 3 and 4 of the paper: JS-LSH against pairwise comparison on 162 tables of sensor features.

The tables are the 137 (dataset, subject, body part) tables of har54 and 25 of dsads81 (subjects 1
to 5, five body parts: the same people and features, cut from another extraction), with the 54
features that both have. Each table is a query against the others; related are those with
JS < 0.1, each table one distribution.

    python examples/measurements/figures_3_4.py --data data

Five ways to find them, on the same vectors, timed in turn:

- pairwise: the JS divergence of every pair by logarithms, in SQL (the paper's baseline);
- LSH, hub: bands of JS-LSH signatures joined, candidates verified, by the macros of the hub; the
  signatures of the hub stored beforehand, those of the queries computed;
- LSH: the same steps, by the macros ``FASTER`` of this program;
- bounds: H**2 of every pair, logarithms only where it leaves the answer open, by the same macros;
- matrix: all H**2 as one product in numpy, logarithms only where it leaves the answer open.

Then r, K, L and the bins are varied, and the size of the hub, with made-up distributions.
"""

from __future__ import annotations

import argparse
import csv
import math
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

import modelhub_sql
from modelhub_sql import tuning
from modelhub_sql.udfs.divergence import close_pairs
from modelhub_sql.udfs.jslsh import hashes

RESULTS = Path(__file__).parent / "results"
MAX_JS = 0.1
REPEATS = 3
SINGLE_QUERIES = 24
Floats = npt.NDArray[np.float64]
Pairs = set[tuple[int, int]]

TABLES = """
    WITH given AS (
        SELECT
            dataset || '_' || subject || '_' || body_part AS name, COLUMNS(lambda c: list_contains(getvariable('features'), c))
        FROM read_parquet($har)
        UNION ALL BY NAME
        SELECT 'dsads81_' || subject || '_' || body_part AS name, COLUMNS(lambda c: list_contains(getvariable('features'), c))
        FROM read_parquet($dsads) WHERE subject <= 5
    )
    SELECT dense_rank() OVER (ORDER BY name) AS owner, * EXCLUDE (name) FROM given
"""

# Histograms by the hub's number_bin, and the tables as vectors of one space, by the hub's space_vectors.
VECTORS = """
    CREATE TEMP TABLE sketched AS
    WITH bin AS (
        SELECT owner, feature, number_bin(x) AS bin, count(*) AS n
        FROM (UNPIVOT given_rows ON COLUMNS(* EXCLUDE owner) INTO NAME feature VALUE x)
        GROUP BY ALL
    )
    SELECT
        owner, dense_rank() OVER (ORDER BY feature) AS feature_id,
        list(bin ORDER BY bin) AS bins, list(n::UINTEGER ORDER BY bin) AS counts
    FROM bin GROUP BY owner, feature;
    CREATE TEMP TABLE members AS
    SELECT
        owner, 1 AS space_id, feature_id, feature_id AS slot,
        (SELECT count(DISTINCT feature_id) FROM sketched) AS slots, bins
    FROM sketched;
    CREATE TEMP TABLE totals AS SELECT owner, feature_id, 0 AS partition_id, counts FROM sketched;
    CREATE TEMP TABLE options AS FROM search_options(sample_space := getvariable('space'));
    CREATE TEMP TABLE axis AS
    SELECT 1 AS space_id, slot, bin, row_number() OVER (ORDER BY slot, bin) AS position
    FROM (
        SELECT DISTINCT
            CASE getvariable('space') WHEN 'aligned' THEN feature_id ELSE 0 END AS slot,
            unnest(list_append(bins, missing_bin())) AS bin
        FROM sketched
    );
    CREATE TEMP TABLE sources AS
    SELECT 1 AS owner, space_id, owner AS partition_id, roots FROM space_vectors('members', 'totals', 'axis', 'options');
"""

# What the hub's macros of these names do, without copying vectors. A hash join copies the lists of
# its build side for each pair; a cross product filtered by a list of partners does not.
FASTER = """
    CREATE OR REPLACE TEMP MACRO jslsh_signatures(vectors, functions, threshold) AS TABLE
    WITH space_matrix AS (
        SELECT space_id, list(owner) AS owners, list(partition_id) AS partitions, flatten(list(roots)) AS roots
        FROM query_table(vectors) GROUP BY space_id
    ),
    space_function AS (
        SELECT space_id, flatten(list(direction ORDER BY function)) AS directions, list(shift ORDER BY function) AS shifts
        FROM query_table(functions) GROUP BY space_id
    ),
    hashed AS (
        SELECT
            space_id, len(shifts) AS hash_count, unnest(range(len(owners) * len(shifts))) AS place,
            unnest(modelhub_jslsh(roots, directions, shifts, (SELECT width FROM query_table(threshold)))) AS hash
        FROM space_matrix JOIN space_function USING (space_id)
    ),
    banded AS (
        SELECT
            space_id, place // hash_count AS member, place % hash_count // (SELECT jslsh_rows FROM settings) AS band,
            list(hash ORDER BY place) AS signature
        FROM hashed GROUP BY ALL
    ),
    member AS (
        SELECT space_id, unnest(owners) AS owner, unnest(partitions) AS partition_id, unnest(range(len(owners))) AS member
        FROM space_matrix
    )
    SELECT owner, space_id, partition_id, band, signature FROM member JOIN banded USING (space_id, member);

    CREATE OR REPLACE TEMP MACRO partner_pairs(partners, source_vectors, target_vectors, threshold) AS TABLE
    WITH partnered_source AS (
        SELECT v.owner, v.space_id, v.partition_id, v.roots, p.targets
        FROM query_table(source_vectors) AS v JOIN query_table(partners) AS p USING (owner, space_id, partition_id)
    ),
    keyed_target AS (
        SELECT space_id * 4294967296 + partition_id AS target, partition_id, roots FROM query_table(target_vectors)
    ),
    pair AS (
        SELECT
            s.owner, s.space_id, s.partition_id AS source_partition, t.partition_id AS target_partition,
            greatest(0, 1 - list_inner_product(s.roots, t.roots)) AS hellinger2
        FROM partnered_source AS s, keyed_target AS t
        WHERE list_contains(s.targets, t.target)
    )
    FROM pair WHERE hellinger2 <= (SELECT max_js FROM query_table(threshold)) / ln(2);

    CREATE OR REPLACE TEMP MACRO colliding_pairs(
        source_vectors, target_vectors, source_signatures, target_signatures, threshold
    ) AS TABLE
    WITH partners AS MATERIALIZED (
        SELECT s.owner, s.space_id, s.partition_id, list(DISTINCT s.space_id * 4294967296 + t.partition_id) AS targets
        FROM query_table(source_signatures) AS s
        JOIN query_table(target_signatures) AS t USING (space_id, band, signature)
        GROUP BY s.owner, s.space_id, s.partition_id
    )
    FROM partner_pairs('partners', source_vectors, target_vectors, threshold);

    CREATE OR REPLACE TEMP MACRO every_pair(source_vectors, target_vectors, threshold) AS TABLE
    SELECT
        s.owner, s.space_id, s.partition_id AS source_partition, t.partition_id AS target_partition,
        greatest(0, 1 - list_inner_product(s.roots, t.roots)) AS hellinger2
    FROM query_table(source_vectors) AS s, query_table(target_vectors) AS t
    WHERE hellinger2 <= (SELECT max_js FROM query_table(threshold)) / ln(2);

    CREATE OR REPLACE TEMP MACRO pair_divergences(pairs, source_vectors, target_vectors) AS TABLE
    WITH partner AS (
        SELECT
            owner, space_id, source_partition AS partition_id,
            list(space_id * 4294967296 + target_partition) AS targets, list(pair_id) AS pair_ids
        FROM query_table(pairs) GROUP BY ALL
    ),
    partnered_source AS (
        SELECT v.roots, p.targets, p.pair_ids
        FROM query_table(source_vectors) AS v JOIN partner AS p USING (owner, space_id, partition_id)
    ),
    keyed_target AS (
        SELECT space_id * 4294967296 + partition_id AS target, roots FROM query_table(target_vectors)
    ),
    pair AS (
        SELECT s.pair_ids[list_position(s.targets, t.target)] AS pair_id, s.roots AS source_roots, t.roots AS target_roots
        FROM partnered_source AS s, keyed_target AS t
        WHERE list_contains(s.targets, t.target)
    ),
    pair_bin AS (
        SELECT pair_id, unnest(source_roots) AS source_root, unnest(target_roots) AS target_root FROM pair
    ),
    pair_mass AS (
        SELECT pair_id, source_root * source_root + target_root * target_root AS mass FROM pair_bin
    ),
    pair_entropy AS (
        -- 1e-300 turns 0 ln 0 into 0 and changes nothing else.
        SELECT pair_id, sum(mass * ln(mass + 1e-300)) AS negentropy FROM pair_mass GROUP BY pair_id
    ),
    vector AS (
        SELECT v.owner, v.space_id, v.partition_id, v.roots
        FROM query_table(source_vectors) AS v
        SEMI JOIN query_table(pairs) AS p ON p.owner = v.owner AND p.source_partition = v.partition_id
        UNION ALL
        SELECT owner, space_id, partition_id, roots FROM query_table(target_vectors)
    ),
    vector_bin AS (SELECT owner, space_id, partition_id, unnest(roots) AS root FROM vector),
    vector_entropy AS MATERIALIZED (
        SELECT owner, space_id, partition_id, sum(root * root * ln(root * root + 1e-300)) AS negentropy
        FROM vector_bin GROUP BY owner, space_id, partition_id
    )
    SELECT p.pair_id, ln(2) + (s.negentropy + t.negentropy - m.negentropy) / 2 AS js_divergence
    FROM query_table(pairs) AS p
    JOIN pair_entropy AS m USING (pair_id)
    JOIN vector_entropy AS s ON s.owner = p.owner AND s.partition_id = p.source_partition
    JOIN vector_entropy AS t ON t.owner = 0 AND t.space_id = p.space_id AND t.partition_id = p.target_partition;
"""
SLOWER = """
    DROP MACRO TABLE temp.jslsh_signatures; DROP MACRO TABLE temp.colliding_pairs; DROP MACRO TABLE temp.pair_divergences;
"""

PAIRWISE = """
    WITH bin AS (
        SELECT s.partition_id, t.partition_id AS query, unnest(s.roots) AS source_root, unnest(t.roots) AS target_root
        FROM sources AS s, target AS t WHERE s.partition_id <> t.partition_id
    )
    SELECT query, partition_id
    FROM bin GROUP BY query, partition_id
    HAVING sum(js_term(source_root * source_root, target_root * target_root)) < (SELECT max_js FROM threshold)
"""
LSH = """
    WITH target_signatures AS MATERIALIZED (FROM jslsh_signatures('target', 'functions', 'threshold')),
    candidates AS (
        FROM colliding_pairs('sources', 'target', 'source_signatures', 'target_signatures', 'threshold')
        WHERE source_partition <> target_partition
    ),
    pairs AS MATERIALIZED (SELECT row_number() OVER () AS pair_id, * FROM candidates)
    SELECT target_partition, source_partition FROM verified_pairs('pairs', 'sources', 'target', 'threshold')
"""
BOUNDS = """
    WITH pairs AS MATERIALIZED (
        SELECT row_number() OVER () AS pair_id, *
        FROM every_pair('sources', 'target', 'threshold') WHERE source_partition <> target_partition
    )
    SELECT target_partition, source_partition FROM verified_pairs('pairs', 'sources', 'target', 'threshold')
"""
CANDIDATES = """
    SELECT count(DISTINCT (s.partition_id, t.partition_id))
    FROM source_signatures AS s JOIN jslsh_signatures('target', 'functions', 'threshold') AS t USING (space_id, band, signature)
    WHERE s.partition_id <> t.partition_id
"""
# The stages of LSH on their own: with the macros of the hub, and with those of this program.
STAGES = {
    "signatures of the queries": "CREATE OR REPLACE TEMP TABLE q AS FROM jslsh_signatures('target', 'functions', 'threshold')",
    "pairs that share a band": """CREATE OR REPLACE TEMP TABLE c AS SELECT DISTINCT s.partition_id, t.partition_id AS query
        FROM source_signatures AS s JOIN q AS t USING (space_id, band, signature)""",
    "the same, and their H2": """CREATE OR REPLACE TEMP TABLE p AS SELECT row_number() OVER () AS pair_id, *
        FROM colliding_pairs('sources', 'target', 'source_signatures', 'q', 'threshold')""",
    "logarithms of the open pairs": """CREATE OR REPLACE TEMP TABLE d AS
        WITH o AS MATERIALIZED (FROM p WHERE hellinger2 > (SELECT max_js FROM threshold))
        FROM pair_divergences('o', 'sources', 'target')""",
}


class Run(NamedTuple):
    """What the queries of one configuration gave; seconds a query, NaN where not measured."""

    space: str
    bins: int
    positions: int
    max_js: float
    bands: int
    rows: int
    width: float
    precision: float
    recall: float
    candidates: float
    related: float
    pairwise: float
    lsh_hub: float
    lsh: float
    bounds: float
    matrix: float


def tables(har: str, dsads: str) -> Any:
    """The rows of the 162 tables as one Arrow table; ``owner`` numbers the tables."""
    with duckdb.connect() as con:
        names = [row[0] for row in con.execute("DESCRIBE FROM read_parquet(?)", [har]).fetchall()]
        con.execute("SET VARIABLE features = ?", [[name for name in names if name.startswith(("acc_", "gyr"))]])
        return con.sql(TABLES, params={"har": har, "dsads": dsads}).to_arrow_table()


def matrix(roots: Floats, queries: Floats, max_js: float) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Pairs (row of ``queries``, row of ``roots``) with JS < max_js, of square roots of distributions, by matrix product."""
    rows, columns, hellinger2 = close_pairs(roots, queries, max_js / math.log(2))
    unsure = np.flatnonzero(hellinger2 >= max_js)
    kept = np.ones(len(rows), bool)
    for start in range(0, len(unsure), 512):
        some = unsure[start : start + 512]
        p, q = roots[rows[some]] ** 2, queries[columns[some]] ** 2
        m = p + q
        entropy = [(x * np.log(x + 1e-300)).sum(axis=1) for x in (p, q, m)]
        kept[some] = math.log(2) + (entropy[0] + entropy[1] - entropy[2]) / 2 < max_js
    return columns[kept], rows[kept]


@contextmanager
def prepared(rows: Any, space: str, **settings: Any) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a hub with these settings and the tables as vectors of one space."""
    with modelhub_sql.connect(**settings) as hub:
        hub.con.register("given_rows", rows)
        hub.con.execute("SET VARIABLE space = ?", [space])
        hub.con.execute(VECTORS)
        yield hub.con


def configure(con: duckdb.DuckDBPyConnection, lsh: tuple[int, int, float], max_js: float, queries: list[int]) -> None:
    """Functions, threshold and queries for L, K and relative r; the signatures of the sources."""
    con.execute("UPDATE settings SET jslsh_bands = ?, jslsh_rows = ?, jslsh_width = ?", list(lsh))
    con.execute("CREATE OR REPLACE TEMP TABLE functions AS FROM space_functions('axis')")
    width = lsh[2] * tuning.match_distance(max_js)
    con.execute("CREATE OR REPLACE TEMP TABLE threshold AS SELECT ?::DOUBLE AS max_js, ?::DOUBLE AS width", [max_js, width])
    con.execute(FASTER)
    con.execute("CREATE OR REPLACE TEMP TABLE source_signatures AS FROM jslsh_signatures('sources', 'functions', 'threshold')")
    ask(con, queries)


def ask(con: duckdb.DuckDBPyConnection, queries: list[int]) -> None:
    """The tables of these numbers are the queries from now on."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE target AS"
        " SELECT 0 AS owner, * EXCLUDE (owner) FROM sources WHERE list_contains(?, partition_id)",
        [queries],
    )


def timed(call: Callable[..., Any], *given: Any) -> tuple[float, Any]:
    """Seconds that a call took, and its result."""
    started = time.perf_counter()
    result = call(*given)
    return time.perf_counter() - started, result


def answer(con: duckdb.DuckDBPyConnection, statement: str) -> Pairs:
    """Pairs (query, table) that a statement finds."""
    return set(con.execute(statement).fetchall())


def hub_macros(con: duckdb.DuckDBPyConnection) -> None:
    """The macros of the hub and their overlays again, after ``FASTER``."""
    con.execute(SLOWER)
    modelhub_sql.load(con)


def vectors(con: duckdb.DuckDBPyConnection) -> tuple[npt.NDArray[np.intp], Floats]:
    """Numbers and vectors of the tables."""
    rows = con.execute("SELECT partition_id, roots FROM sources ORDER BY partition_id").fetchall()
    return np.array([row[0] for row in rows]), np.array([row[1] for row in rows])


def run(
    con: duckdb.DuckDBPyConnection,
    lsh: tuple[int, int, float],
    max_js: float = MAX_JS,
    queries: int = 1_000_000,
    every_way: bool = False,
    one_by_one: bool = False,
) -> Run:
    """The first tables as queries against all others, in one statement or one by one, with L, K and relative r."""
    ids, roots = vectors(con)
    asked = [int(i) for i in ids[:queries]]
    configure(con, lsh, max_js, asked)
    rounds = [[i] for i in asked] if one_by_one else [asked]
    times: dict[str, list[float]] = {way: [] for way in ("pairwise", "lsh_hub", "lsh", "bounds", "matrix")}
    found: dict[str, Pairs] = {}
    for _ in range(REPEATS):
        passed = dict.fromkeys(times, 0.0)
        found = {way: set() for way in times}
        for some in rounds:
            ask(con, some)
            place = np.flatnonzero(np.isin(ids, some))
            seconds, (query, table) = timed(matrix, roots, roots[place], max_js)
            passed["matrix"] += seconds
            found["matrix"] |= {(int(a), int(b)) for a, b in zip(ids[place][query], ids[table], strict=True) if a != b}
            con.execute(FASTER)
            for way, statement in (("pairwise", PAIRWISE), ("lsh", LSH), ("bounds", BOUNDS)):
                if every_way or way == "lsh":
                    seconds, pairs = timed(answer, con, statement)
                    passed[way] += seconds
                    found[way] |= pairs
            if every_way:
                hub_macros(con)
                seconds, pairs = timed(answer, con, LSH)
                passed["lsh_hub"] += seconds
                found["lsh_hub"] |= pairs
        for way, seconds in passed.items():
            times[way].append(seconds / len(asked))
    truth = found["matrix"]
    if every_way:
        assert truth == found["pairwise"] == found["bounds"], "the ways that look at all pairs find the same"
        assert found["lsh"] == found["lsh_hub"], "faster macros find the same"
    ask(con, asked)
    con.execute(FASTER)
    count = con.execute(CANDIDATES).fetchall()[0][0]
    pairs_of_all = len(asked) * (len(ids) - 1)
    space, bins = con.execute("SELECT getvariable('space'), number_bins FROM settings").fetchall()[0]
    hit = len(found["lsh"] & truth)
    median = [statistics.median(values) or math.nan for values in times.values()]
    return Run(
        space, bins, roots.shape[1], max_js, *lsh,
        hit / len(found["lsh"]) if found["lsh"] else 1.0, hit / len(truth) if truth else 1.0,
        count / pairs_of_all, len(truth) / pairs_of_all, *median,
    )  # fmt: skip


def stages(con: duckdb.DuckDBPyConnection, tuned: tuple[int, int, float]) -> list[list[Any]]:
    """Milliseconds a query of each stage of LSH, all queries in one statement: macros of the hub, of this program."""
    ids, _ = vectors(con)
    configure(con, tuned, MAX_JS, [int(i) for i in ids])
    spent: dict[str, list[float]] = {stage: [] for stage in STAGES}
    for faster in (False, True):
        if faster:
            con.execute(FASTER)
        else:
            hub_macros(con)
        for stage, statement in STAGES.items():
            seconds = min(timed(con.execute, statement)[0] for _ in range(REPEATS))
            spent[stage].append(seconds / len(ids) * 1e3)
    return [[stage, *times] for stage, times in spent.items()]


def fitted(roots: Floats, functions: int, max_js: float, recall: float = 0.993) -> tuple[int, int, float]:
    """L, K and relative r with the fewest candidates for the mean recall of these related pairs, by theory.

    ``tune_jslsh`` promises the recall to the worst pair: JS at the threshold and H**2 = JS / ln 2.
    """
    upper = np.triu_indices(len(roots), 1)
    distance = np.sqrt(2 * np.maximum(0, 1 - roots @ roots.T))[upper]
    query, table = matrix(roots, roots, max_js)
    is_related = np.zeros((len(roots),) * 2, bool)
    is_related[query, table] = True
    edges = np.linspace(0, math.sqrt(2), 101)
    middle = (edges[1:] + edges[:-1]) / 2
    every, related = (np.histogram(x, edges)[0] / max(len(x), 1) for x in (distance, distance[is_related[upper]]))
    best = (2.0, (1, 1, 1.0))
    for rows in range(1, 21):
        bands = functions // rows

        def shares(width: float, bands: int = bands, rows: int = rows) -> Floats:
            p = [tuning.band_probability(tuning.collision_probability(float(c), width), bands, rows) for c in middle]
            return np.array([np.dot(p, related), np.dot(p, every)])

        low, high = 0.01, 100.0
        for _ in range(30):
            width = math.sqrt(low * high)
            low, high = (width, high) if shares(width)[0] < recall else (low, width)
        best = min(best, (float(shares(high)[1]), (bands, rows, high / tuning.match_distance(max_js))))
    return best[1]


class Crossover(NamedTuple):
    """A hub of made-up distributions; milliseconds a query, sixteen queries at once, the best of five passes."""

    positions: int
    max_js: float
    distributions: int
    related: float
    bands: int
    rows: int
    recall: float
    candidates: float
    matrix: float
    bands_joined: float
    bands_looked_up: float
    verification: float


def made_up(base: Floats, count: int, queries: int, rng: np.random.Generator) -> Floats:
    """Square roots of distributions, mostly far from each other; the first ``queries`` have eight relatives each.

    A row is a table's distribution with its positions shifted and with noise; a relative of a query
    is the query with noise, JS from about 0.001 to 0.1.
    """
    p = np.empty((count, base.shape[1]))
    columns = np.arange(base.shape[1])
    for start in range(0, count, 1000):
        n = min(1000, count - start)
        shift = rng.integers(0, base.shape[1], n)
        p[start : start + n] = base[rng.integers(0, len(base), n)[:, None], (columns - shift[:, None]) % base.shape[1]]
        p[start : start + n] *= np.exp(rng.normal(0, 0.3, (n, base.shape[1])))
    for query in range(queries):
        for relative, noise in enumerate(np.linspace(0.1, 0.8, 8)):
            p[queries + 8 * query + relative] = p[query] * np.exp(rng.normal(0, noise, base.shape[1]))
    roots: Floats = np.sqrt(p / p.sum(axis=1, keepdims=True))
    return roots


class BandIndex:
    """The bands of distributions as numbers, in the order of the numbers."""

    def __init__(self, roots: Floats, bands: int, rows: int, width: float, rng: np.random.Generator) -> None:
        self.bands, self.rows, self.width = bands, rows, width
        self.directions, self.shifts = rng.normal(size=(bands * rows, roots.shape[1])), rng.random(bands * rows)
        self.factors = rng.integers(1, 2**63, rows, dtype=np.uint64) | np.uint64(1)
        self.salts = rng.integers(1, 2**63, bands, dtype=np.uint64)
        keys = np.concatenate([self.keys(roots[start : start + 10_000]) for start in range(0, len(roots), 10_000)])
        order = np.argsort(keys, kind="stable")
        self.sorted, self.member = keys[order], np.repeat(np.arange(len(roots)), bands)[order]

    def keys(self, roots: Floats) -> npt.NDArray[np.uint64]:
        """A number for each band of each row; equal for equal bands."""
        cells = hashes(roots, self.directions, self.shifts, self.width).view(np.uint64)
        keys: npt.NDArray[np.uint64] = (
            (cells.reshape(-1, self.bands, self.rows) * self.factors).sum(axis=2) + self.salts
        ).ravel()
        return keys

    def look_up(self, asked: Floats) -> list[npt.NDArray[np.intp]]:
        """The rows that share a band, for each of the distributions asked for, by binary search."""
        wanted = self.keys(asked)
        first, last = np.searchsorted(self.sorted, wanted), np.searchsorted(self.sorted, wanted, side="right")
        hits = [self.member[a:b] for a, b in zip(first, last, strict=True)]
        return [np.unique(np.concatenate(hits[q * self.bands : (q + 1) * self.bands])) for q in range(len(asked))]

    def join(self, con: duckdb.DuckDBPyConnection, asked: Floats) -> list[npt.NDArray[np.intp]]:
        """The same by a join in DuckDB, of the table ``band``."""
        con.register("asked", pa.table({"key": self.keys(asked), "query": np.repeat(np.arange(len(asked)), self.bands)}))
        found = con.execute("SELECT DISTINCT member, query FROM band JOIN asked USING (key) ORDER BY ALL").fetchnumpy()
        return [found["member"][found["query"] == query] for query in range(len(asked))]


def verified(roots: Floats, asked: Floats, candidates: list[npt.NDArray[np.intp]], bound: float) -> Pairs:
    """The candidates with H**2 <= bound."""
    pairs: Pairs = set()
    for query, rows in enumerate(candidates):
        pairs |= {(query, int(row)) for row in rows[1 - roots[rows] @ asked[query] <= bound]}
    return pairs


def crossover(base: Floats, counts: tuple[int, ...], max_js: float, functions: int, queries: int = 16) -> list[Crossover]:
    """LSH and the matrix product on hubs of growing size: finding the pairs that H**2 leaves possible.

    The bands are joined in DuckDB as numbers; or looked up by binary search in a sorted numpy
    array, the best that an index could do. Candidates are verified by numpy, a query at a time.
    """
    bands, rows, width = tuning.tune_jslsh(functions=functions)
    bound = max_js / math.log(2)
    results = []
    for count in counts:
        rng = np.random.default_rng(0)
        roots = made_up(base, count, queries, rng)
        asked = roots[:queries].copy()
        index = BandIndex(roots, bands, rows, width * tuning.match_distance(max_js), rng)
        times: dict[str, list[float]] = {"matrix": [], "join": [], "look up": [], "verify": []}
        with duckdb.connect() as con:
            con.register("given", pa.table({"key": index.sorted, "member": index.member}))
            con.execute("CREATE TABLE band AS FROM given ORDER BY member")
            for _ in range(5):
                seconds, (close, query, _) = timed(close_pairs, roots, asked, bound)
                times["matrix"].append(seconds)
                seconds, joined = timed(index.join, con, asked)
                times["join"].append(seconds)
                seconds, looked = timed(index.look_up, asked)
                times["look up"].append(seconds)
                seconds, found = timed(verified, roots, asked, looked, bound)
                times["verify"].append(seconds)
        assert all(map(np.array_equal, joined, looked)), "the join and the look-up find the same"
        exact = set(zip(query.tolist(), close.tolist(), strict=True))
        assert found <= exact, "precision is 1"
        best = {way: min(values) / queries * 1e3 for way, values in times.items()}
        candidates = sum(len(some) for some in looked) / queries / count
        results.append(
            Crossover(
                *(base.shape[1], max_js, count, len(exact) / queries, bands, rows, len(found) / len(exact), candidates),
                *(best["matrix"], best["join"] + best["verify"], best["look up"] + best["verify"], best["verify"]),
            )
        )
        print(f"{count} distributions of {base.shape[1]} positions, t = {max_js:g}", flush=True)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of har/har54.parquet and har/dsads81.parquet")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder to write to")
    parser.add_argument("--fast", action="store_true", help="no variations, small made-up hubs")
    arguments = parser.parse_args()
    har, dsads = arguments.data / "har" / "har54.parquet", arguments.data / "har" / "dsads81.parquet"
    for path in (har, dsads):
        if not path.exists():
            parser.error(f"{path} is missing: --data names the folder that holds it")
    rows = tables(str(har), str(dsads))
    tuned = tuning.tune_jslsh()
    bands, k, width = tuned
    every: list[tuple[str, Run]] = []
    varied: list[tuple[str, Run]] = []
    with prepared(rows, "aligned") as con:
        base = vectors(con)[1]
        every.append(("all in one statement", run(con, tuned, every_way=True)))
        spent = stages(con, tuned)
        every.append(
            ("one by one", run(con, tuned, queries=4 if arguments.fast else SINGLE_QUERIES, every_way=True, one_by_one=True))
        )
        if not arguments.fast:
            choices = {
                "tuned": tuned,
                **{f"r x {factor:g}": (bands, k, width * factor) for factor in (0.25, 0.5, 0.75, 1.5, 2)},
                **{f"K = {rows_}": (bands, rows_, width) for rows_ in (1, 3, 8, 12)},
                **{f"L = {count}": (count, k, width) for count in (1, 5, 10, 100)},
                **{f"tuned, {n} functions": tuning.tune_jslsh(functions=n) for n in (256, 512, 1024)},
                **{f"fitted, {n} functions": fitted(base, n, MAX_JS) for n in (128, 512, 1024)},
            }
            for name, choice in choices.items():
                varied.append((name, run(con, choice)))
                print(name, flush=True)
    if not arguments.fast:
        for bins in (64, 1024):
            with prepared(rows, "aligned", number_bins=bins) as con:
                varied.append((f"{bins} bins", run(con, tuned, every_way=True)))
        every += varied[-2:]
        with prepared(rows, "flattened") as con:
            every.append(("flattened", run(con, tuned, every_way=True)))
            every.append(("flattened, nearer", run(con, tuned, max_js=0.01, every_way=True)))
    small = base[:, : max(200, base.shape[1] // 9)] ** 2
    small /= np.maximum(small.sum(axis=1, keepdims=True), 1e-9)
    sizes = [(small, (300, 1000))] if arguments.fast else [(small, (1000, 10_000, 100_000)), (base**2, (1000, 10_000, 50_000))]
    crossed = [
        result
        for some, counts in sizes
        for max_js, functions in ((0.1, 128), (0.1, 512), (0.01, 128))
        for result in crossover(some, counts, max_js, functions)
    ]
    arguments.results.mkdir(exist_ok=True, parents=True)
    report(arguments.results, every, varied, spent, crossed)
    plot(arguments.results, every, varied, crossed)


def table(header: str, rows: list[str]) -> list[str]:
    """A Markdown table."""
    return [f"| {header} |", "|---" * (header.count("|") + 1) + "|", *(f"| {row} |" for row in rows), ""]


def report(
    folder: Path, every: list[tuple[str, Run]], varied: list[tuple[str, Run]], spent: list[list[Any]], crossed: list[Crossover]
) -> None:
    """Write the tables."""
    first = every[0][1]
    with (folder / "figures_3_4.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["configuration", *Run._fields])
        writer.writerows([name, *result] for name, result in dict(every + varied).items())
    with (folder / "figures_3_4_crossover.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(Crossover._fields)
        writer.writerows(crossed)
    compared = []
    for name, r in every:
        times = " | ".join(f"{x * 1e3:.2f}" for x in (r.pairwise, r.lsh_hub, r.lsh, r.bounds, r.matrix))
        ratios = " | ".join(f"{r.pairwise / x:.1f}" for x in (r.lsh_hub, r.lsh, r.bounds, r.matrix))
        shares = f"{r.precision:.4f} | {r.recall:.4f} | {r.candidates:.3f} | {r.related:.3f}"
        compared.append(f"{name} | {r.max_js:g} | {r.bins} | {r.positions} | {shares} | {times} | {ratios}")
    tuned = f"L = {first.bands}, K = {first.rows}, r = {first.width:.3f} times the greatest distance of a match"
    lines = [
        "# Figures 3 and 4: JS-LSH against pairwise comparison",
        "",
        "Tables as queries against each other; related: JS < t. Tuned for a recall of 0.99 of the worst pair:",
        f"{tuned}. The ways are described in figures_3_4.py.",
        "Candidates, related: share of the pairs that share a band, that are related. Precision and recall: of LSH, both macros;",
        "the other ways agree with each other. Milliseconds a query, the median of three passes of one process, way after way.",
        "",
        "## Figure 3",
        "",
        *table(
            "queries | t | bins | positions | precision | recall | candidates | related | pairwise, ms | LSH, hub | LSH | bounds"
            " | matrix | pairwise / LSH, hub | / LSH | / bounds | / matrix",
            compared,
        ),
        "Where the time of LSH goes, milliseconds a query, all in one statement:",
        "",
        *table("stage | macros of the hub | of this program", [f"{stage} | {hub:.2f} | {own:.2f}" for stage, hub, own in spent]),
    ]
    if varied:
        lines += [
            "## Figure 4",
            "",
            "One parameter changed at a time; tuned and fitted choose L, K and r for a recall of 0.99: of the worst pair, and of",
            "these related pairs on average.",
            "",
            *table(
                "configuration | L | K | r | precision | recall | candidates | LSH, ms | pairwise / LSH",
                [
                    f"{name} | {r.bands} | {r.rows} | {r.width:.2f} | {r.precision:.4f} | {r.recall:.4f} | {r.candidates:.3f}"
                    f" | {r.lsh * 1e3:.2f} | {relative(r, first):.1f}"
                    for name, r in varied
                ],
            ),
        ]
    lines += [
        "## Crossover",
        "",
        "Made-up hubs with few related distributions; milliseconds a query, sixteen at once, the best of five passes, to find",
        "the pairs with H2 <= t / ln 2: one matrix product in numpy; the bands joined as numbers in DuckDB, or looked up by",
        "binary search in a sorted array, and the candidates verified by numpy.",
        "",
        *table(
            "positions | t | distributions | related a query | L, K | recall | candidates | matrix | join | look-up"
            " | of both: verification",
            [
                f"{c.positions} | {c.max_js:g} | {c.distributions} | {c.related:.1f} | {c.bands}, {c.rows} | {c.recall:.4f}"
                f" | {c.candidates:.4f} | {c.matrix:.3f} | {c.bands_joined:.3f} | {c.bands_looked_up:.3f} | {c.verification:.3f}"
                for c in crossed
            ],
        ),
    ]
    (folder / "figures_3_4.md").write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


def relative(run: Run, first: Run) -> float:
    """How many times faster than the pairwise comparison LSH is."""
    return (first.pairwise if math.isnan(run.pairwise) else run.pairwise) / run.lsh


def plot(folder: Path, every: list[tuple[str, Run]], varied: list[tuple[str, Run]], crossed: list[Crossover]) -> None:
    """Draw times, variations and crossover, where matplotlib is installed."""
    try:
        from matplotlib import pyplot
    except ModuleNotFoundError:
        print("no plot: pip install matplotlib")
        return
    figure, (left, middle, right) = pyplot.subplots(1, 3, figsize=(18, 6), width_ratios=[1, 1.6, 1.1])
    ways = {"pairwise": "pairwise", "LSH, hub": "lsh_hub", "LSH": "lsh", "bounds": "bounds", "matrix": "matrix"}
    for place, (name, r) in enumerate(every[:2]):
        heights = [getattr(r, field) * 1e3 for field in ways.values()]
        bars = left.bar(np.arange(len(ways)) + 0.4 * place - 0.2, heights, 0.4, label=name)
        left.bar_label(bars, fmt="%.2g", fontsize=8)
    left.set_xticks(range(len(ways)), list(ways))
    left.set_yscale("log")
    left.set_ylim(0.5, 200)
    left.set_ylabel("ms a query")
    left.set_title(f"Figure 3: time (LSH: precision {every[0][1].precision:g}, recall {every[0][1].recall:.4f})")
    left.legend(loc="upper right")
    names = [name for name, _ in varied]
    middle.plot(names, [r.recall for _, r in varied], "o", label="recall")
    middle.plot(names, [r.candidates for _, r in varied], "s", label="candidates / pairs")
    middle.plot(names, [1 / relative(r, every[0][1]) for _, r in varied], "^", label="time / pairwise")
    middle.set_ylim(0, 1.05)
    middle.tick_params(axis="x", rotation=90)
    middle.grid(alpha=0.3)
    middle.set_title("Figure 4: r, K, L, bins, more functions (precision 1)")
    middle.legend(loc="center right")
    most = max(c.positions for c in crossed)
    large = [c for c in crossed if c.positions == most]
    for colour, (max_js, bands) in enumerate(dict.fromkeys((c.max_js, c.bands) for c in large)):
        results = [c for c in large if (c.max_js, c.bands) == (max_js, bands)]
        counts = [c.distributions for c in results]
        if not colour:
            right.plot(counts, [c.matrix for c in results], "k-o", label="matrix product")
        name = f"t = {max_js:g}, L = {bands}"
        right.plot(counts, [c.bands_joined for c in results], "--o", color=f"C{colour}", label=f"bands joined, {name}")
        right.plot(counts, [c.bands_looked_up for c in results], ":s", color=f"C{colour}", label=f"bands looked up, {name}")
    right.set_xscale("log")
    right.set_yscale("log")
    right.set_xlabel("distributions in the hub")
    right.set_ylabel("ms a query")
    right.set_title(f"Crossover, {most} positions")
    right.legend(fontsize=8, loc="upper left", bbox_to_anchor=(0, -0.12), ncols=2)
    figure.tight_layout()
    figure.savefig(folder / "figures_3_4.png", dpi=90)


if __name__ == "__main__":
    main()
