"""Figures 3 and 4 of the paper: JS-LSH against pairwise comparison on 162 tables of sensor features.

Each table (``sensor_tables.py``) is a query against the others; related are those with JS <= 0.1,
each table one distribution.

    python examples/measurements/figures_3_4.py --data data

Four ways to find them, on the same vectors, timed in turn:

- pairwise: the JS divergence of every pair by logarithms, in SQL (the paper's baseline);
- LSH: bands of JS-LSH signatures joined, candidates verified, by the macros of the hub; the
  signatures of the hub stored beforehand, those of the queries computed;
- bounds: H**2 of every pair, logarithms only where it leaves the answer open, by the macros of the hub;
- matrix: all H**2 as one product in numpy, logarithms only where it leaves the answer open.

Then r, K, L and the bins are varied.
"""

from __future__ import annotations

import csv
import math
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
from sensor_tables import MAX_JS, arguments, prepared, table, timed, vectors

from modelhub_sql import logic, tuning
from modelhub_sql.udfs.matches import matching_pairs

REPEATS = 3
SINGLE_QUERIES = 24
#: The ways to compare, by the names of their fields in ``Run``.
WAYS = ("pairwise", "lsh", "bounds", "matrix")
Floats = npt.NDArray[np.float64]
Pairs = set[tuple[int, int]]

RELATIONS = logic.relations("search", numpy=True)
IN_SQL = logic.relations("search")

PAIRWISE = """
    WITH bin AS (
        SELECT s.partition_id, t.partition_id AS query, unnest(s.roots) AS source_root, unnest(t.roots) AS target_root
        FROM sources AS s, target AS t WHERE s.partition_id <> t.partition_id
    )
    SELECT query, partition_id
    FROM bin GROUP BY query, partition_id
    HAVING sum(_logic.js_term(source_root * source_root, target_root * target_root)) <= (SELECT max_js FROM threshold)
"""
VECTORS = "FROM sources UNION ALL FROM target"
# The bands of the sources are stored beforehand.
TARGET_BANDS = RELATIONS["partition_band"].query.replace("partition_vector", "target")
BANDS = f"FROM source_bands UNION ALL FROM ({TARGET_BANDS})"
#: Not with itself.
OTHERS = "FROM ({}) WHERE source_partition <> target_partition"
VERIFICATION = {name: RELATIONS[name].query for name in ("open_pair_estimate", "near_pair", "near_divergence")}


def chained(steps: Mapping[str, str], query: str) -> str:
    """Relations, one after the other, and a query of them."""
    return "WITH " + ",\n".join(f"{name} AS MATERIALIZED ({step})" for name, step in steps.items()) + "\n" + query


# The relations of the search, from the vectors on.
VERIFIED = f"SELECT target_partition, source_partition FROM ({RELATIONS['verified_pair'].query})"
LSH = chained(
    {
        "partition_vector": VECTORS,
        "partition_band": BANDS,
        "colliding_pair": OTHERS.format(RELATIONS["colliding_pair"].query),
        "close_pair": RELATIONS["hashed_pair"].query,
        **VERIFICATION,
    },
    VERIFIED,
)
BOUNDS = chained(
    {"partition_vector": VECTORS, "close_pair": OTHERS.format(IN_SQL["compared_pair"].query), **VERIFICATION}, VERIFIED
)
CANDIDATES = chained(
    {"partition_band": BANDS, "colliding_pair": OTHERS.format(RELATIONS["colliding_pair"].query)},
    "SELECT count(*) FROM colliding_pair",
)
# The stages of LSH on their own, each from the tables that those before have left.
STAGES = {
    "signatures of the queries": ("target_bands", TARGET_BANDS),
    "pairs that share a band": (
        "colliding_pair",
        chained({"partition_band": "FROM source_bands UNION ALL FROM target_bands"}, RELATIONS["colliding_pair"].query),
    ),
    "their H2": ("close_pair", chained({"partition_vector": VECTORS}, f"FROM ({RELATIONS['hashed_pair'].query})")),
    "what H2 leaves open": ("matched", chained({"partition_vector": VECTORS, **VERIFICATION}, VERIFIED)),
}


class Run(NamedTuple):
    """What the queries of one configuration gave; seconds a query, NaN where not measured."""

    space: str
    bins: float
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
    lsh: float
    bounds: float
    matrix: float


