"""Which Jaccard similarity tells the same column of another table from a different column?

Features are sketched by the hub; pairs of features of different tables are positive when they are
the same column (by name) and negative otherwise. Compared are ways to weigh the bins: as a set,
replicated by counts (the paper, section 3.4), by frequency, by its logarithm and by its square
root (the default).

    python examples/measurements/jaccard_roc.py --data data
"""

from __future__ import annotations

import argparse
import csv
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

import modelhub_sql

RESULTS = Path(__file__).parent / "results"
Floats = npt.NDArray[np.float64]

WEIGHTS: dict[str, Callable[[Floats], Floats]] = {
    "1 (the set)": lambda n: np.ones_like(n),
    "n, the count (the paper)": lambda n: n,
    "f": lambda n: n / n.sum(),
    "round(64 f), at least 1": lambda n: np.maximum(1, np.round(64 * n / n.sum())),
    "log(1 + 1000 f)": lambda n: np.log1p(1000 * n / n.sum()),
    "round(8 sqrt f)": lambda n: np.round(8 * np.sqrt(n / n.sum())),
    "round(16 sqrt f)": lambda n: np.round(16 * np.sqrt(n / n.sum())),
    "round(32 sqrt f)": lambda n: np.round(32 * np.sqrt(n / n.sum())),
}

DOMAINS = {
    "sensors": (
        "har/har54.parquet",
        "dataset || subject || body_part",
        "dataset, subject, body_part, activity, activity_common",
        16,
    ),
    "adult by country": ("tabular/adult.parquet", "native_country", "native_country, split", 8),
    "loans by state": ("tabular/loans_full_schema.parquet", "state", "state", 8),
}
MATCHING = ("abt_buy", "amazon_google", "walmart_amazon", "dblp_acm", "dblp_scholar")
SAME = {"title": "name"}


def tables(folder: Path) -> Iterator[tuple[str, str, Any]]:
    """Collection, name and rows of each table."""
    with duckdb.connect() as con:
        for collection, (file, key, left_out, most) in DOMAINS.items():
            path = str(folder / file)
            names = con.execute(
                f"SELECT {key} AS k FROM read_parquet(?) WHERE k IS NOT NULL GROUP BY k HAVING count(*) > 100"
                " ORDER BY md5(k) LIMIT ?",
                [path, most],
            ).fetchall()
            for (name,) in names:
                query = f"SELECT * EXCLUDE ({left_out}) FROM read_parquet($1) WHERE {key} = $2 LIMIT 3000"
                yield collection, f"{collection} {name}", con.sql(query, params=[path, name]).to_arrow_table()
        for task in MATCHING:
            table = con.sql("FROM read_parquet($1)", params=[str(folder / "em" / f"{task}.parquet")]).to_arrow_table()
            for side in ("left_", "right_"):
                columns = [name for name in table.column_names if name.startswith(side)]
                record = table.select(columns).rename_columns([name.removeprefix(side) for name in columns])
                yield "matching, records", f"{task} {side}", record


def similarities(
    features: list[tuple[str, str, str, list[int], list[int]]], weight: Callable[[Floats], Floats]
) -> tuple[Floats, Floats]:
    """Weighted Jaccard similarities of the pairs of the same column, and of the other pairs."""
    weights = np.zeros((len(features), 1 + max(max(bins) for *_, bins, _ in features)))
    for row, (*_, bins, counts) in zip(weights, features, strict=True):
        row[bins] = weight(np.array(counts, float))
    same: list[float] = []
    other: list[float] = []
    for i, (table, column, *_) in enumerate(features):
        intersection = np.minimum(weights[i], weights[i + 1 :]).sum(axis=1)
        union = np.maximum(weights[i], weights[i + 1 :]).sum(axis=1)
        for (second_table, second, *_), a, b in zip(features[i + 1 :], intersection, union, strict=True):
            if table != second_table:
                (same if SAME.get(column, column) == SAME.get(second, second) else other).append(a / b if b else 0.0)
    return np.array(same), np.array(other)


def area(positive: Floats, negative: Floats) -> float:
    """Area under the ROC curve."""
    ranks = rankdata(np.concatenate([positive, negative]))[: len(positive)]
    return float((ranks.sum() - len(positive) * (len(positive) + 1) / 2) / (len(positive) * len(negative)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of har/, tabular/ and em/")
    arguments = parser.parse_args()
    needed = [file for file, *_ in DOMAINS.values()] + [f"em/{task}.parquet" for task in MATCHING]
    for file in needed:
        if not (arguments.data / file).exists():
            parser.error(f"{arguments.data / file} is missing: --data names the folder that holds it")
    collection_of = {}
    with modelhub_sql.connect() as hub, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        models = []
        for collection, name, table in tables(arguments.data):
            collection_of[name] = collection
            models.append({"name": name, "dataset": table})
        hub.register_many(models)
        rows = hub.sql(
            "SELECT dataset, feature, kind, bins, counts FROM features JOIN datasets USING (dataset_id) ORDER BY ALL"
        ).fetchall()
    lines = [
        "| features | weight of a bin that occurs n times, frequency f | AUC | same: 5 % | 25 % | median | other: 95 % | 99 % |",
        "|---|---|---|---|---|---|---|---|",
    ]
    records = []
    rng = np.random.default_rng(0)
    for collection in dict.fromkeys(collection_of.values()):
        for kind in ("number", "text"):
            features = [row for row in rows if collection_of[row[0]] == collection and row[2] == kind]
            features = [features[i] for i in sorted(rng.permutation(len(features))[:400])]
            if len(features) < 10:
                continue
            for name, weight in WEIGHTS.items():
                same, other = similarities(features, weight)
                numbers = [area(same, other), *np.quantile(same, [0.05, 0.25, 0.5]), *np.quantile(other, [0.95, 0.99])]
                records.append([collection, kind, name, len(same), len(other), *numbers])
                lines.append(
                    f"| {collection}, {kind} | {name} | {numbers[0]:.3f} | " + " | ".join(f"{x:.2f}" for x in numbers[1:]) + " |"
                )
    means = {name: float(np.mean([r[5] for r in records if r[2] == name])) for name in WEIGHTS}
    lines += ["", "| weight | mean AUC |", "|---|---|", *(f"| {name} | {mean:.3f} |" for name, mean in means.items())]
    print("\n".join(lines))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "jaccard_roc.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with (RESULTS / "jaccard_roc.csv").open("w", newline="") as output:
        writer = csv.writer(output)
        writer.writerow(
            ["collection", "kind", "weight", "same", "other", "auc", "same_05", "same_25", "same_50", "other_95", "other_99"]
        )
        writer.writerows(records)


if __name__ == "__main__":
    main()
