"""Recall of ``search = 'lsh'`` against ``search = 'exact'`` on real tables, pair of partitions by pair.

Tables of har54 (activity recognition) and of entity-matching tasks are registered, in a hub for each of several seeds; some
of them are targets against the others. A search is taken step by step (``hub.steps``) up to the pairs that match, once with all
pairs and once with those that share a JS-LSH band; both verify their pairs. Reported are precision and recall of the pairs that
match, the share of all pairs that share a band, and the hashes computed for each pair.

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
from modelhub_sql import tuning

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


def measured(hub: modelhub_sql.Hub, name: str, table: Any, space: Any, thresholds: tuple[float, ...]) -> list[list[Any]]:
    """Threshold and counts of the pairs of one target; its own dataset is left out."""
    own, partitions = hub.sql("SELECT dataset_id, partitions FROM datasets WHERE dataset = ?", [name]).fetchall()[0]
    rows = []
    for t in thresholds:
        found: dict[str, set[tuple[Any, ...]]] = {}
        for search in ("exact", "lsh"):
            hub.steps(table, until="partition_match", max_js=t, min_overlap=0.1, sample_space=space, search=search)
            found[search] = {pair[:3] for pair in hub.step("partition_match").fetchall() if pair[0] != own}
        reached = {row[0] for row in hub.step("reachable_dataset").fetchall() if row[0] != own}
        sources = sum(n for dataset, n in hub.sql("SELECT dataset_id, partitions FROM datasets").fetchall() if dataset in reached)
        candidates = sum(row["owner"] != own for row in hub.step("colliding_pair").dicts())
        exact, lsh = found["exact"], found["lsh"]
        rows.append([t, sources * partitions, candidates, len(exact), len(lsh), len(exact & lsh), sources + partitions])
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
        for seed in seeds:
            with modelhub_sql.connect(partition_size=PARTITION_SIZE, seed=seed) as hub, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                hub.register_many([{"name": name, "dataset": table} for name, table in registered.items()])
                some = list(registered)[:: max(1, len(registered) // HAR_TARGETS)][:HAR_TARGETS]
                targets = [name for name in EM_TARGETS if name in registered] if collection == "entity matching" else some
                for name in targets[:2] if arguments.fast else targets:
                    for space in ("aligned", "flattened"):
                        for t, *counts in measured(hub, name, registered[name], space, THRESHOLDS[collection, space]):
                            records.append([collection, space, name, t, seed, *counts])
        print(f"{collection}: done", flush=True)
    arguments.results.mkdir(exist_ok=True, parents=True)
    report(arguments.results, records, tuning.tune_jslsh())


def report(folder: Path, records: list[list[Any]], tuned: tuple[int, int, float]) -> None:
    """Totals as Markdown, every target and seed as CSV."""
    lines = [
        "# Recall of LSH against exact search",
        "",
        f"L = {tuned[0]}, K = {tuned[1]}, r = {tuned[2]:.3f} times the greatest distance of a match, tuned for a recall of 0.99",
        f"of the worst pair; {PARTITION_SIZE} rows a partition. Pairs: a target and a source partition of a dataset within",
        "reach, for each seed. Candidates: share of them that shares a band. Least recall: of a seed. Hashes: computed, for each",
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