def configure(con: duckdb.DuckDBPyConnection, lsh: tuple[int, int, float], max_js: float, queries: list[int]) -> None:
    """Functions, threshold and queries for L, K and relative r; the bands of the sources."""
    con.execute("CREATE OR REPLACE TEMP TABLE options AS FROM _logic.search_options()")
    con.execute("UPDATE options SET jslsh_bands = ?, jslsh_rows = ?, jslsh_width = ?", list(lsh))
    con.execute("CREATE OR REPLACE TEMP TABLE reachable_space AS SELECT 1 AS space_id")
    con.execute("CREATE OR REPLACE TEMP TABLE search_method AS SELECT 'lsh' AS search")
    con.execute(f"CREATE OR REPLACE TEMP TABLE hash_function AS {RELATIONS['hash_function'].query}")
    # Functions are drawn for lsh; all pairs are compared for exact.
    con.execute("CREATE OR REPLACE TEMP TABLE search_method AS SELECT 'exact' AS search")
    width = lsh[2] * tuning.match_distance(max_js)
    con.execute("CREATE OR REPLACE TEMP TABLE threshold AS SELECT ?::DOUBLE AS max_js, ?::DOUBLE AS width", [max_js, width])
    bands = RELATIONS["partition_band"].query.replace("partition_vector", "sources")
    con.execute(f"CREATE OR REPLACE TEMP TABLE source_bands AS {bands}")
    ask(con, queries)


