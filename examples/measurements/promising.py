"""Are the nearest datasets among those that are compared by their values, where a hub is large?

Of a hub of thousands of datasets Python compares the features of other names of those only that an estimate puts first,
five times ``max_candidates``. Here every dataset has names of its own: samples of one half of each group of rows of real
tables. A target is the other half, with names that no dataset has. The ten nearest of a search with a small
``max_candidates``, and so an estimate, are compared with the ten nearest of one that compares all.

    python examples/measurements/promising.py --data data
"""

from __future__ import annotations

import argparse
import csv
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

import modelhub_sql

RESULTS = Path(__file__).parent / "results"
#: File, the columns that say which group a row is of, those that are left out, samples of each group.
TABLES = (
    ("har/har54.parquet", ("dataset", "subject", "body_part"), ("activity", "activity_common"), 4),
    ("har/dsads81.parquet", ("subject", "body_part"), ("activity", "segment"), 3),
    ("har/wisdm.parquet", ("subject",), ("activity",), 4),
    ("tabular/adult.parquet", ("native_country",), ("income", "split"), 8),
    ("tabular/adult.parquet", ("workclass",), ("income", "split"), 8),
    ("tabular/loans_full_schema.parquet", ("state",), ("grade", "sub_grade"), 4),
    *(
        (f"em/{name}.parquet", (), ("label", "split"), 12)
        for name in ("abt_buy", "beer", "dblp_acm", "imdb_tmdb", "itunes_amazon")
    ),
)
LEAST, MOST = 100, 6000
TEN = 10


def halves(path: Path, by: tuple[str, ...], left_out: tuple[str, ...]) -> Iterator[tuple[pa.Table, pa.Table]]:
    """The rows of each group, every other one, in a random order."""
    rows = duckdb.read_parquet(str(path)).to_arrow_table()
    order = np.random.default_rng(0).permutation(len(rows))
    group = np.array(["_".join(str(row[c]) for c in by) for row in rows.select(by).to_pylist()] if by else [""] * len(rows))
    columns = rows.drop_columns([c for c in rows.column_names if c in by + left_out])
    for name in np.unique(group):
        chosen = order[group[order] == name][:MOST]
        if len(chosen) >= 2 * LEAST:
            yield columns.take(chosen[::2]), columns.take(chosen[1::2])


def named(table: pa.Table, prefix: str) -> pa.Table:
    return table.rename_columns([f"{prefix}_{place}" for place in range(table.num_columns)])


def nearest(hub: modelhub_sql.Hub, target: pa.Table, candidates: int) -> list[Any]:
    """The ten nearest datasets and their distances."""
    found = hub.find_models(target, max_candidates=candidates, all_models=True)
    rows: list[Any] = found.select("model, distance").order("distance, model").limit(TEN).fetchall()
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--targets", type=int, default=12, help="targets of each table")
    parser.add_argument("--candidates", type=int, nargs="*", default=[10, 20])
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    for file, *_ in TABLES:
        if not (given.data / file).exists():
            parser.error(f"{given.data / file} is missing: --data names the folder that holds it")
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(1)
    targets: list[tuple[str, pa.Table]] = []
    with modelhub_sql.connect() as hub:
        for file, by, left_out, samples in TABLES:
            of_file = []
            models = []
            for number, (own, other) in enumerate(halves(given.data / file, by, left_out)):
                of_file.append((file, named(other, "t")))
                for sample in range(samples):
                    rows = rng.permutation(len(own))[: max(LEAST // 2, int(len(own) * rng.uniform(0.2, 1)))]
                    name = f"{Path(file).stem}_{by[-1] if by else 'all'}_{number}_{sample}"
                    models.append({"name": name, "dataset": named(own.take(np.sort(rows)), name)})
            hub.register_many(models)
            targets += [of_file[place] for place in rng.permutation(len(of_file))[: given.targets]]
            print(file, len(models), flush=True)
        datasets = len(hub.datasets())
        records = []
        everything = {place: nearest(hub, target, datasets) for place, (_, target) in enumerate(targets)}
        for candidates in given.candidates:
            same, first, missed = 0, 0, []
            for place, (_, target) in enumerate(targets):
                found = nearest(hub, target, candidates)
                right = everything[place]
                same += len({model for model, _ in found} & {model for model, _ in right})
                first += found[:1] == right[:1]
                missed += [distance for model, distance in right if (model, distance) not in found]
            records.append(
                {
                    "candidates": candidates, "compared": min(5 * candidates, datasets), "datasets": datasets,
                    "targets": len(targets), "nearest": first, "ten": same, "of": sum(map(len, everything.values())),
                    "missed": f"{min(missed):.3f}" if missed else "",
                }
            )  # fmt: skip
    with (given.results / "promising.csv").open("w", newline="") as out:
        writer = csv.DictWriter(out, list(records[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
    lines = [
        f"| {r['candidates']} | {r['compared']} of {r['datasets']} | {r['nearest']} of {r['targets']} | {r['ten']} of {r['of']} "
        f"| {r['missed'] or '-'} |\n"
        for r in records
    ]
    (given.results / "promising.md").write_text(
        "# The nearest of many datasets, each with names of its own\n\n"
        f"{datasets} datasets, {len(targets)} targets that share no name with any (`promising.py`). A search without an\n"
        "estimate compares all. missed: the least distance of a dataset that is among its ten nearest and not among those of\n"
        "the search with one.\n\n"
        "| max_candidates | compared | the nearest is the same | of the ten nearest | missed |\n| --- | --- | --- | --- | --- |\n"
        + "".join(lines),
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
