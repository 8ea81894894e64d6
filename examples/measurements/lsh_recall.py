"""Recall of ``search = 'lsh'`` against ``search = 'exact'`` on real tables, pair of partitions by pair.

Tables of har54 (activity recognition) and of entity-matching tasks are registered; some of them are
targets against the others. The stages of the search run one after the other, as in
``target_coverage``, once with all pairs and, for several seeds of the hash functions, with the
pairs that share a JS-LSH band; both verify their pairs. Reported are precision and recall of the
pairs that match, the share of all pairs that LSH verifies, and the hashes computed for each pair.

    python examples/measurements/lsh_recall.py --data data
"""

from __future__ import annotations

import argparse
import csv
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

import modelhub_sql

RESULTS = Path(__file__).parent / "results"
# Thresholds with matches, and with pairs that don't match.
THRESHOLDS = {
    ("har54", "aligned"): (0.05, 0.1),
    ("har54", "flattened"): (0.01, 0.02),
    ("entity matching", "aligned"): (0.2, 0.3),
    ("entity matching", "flattened"): (0.1, 0.2),
}
HAR_TARGETS = 4
# Of the tasks, those that others are near to.
EM_TARGETS = ("dblp_scholar", "abt_buy", "rottentomatoes_imdb", "imdb_tmdb")
SEEDS = (0, 1, 2)
PARTITION_SIZE = 200
MOST_ROWS = 6000
KEYS = "dataset, subject, body_part, activity, activity_common"

# The stages of target_coverage, each a temporary table; the target's own dataset is left out.
STAGES = """
    CREATE OR REPLACE TEMP TABLE options AS FROM search_options(min_overlap := 0.1, sample_space := getvariable('space'));
    CREATE OR REPLACE TEMP TABLE target_sketch AS FROM sketch('target_rows');
    CREATE OR REPLACE TEMP TABLE matches AS
    FROM feature_matches('target_sketch', 'options')
    WHERE dataset_id <> (SELECT dataset_id FROM datasets WHERE dataset = getvariable('target_name'));
    CREATE OR REPLACE TEMP TABLE related AS FROM dataset_overlap('matches', 'target_sketch', 'options');
    CREATE OR REPLACE TEMP TABLE spaces AS FROM dataset_spaces('matches', 'related');
    CREATE OR REPLACE TEMP TABLE axis AS FROM space_axis('spaces', 'target_sketch', 'options');
    CREATE OR REPLACE TEMP TABLE source_members AS FROM source_space_members('spaces', 'matches');
    CREATE OR REPLACE TEMP TABLE target_members AS FROM target_space_members('spaces', 'target_sketch');
    CREATE OR REPLACE TEMP TABLE source_partitions AS
    SELECT dataset_id AS owner, feature_id, partition_id, counts FROM histograms SEMI JOIN related USING (dataset_id);
    CREATE OR REPLACE TEMP TABLE target_partitions AS
    SELECT 0 AS owner, feature_id, partition_id, counts FROM sketched_histograms('target_sketch');
    CREATE OR REPLACE TEMP TABLE source_vectors AS FROM space_vectors('source_members', 'source_partitions', 'axis', 'options');
    CREATE OR REPLACE TEMP TABLE target_vectors AS FROM space_vectors('target_members', 'target_partitions', 'axis', 'options');
    CREATE OR REPLACE TEMP TABLE method AS SELECT 'exact' AS search;
"""

EXACT = """
    CREATE OR REPLACE TEMP TABLE threshold AS
    SELECT getvariable('t')::DOUBLE AS max_js, jslsh_width * sqrt(2 * getvariable('t')::DOUBLE / ln(2)) AS width FROM settings;
    CREATE OR REPLACE TEMP TABLE all_close AS
    SELECT row_number() OVER () AS pair_id, * FROM all_pairs('source_vectors', 'target_vectors', 'threshold', 'method');
    CREATE OR REPLACE TEMP TABLE exact_matches AS
    SELECT owner, source_partition, target_partition
    FROM verified_pairs('all_close', 'source_vectors', 'target_vectors', 'threshold');
"""

# The signatures by the macro stored in the hub (its full name), plain SQL.
LSH = """
    CREATE OR REPLACE TEMP TABLE source_signatures AS
    FROM memory.main.jslsh_signatures('source_vectors', 'functions', 'threshold');
    CREATE OR REPLACE TEMP TABLE target_signatures AS
    FROM memory.main.jslsh_signatures('target_vectors', 'functions', 'threshold');
    CREATE OR REPLACE TEMP TABLE hashed_close AS
    SELECT row_number() OVER () AS pair_id, *
    FROM colliding_pairs('source_vectors', 'target_vectors', 'source_signatures', 'target_signatures', 'threshold');
    CREATE OR REPLACE TEMP TABLE lsh_matches AS
    SELECT owner, source_partition, target_partition
    FROM verified_pairs('hashed_close', 'source_vectors', 'target_vectors', 'threshold');
"""

COUNTS = """
    SELECT
        (SELECT count(*) FROM source_vectors JOIN target_vectors USING (space_id)) AS pairs,
        (SELECT count(*) FROM (
            SELECT DISTINCT s.owner, s.partition_id, t.partition_id AS target_partition
            FROM source_signatures AS s JOIN target_signatures AS t USING (space_id, band, signature)
        )) AS candidates,
        (SELECT count(*) FROM exact_matches) AS exact,
        (SELECT count(*) FROM lsh_matches) AS lsh,
        (SELECT count(*) FROM lsh_matches SEMI JOIN exact_matches USING (owner, source_partition, target_partition)) AS both,
        (SELECT count(*) FROM source_vectors) + (SELECT count(*) FROM target_vectors) AS vectors
"""