def ask(con: duckdb.DuckDBPyConnection, queries: list[int]) -> None:
    """The tables of these numbers are the queries from now on."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE target AS"
        " SELECT 0 AS owner, * EXCLUDE (owner) FROM sources WHERE list_contains(?, partition_id)",
        [queries],
    )


def answer(con: duckdb.DuckDBPyConnection, statement: str) -> Pairs:
    """Pairs (query, table) that a statement finds."""
    return set(con.execute(statement).fetchall())


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
    times: dict[str, list[float]] = {way: [] for way in WAYS}
    found: dict[str, Pairs] = {}
    for _ in range(REPEATS):
        passed = dict.fromkeys(times, 0.0)
        found = {way: set() for way in times}
        for some in rounds:
            ask(con, some)
            place = np.flatnonzero(np.isin(ids, some))
            seconds, (rows, columns, _) = timed(matching_pairs, roots, roots[place], max_js)
            passed["matrix"] += seconds
            found["matrix"] |= {(int(a), int(b)) for a, b in zip(ids[place][columns], ids[rows], strict=True) if a != b}
            for way, statement in (("pairwise", PAIRWISE), ("lsh", LSH), ("bounds", BOUNDS)):
                if every_way or way == "lsh":
                    seconds, pairs = timed(answer, con, statement)
                    passed[way] += seconds
                    found[way] |= pairs
        for way, seconds in passed.items():
            times[way].append(seconds / len(asked))
    truth = found["matrix"]
    if every_way:
        assert truth == found["pairwise"] == found["bounds"], "the ways that look at all pairs find the same"
    ask(con, asked)
    count = con.execute(CANDIDATES).fetchall()[0][0]
    pairs_of_all = len(asked) * (len(ids) - 1)
    space, bins = con.execute("SELECT getvariable('space'), 2 ** getvariable('coarser')").fetchall()[0]
    hit = len(found["lsh"] & truth)
    median = [statistics.median(values) or math.nan for values in times.values()]
    return Run(
        space, bins, roots.shape[1], max_js, *lsh,
        hit / len(found["lsh"]) if found["lsh"] else 1.0, hit / len(truth) if truth else 1.0,
        count / pairs_of_all, len(truth) / pairs_of_all, *median,
    )  # fmt: skip


def stages(con: duckdb.DuckDBPyConnection, tuned: tuple[int, int, float]) -> dict[str, float]:
    """Milliseconds a query of each stage of LSH, all queries in one statement."""
    ids, _ = vectors(con)
    configure(con, tuned, MAX_JS, [int(i) for i in ids])
    return {
        stage: min(timed(con.execute, f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")[0] for _ in range(REPEATS))
        / len(ids)
        * 1e3
        for stage, (name, query) in STAGES.items()
    }


def fitted(roots: Floats, functions: int, max_js: float, recall: float = 0.993) -> tuple[int, int, float]:
    """L, K and relative r with the fewest candidates for the mean recall of these related pairs, by theory.

    ``tune_jslsh`` promises the recall to the worst pair: JS at the threshold and H**2 = JS / ln 2.
    """
    upper = np.triu_indices(len(roots), 1)
    distance = np.sqrt(2 * np.maximum(0, 1 - roots @ roots.T))[upper]
    rows, columns, _ = matching_pairs(roots, roots, max_js)
    is_related = np.zeros((len(roots),) * 2, bool)
    is_related[rows, columns] = True
    edges = np.linspace(0, math.sqrt(2), 101)
    middle = (edges[1:] + edges[:-1]) / 2
    every, related = (np.histogram(x, edges)[0] / max(len(x), 1) for x in (distance, distance[is_related[upper]]))
    best = (2.0, (1, 1, 1.0))
    for k in range(1, 21):
        bands = functions // k

        def shares(width: float, bands: int = bands, k: int = k) -> Floats:
            p = [tuning.band_probability(tuning.collision_probability(float(c), width), bands, k) for c in middle]
            return np.array([np.dot(p, related), np.dot(p, every)])

        low, high = 0.01, 100.0
        for _ in range(30):
            width = math.sqrt(low * high)
            low, high = (width, high) if shares(width)[0] < recall else (low, width)
        best = min(best, (float(shares(high)[1]), (bands, k, high / tuning.match_distance(max_js))))
    return best[1]


def main() -> None:
    given, rows = arguments(__doc__, "no variations")
    tuned = tuning.tune_jslsh()
    bands, k, width = tuned
    every: list[tuple[str, Run]] = []
    varied: list[tuple[str, Run]] = []
    with prepared(rows, "aligned") as con:
        base = vectors(con)[1]
        every.append(("all in one statement", run(con, tuned, every_way=True)))
        spent = stages(con, tuned)
        every.append(
            ("one by one", run(con, tuned, queries=4 if given.fast else SINGLE_QUERIES, every_way=True, one_by_one=True))
        )
        if not given.fast:
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
    if not given.fast:
        for coarser in (1, 2):
            with prepared(rows, "aligned", coarser=coarser) as con:
                varied.append((f"bins {2**coarser} times as wide", run(con, tuned, every_way=True)))
        every += varied[-2:]
        with prepared(rows, "flattened") as con:
            every.append(("flattened", run(con, tuned, every_way=True)))
            every.append(("flattened, nearer", run(con, tuned, max_js=0.01, every_way=True)))
    report(given.results, every, varied, spent)
    plot(given.results, every, varied)


def report(folder: Path, every: list[tuple[str, Run]], varied: list[tuple[str, Run]], spent: dict[str, float]) -> None:
    """Write the tables."""
    first = every[0][1]
    with (folder / "figures_3_4.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["configuration", *Run._fields])
        writer.writerows([name, *result] for name, result in dict(every + varied).items())
    compared = []
    for name, r in every:
        times = " | ".join(f"{x * 1e3:.2f}" for x in (r.pairwise, r.lsh, r.bounds, r.matrix))
        ratios = " | ".join(f"{r.pairwise / x:.1f}" for x in (r.lsh, r.bounds, r.matrix))
        shares = f"{r.precision:.4f} | {r.recall:.4f} | {r.candidates:.3f} | {r.related:.3f}"
        compared.append(f"{name} | {r.max_js:g} | {r.bins:g} x | {r.positions} | {shares} | {times} | {ratios}")
    tuned = f"L = {first.bands}, K = {first.rows}, r = {first.width:.3f} times the greatest distance of a match"
    lines = [
        "# Figures 3 and 4: JS-LSH against pairwise comparison",
        "",
        "Tables as queries against each other; related: JS <= t. Tuned for a recall of 0.99 of the worst pair:",
        f"{tuned}. The ways are described in figures_3_4.py.",
        "Candidates, related: share of the pairs that share a band, that are related. Precision and recall: of LSH; the",
        "other ways agree with each other. Milliseconds a query, the median of three passes of one process, way after way.",
        "",
        "## Figure 3",
        "",
        *table(
            "queries | t | bin width | positions | precision | recall | candidates | related | pairwise, ms | LSH | bounds"
            " | matrix | pairwise / LSH | / bounds | / matrix",
            compared,
        ),
        "Where the time of LSH goes, milliseconds a query, all in one statement:",
        "",
        *table("stage | time", [f"{stage} | {time:.2f}" for stage, time in spent.items()]),
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
    (folder / "figures_3_4.md").write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


def relative(run: Run, first: Run) -> float:
    """How many times faster than the pairwise comparison LSH is."""
    return (first.pairwise if math.isnan(run.pairwise) else run.pairwise) / run.lsh


def plot(folder: Path, every: list[tuple[str, Run]], varied: list[tuple[str, Run]]) -> None:
    """Draw times and variations, where matplotlib is installed."""
    try:
        from matplotlib import pyplot
    except ModuleNotFoundError:
        print("no plot: pip install matplotlib")
        return
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(13, 6), width_ratios=[1, 1.6])
    for place, (name, r) in enumerate(every[:2]):
        heights = [getattr(r, way) * 1e3 for way in WAYS]
        bars = left.bar(np.arange(len(WAYS)) + 0.4 * place - 0.2, heights, 0.4, label=name)
        left.bar_label(bars, fmt="%.2g", fontsize=8)
    left.set_xticks(range(len(WAYS)), WAYS)
    left.set_yscale("log")
    left.set_ylim(0.05, 200)
    left.set_ylabel("ms a query")
    left.set_title(f"Figure 3: time (LSH: precision {every[0][1].precision:g}, recall {every[0][1].recall:.4f})")
    left.legend(loc="upper right")
    names = [name for name, _ in varied]
    right.plot(names, [r.recall for _, r in varied], "o", label="recall")
    right.plot(names, [r.candidates for _, r in varied], "s", label="candidates / pairs")
    right.plot(names, [1 / relative(r, every[0][1]) for _, r in varied], "^", label="time / pairwise")
    right.set_ylim(0, 1.05)
    right.tick_params(axis="x", rotation=90)
    right.grid(alpha=0.3)
    right.set_title("Figure 4: r, K, L, bins, more functions (precision 1)")
    right.legend(loc="center right")
    figure.tight_layout()
    figure.savefig(folder / "figures_3_4.png", dpi=90)


if __name__ == "__main__":
    main()