def tables(folder: Path) -> Iterator[tuple[str, str, Any]]:
    """Collection, name and rows (the first few thousand) of each table; every third of har54."""
    with duckdb.connect() as con:
        har = str(folder / "har" / "har54.parquet")
        names = con.execute(
            "SELECT DISTINCT dataset || '_' || subject || '_' || body_part AS name FROM read_parquet(?) ORDER BY name", [har]
        ).fetchall()
        for (name,) in names[::3]:
            query = f"SELECT * EXCLUDE ({KEYS}) FROM read_parquet($1) WHERE dataset || '_' || subject || '_' || body_part = $2"
            yield "har54", name, con.sql(query, params=[har, name]).to_arrow_table()
        for path in sorted((folder / "em").glob("*.parquet")):
            table = con.sql("FROM read_parquet($1) LIMIT $2", params=[str(path), MOST_ROWS]).to_arrow_table()
            yield "entity matching", path.stem, table.drop_columns([c for c in ("label", "split") if c in table.column_names])


def measured(
    con: duckdb.DuckDBPyConnection, name: str, table: Any, space: str, thresholds: tuple[float, ...], seeds: tuple[int, ...]
) -> list[list[Any]]:
    """Threshold, seed and counts of the pairs of one target."""
    con.register("target_rows", table)
    con.execute("SET VARIABLE target_name = ?", [name])
    con.execute("SET VARIABLE space = ?", [space])
    con.execute(STAGES)
    rows = []
    kept = con.execute("SELECT seed FROM settings").fetchall()[0][0]
    for t in thresholds:
        con.execute("SET VARIABLE t = ?", [t])
        con.execute(EXACT)
        for seed in seeds:
            con.execute("UPDATE settings SET seed = ?", [seed])
            con.execute("CREATE OR REPLACE TEMP TABLE functions AS FROM space_functions('axis')")
            con.execute(LSH)
            rows.append([t, seed, *con.execute(COUNTS).fetchall()[0]])
    con.execute("UPDATE settings SET seed = ?", [kept])
    con.unregister("target_rows")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of har/har54.parquet and em/")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder to write to")
    parser.add_argument("--fast", action="store_true", help="two targets, one seed")
    arguments = parser.parse_args()
    for path in (arguments.data / "har" / "har54.parquet", arguments.data / "em"):
        if not path.exists():
            parser.error(f"{path} is missing: --data names the folder that holds it")
    seeds = SEEDS[:1] if arguments.fast else SEEDS
    collections: dict[str, dict[str, Any]] = {}
    for collection, name, table in tables(arguments.data):
        collections.setdefault(collection, {})[name] = table
    records: list[list[Any]] = []
    for collection, registered in collections.items():
        with modelhub_sql.connect(partition_size=PARTITION_SIZE) as hub, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            hub.register_many([{"name": name, "dataset": table} for name, table in registered.items()])
            bands, rows, width = hub.con.execute("SELECT jslsh_bands, jslsh_rows, jslsh_width FROM settings").fetchall()[0]
            some = list(registered)[:: max(1, len(registered) // HAR_TARGETS)][:HAR_TARGETS]
            targets = [name for name in EM_TARGETS if name in registered] if collection == "entity matching" else some
            for name in targets[:2] if arguments.fast else targets:
                for space in ("aligned", "flattened"):
                    for row in measured(hub.con, name, registered[name], space, THRESHOLDS[collection, space], seeds):
                        records.append([collection, space, name, *row])
        print(f"{collection}: done", flush=True)
    arguments.results.mkdir(exist_ok=True, parents=True)
    report(arguments.results, records, (bands, rows, width))


def report(folder: Path, records: list[list[Any]], tuned: tuple[int, int, float]) -> None:
    """Totals as Markdown, every target and seed as CSV."""
    lines = [
        "# Recall of LSH against exact search",
        "",
        f"L = {tuned[0]}, K = {tuned[1]}, r = {tuned[2]:.3f} times the greatest distance of a match, tuned for a recall of 0.99",
        f"of the worst pair; {PARTITION_SIZE} rows a partition. Pairs: a target and a source partition, for each seed of the",
        "hash functions. Candidates: share of them that shares a band. Least recall: of a seed. Hashes: computed, for each",
        "pair that exact search would compare.",
        "",
        "| tables | space | t | targets | pairs | matches | precision | recall | least recall | candidates | hashes a pair |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for key in dict.fromkeys((r[0], r[1], r[3]) for r in records):
        chosen = [r for r in records if (r[0], r[1], r[3]) == key]
        pairs, candidates, exact, lsh, both, vectors = (sum(r[i] for r in chosen) for i in range(5, 11))
        by_seed = [[r for r in chosen if r[4] == seed] for seed in {r[4] for r in chosen}]
        recalls = [sum(r[9] for r in some) / max(sum(r[7] for r in some), 1) for some in by_seed]
        cells = [
            *(key[0], key[1], f"{key[2]:g}", str(len({r[2] for r in chosen})), str(pairs), str(exact)),
            f"{both / lsh:.4f}" if lsh else "-",
            f"{both / exact:.4f}" if exact else "-",
            f"{min(recalls):.4f}" if exact else "-",
            f"{candidates / pairs:.3f}" if pairs else "-",
            f"{vectors * tuned[0] * tuned[1] / pairs:.1f}" if pairs else "-",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    print("\n".join(lines))
    (folder / "lsh_recall.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with (folder / "lsh_recall.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["tables", "space", "target", "max_js", "seed", "pairs", "candidates", "exact", "lsh", "both", "vectors"])
        writer.writerows(records)


if __name__ == "__main__":
    main()
