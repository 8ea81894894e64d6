"""Which Jaccard similarity tells the same column of another table from a different column?

Tables are sketched by the hub, whose histograms (``features.bins`` and ``counts``) are compared. A
pair of features of two tables is positive when it is the same column, negative otherwise. Compared
are ways to weigh the bins: as a set, replicated by counts (the paper, section 3.4), by frequency
(rounded to R copies or exact), by its logarithm and by its square root (the default of the hub).

    python examples/measurements/jaccard_roc.py --data data
"""

from __future__ import annotations

import argparse
import csv
import warnings
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.stats import rankdata

import modelhub_sql

RESULTS = Path(__file__).parent / "results"
Floats = npt.NDArray[np.float64]
Weight = Callable[[Floats], Floats]


def at_least_one(copies: int) -> Weight:
    """Replicas in proportion to the frequency, one for each bin that occurs."""
    return lambda n: np.fmax(1.0, np.rint(copies * n / n.sum()))


def rounded(copies: int) -> Weight:
    """Replicas in proportion to the frequency, none for a rare bin."""
    return lambda n: np.rint(copies * n / n.sum())


def root(copies: int) -> Weight:
    """Replicas in proportion to the square root of the frequency, as ``replicas_of`` of the hub."""

    def weight(n: Floats) -> Floats:
        replicas: Floats = np.floor(np.sqrt(n) * max(copies / np.sqrt(n.sum()), 0.5 / np.sqrt(n.max())) + 0.5)
        return replicas

    return weight


JUDGED = ("round(8 sqrt f)", "round(12 sqrt f)", "round(16 sqrt f)")
WEIGHTS: dict[str, Weight] = {
    "1 (the set)": np.ones_like,
    "n, the count (the paper)": lambda n: n,
    "f, exact": lambda n: n / n.sum(),
    **{f"max(1, round({r} f))": at_least_one(r) for r in (16, 64, 256)},
    **{f"round({r} f)": rounded(r) for r in (16, 64, 256)},
    "log(1 + 100 f)": lambda n: np.log1p(100 * n / n.sum()),
    "log(1 + 1000 f)": lambda n: np.log1p(1000 * n / n.sum()),
    "sqrt f, exact": lambda n: np.sqrt(n / n.sum()),
    **{f"round({r} sqrt f)": root(r) for r in (4, 8, 12, 16, 24, 32, 64)},
}
THRESHOLDS = (0.05, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3)
MOST_FEATURES = 700
MOST_TABLE_PAIRS = 120

PARTS = {
    "sensors": ("har/har54.parquet", "dataset || '/' || subject || '/' || body_part", "dataset",
                "dataset, subject, body_part, activity, activity_common", 8),
    "dsads81": ("har/dsads81.parquet", "subject || '/' || body_part", "1", "activity, subject, segment, body_part", 10),
    "country": ("tabular/adult.parquet", "native_country", "1", "native_country, split", 12),
    "workclass": ("tabular/adult.parquet", "workclass", "1", "workclass, split", 8),
    "state": ("tabular/loans_full_schema.parquet", "state", "1", "state", 12),
}  # fmt: skip

DOMAINS = {
    "products": ("abt_buy", "amazon_google", "walmart_amazon"),
    "papers": ("dblp_acm", "dblp_scholar"),
    "books": ("amazon_barnes", "amazon_goodreads", "goodreads_barnes"),
    "films": ("imdb_rotten", "imdb_tmdb", "rottentomatoes_imdb"),
    "restaurants": ("fodors_zagats", "yelp_zomato"),
    "others": ("beer", "bikedekho_bikewale", "itunes_amazon"),
}
DOMAIN_OF = {task: domain for domain, tasks in DOMAINS.items() for task in tasks}
SAME = {
    "name": "title", "original_title": "title", "directors": "director", "genres": "genre", "run_time": "runtime",
    "duration": "runtime", "release_year": "release_date", "releasedate": "release_date", "published_date": "time",
    "certificate": "content_rating", "address": "addr", "zipcode": "postal_code",
}  # fmt: skip
NOT_ATTRIBUTES = ("left_id", "right_id", "left__id", "right__id", "left_isbn13", "right_isbn13", "left_business_id")


class Feature(NamedTuple):
    """A feature of a table of the hub."""

    table: str
    column: str
    kind: str
    bins: list[int]
    counts: list[int]


def scope(comparison: str, table: str) -> tuple[str, str] | None:
    """Where a table takes part in a comparison: pairs are of one scope and of two parts of it."""
    collection, *key = table.split("/")
    if comparison == "sensors, one dataset" and collection == "sensors":
        return key[0], "/".join(key)
    if comparison == "sensors, two datasets" and collection == "sensors":
        return "", key[0]
    if comparison == "records, left and right" and collection == "em":
        return key[0], key[1]
    if comparison == "records, two tasks of a domain" and collection == "em":
        return DOMAIN_OF[key[0]], key[0]
    singles = {"dsads81": "dsads81", "adult by country": "country", "adult by work class": "workclass", "loans by state": "state"}
    return ("", key[0] if collection != "dsads81" else "/".join(key)) if singles.get(comparison) == collection else None


COMPARISONS = (
    "sensors, one dataset", "sensors, two datasets", "dsads81", "adult by country", "adult by work class", "loans by state",
    "records, left and right", "records, two tasks of a domain",
)  # fmt: skip


def tables(folder: Path) -> Iterator[tuple[str, Any]]:
    """Name and rows of each table."""
    with duckdb.connect() as con:
        for collection, (file, key, group, left_out, most) in PARTS.items():
            path = str(folder / file)
            names = con.execute(
                f"SELECT {key} AS k FROM read_parquet(?) WHERE k IS NOT NULL GROUP BY k, {group} HAVING count(*) > 100"
                f" QUALIFY row_number() OVER (PARTITION BY {group} ORDER BY md5(k)) <= ? ORDER BY k",
                [path, most],
            ).fetchall()
            for (name,) in names:
                query = f"SELECT * EXCLUDE ({left_out}) FROM read_parquet($1) WHERE {key} = $2"
                yield f"{collection}/{name}", con.sql(query, params=[path, name]).to_arrow_table()
        for task in DOMAIN_OF:
            table = con.sql("FROM read_parquet($1)", params=[str(folder / "em" / f"{task}.parquet")]).to_arrow_table()
            for side in ("left", "right"):
                columns = [c for c in table.column_names if c.startswith(f"{side}_") and c.lower() not in NOT_ATTRIBUTES]
                record = table.select(columns).rename_columns([c.removeprefix(f"{side}_") for c in columns])
                yield f"em/{task}/{side}", record


def jaccards(features: list[Feature], weight: Weight) -> Floats:
    """Weighted Jaccard similarity of every pair of features."""
    weights = np.zeros((len(features), 1 + max(max(feature.bins) for feature in features)), np.float32)
    for row, feature in zip(weights, features, strict=True):
        row[feature.bins] = weight(np.array(feature.counts, float))
    weights = weights[:, weights.any(axis=0)]
    sums = weights.sum(axis=1)
    intersection = np.zeros((len(features), len(features)))
    for i in range(len(features)):
        occurring = np.flatnonzero(weights[i])
        intersection[i] = np.minimum(weights[i, occurring], weights[:, occurring]).sum(axis=1)
    union = sums[:, None] + sums[None, :] - intersection
    similarity: Floats = np.divide(intersection, union, out=np.zeros_like(intersection), where=union > 0)
    return similarity


def area(positive: Floats, negative: Floats) -> float:
    """Area under the ROC curve."""
    ranks = rankdata(np.concatenate([positive, negative]))[: len(positive)]
    return float((ranks.sum() - len(positive) * (len(positive) + 1) / 2) / (len(positive) * len(negative)))


def pairs_of(comparison: str, features: list[Feature]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which pairs of features are compared, and which of them are the same column."""
    places = [scope(comparison, feature.table) for feature in features]
    scopes = np.array([place[0] for place in places if place])
    parts = np.array([place[1] for place in places if place])
    names = np.array([SAME.get(feature.column.lower(), feature.column.lower()) for feature in features])
    compared = (scopes[:, None] == scopes) & (parts[:, None] != parts) & np.triu(np.ones((len(names), len(names)), bool), 1)
    return compared, names[:, None] == names


def matched(features: list[Feature], similarity: Floats, threshold: float, comparison: str) -> tuple[int, int, int]:
    """Right, wrong and possible matches of pairs of tables whose column names are hidden, the best pair first."""
    by_table: dict[str, list[int]] = {}
    for i, feature in enumerate(features):
        by_table.setdefault(feature.table, []).append(i)
    compared, same = pairs_of(comparison, features)
    right = wrong = possible = 0
    both = [(a, b) for a, b in combinations(by_table.values(), 2) if compared[min(a[0], b[0]), max(a[0], b[0])]]
    rng = np.random.default_rng(0)
    for place in rng.permutation(len(both))[:MOST_TABLE_PAIRS]:
        a, b = both[int(place)]
        block = similarity[np.ix_(a, b)].copy()
        possible += int(same[np.ix_(a, b)].any(axis=1).sum())
        while block.size and block.max() > threshold:
            i, j = divmod(int(block.argmax()), block.shape[1])
            if same[a[i], b[j]]:
                right += 1
            else:
                wrong += 1
            block[i, :] = block[:, j] = -1
    return right, wrong, possible


def sketched(folder: Path) -> list[Feature]:
    """The features of all tables, as a hub with its default settings keeps them."""
    with modelhub_sql.connect() as hub, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hub.register_many([{"name": name, "dataset": table} for name, table in tables(folder)])
        rows = hub.sql("SELECT dataset, feature, kind, bins, counts FROM features JOIN datasets USING (dataset_id)").fetchall()
    return sorted(Feature(*row) for row in rows)


def scale(folder: Path, large: int = 100_000) -> list[str]:
    """Similarity of small and large samples of one column, and of an even and a skewed column over the same bins."""
    rng = np.random.default_rng(0)
    with duckdb.connect() as con:
        paths = [str(folder / file) for file in ("har/har54.parquet", "tabular/adult.parquet")]
        energy = con.sql("SELECT acc_energy FROM read_parquet($1)", params=paths[:1]).fetchnumpy()["acc_energy"].astype(float)
        weight = con.sql("SELECT fnlwgt, age FROM read_parquet($1)", params=paths[1:]).fetchnumpy()
    columns = {
        "acc_energy": energy,
        "fnlwgt": weight["fnlwgt"].astype(float),
        "age": weight["age"].astype(float),
        "log-normal": rng.lognormal(3, 1, 500_000),
    }
    draws: dict[str, npt.NDArray[Any]] = {}
    for name, values in columns.items():
        for rows in (1_000, large):
            draws[f"{name}/{rows}"] = rng.choice(values, rows)
    edges = np.sinh(np.linspace(4, 8, 40)) * 0.01
    draws["even/20000"] = rng.choice(edges, 20_000)
    skewed = 1 / np.arange(1, 41) ** 1.5
    draws["skewed/20000"] = rng.choice(edges, 20_000, p=skewed / skewed.sum())
    with modelhub_sql.connect() as hub:
        hub.register_many([{"name": name, "dataset": pa.table({"x": values})} for name, values in draws.items()])
        rows = hub.sql("SELECT dataset, feature, kind, bins, counts FROM features JOIN datasets USING (dataset_id)").fetchall()
    features = [Feature(*row) for row in rows]
    place = {feature.table: i for i, feature in enumerate(features)}
    pairs = [(name, f"{name}/1000", f"{name}/{large}") for name in columns] + [("even, skewed", "even/20000", "skewed/20000")]
    lines = ["| weight | " + " | ".join(name for name, *_ in pairs) + " |", "|---" * (len(pairs) + 1) + "|"]
    for name, weigh in WEIGHTS.items():
        similarity = jaccards(features, weigh)
        lines.append(f"| {name} | " + " | ".join(f"{similarity[place[a], place[b]]:.2f}" for _, a, b in pairs) + " |")
    return lines


def roc(features: list[Feature]) -> tuple[list[str], list[list[Any]]]:
    """The report of the comparisons, and its records."""
    records: list[list[Any]] = []
    thresholds: list[str] = []
    rng = np.random.default_rng(0)
    for comparison in COMPARISONS:
        for kind in ("number", "text"):
            chosen = [f for f in features if f.kind == kind and scope(comparison, f.table)]
            if len(chosen) < 10:
                continue
            sample = [chosen[i] for i in sorted(rng.permutation(len(chosen))[:MOST_FEATURES])]
            compared, same = pairs_of(comparison, sample)
            for name, weight in WEIGHTS.items():
                similarity = jaccards(sample, weight)
                positive, negative = similarity[compared & same], similarity[compared & ~same]
                quantiles = [*np.quantile(positive, [0.05, 0.25, 0.5]), *np.quantile(negative, [0.95, 0.99])]
                records.append([comparison, kind, name, len(positive), len(negative), area(positive, negative), *quantiles])
                if name in JUDGED:
                    whole = jaccards(chosen, weight)
                    for t in THRESHOLDS:
                        right, wrong, possible = matched(chosen, whole, t, comparison)
                        above = f"{np.mean(positive > t):.3f} | {np.mean(negative > t):.3f}"
                        thresholds.append(
                            f"| {comparison}, {kind} | {name[6:-8]} | {t:g} | {above}"
                            f" | {right / possible:.3f} | {right / max(right + wrong, 1):.3f} |"
                        )
    means = {name: np.mean([r[5] for r in records if r[2] == name]) for name in WEIGHTS}
    worst = {name: np.min([r[5] for r in records if r[2] == name]) for name in WEIGHTS}
    fifths = {name: np.min([r[6] for r in records if r[2] == name]) for name in WEIGHTS}
    lines = [
        "## Weights",
        "",
        "Area under the ROC curve (AUC), over the comparisons below; the least 5 % quantile of the same column's similarity.",
        "",
        "| weight of a bin that occurs n times, frequency f | mean AUC | least AUC | same: least 5 % |",
        "|---|---|---|---|",
        *(f"| {name} | {means[name]:.3f} | {worst[name]:.3f} | {fifths[name]:.2f} |" for name in WEIGHTS),
        "",
        "## Thresholds t2, weight round(R sqrt f)",
        "",
        "Same, other: share of the pairs above t2. Hidden names: features matched one to one by similarity alone, the best",
        "pair first; of the columns that two tables share, those matched rightly, and of all matches, the right ones. (The",
        "hub matches features of one name first, so this is what it does for tables whose names differ.)",
        "",
        "| features | R | t2 | same | other | hidden names: found | right |",
        "|---|---|---|---|---|---|---|",
        *thresholds,
        "",
        "## All comparisons",
        "",
        "| features | weight | same pairs | other pairs | AUC | same: 5 % | 25 % | median | other: 95 % | 99 % |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *(f"| {r[0]}, {r[1]} | {r[2]} | {r[3]} | {r[4]} | {r[5]:.3f} | " + " | ".join(f"{x:.2f}" for x in r[6:]) + " |"
          for r in records),
    ]  # fmt: skip
    return lines, records


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of har/, tabular/ and em/")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder to write to")
    parser.add_argument("--fast", action="store_true", help="smaller samples of the columns drawn from")
    arguments = parser.parse_args()
    large = 10_000 if arguments.fast else 100_000
    for file in [file for file, *_ in PARTS.values()] + [f"em/{task}.parquet" for task in DOMAIN_OF]:
        if not (arguments.data / file).exists():
            parser.error(f"{arguments.data / file} is missing: --data names the folder that holds it")
    lines, records = roc(sketched(arguments.data))
    lines = [
        "# Jaccard similarity of features",
        "",
        *lines[: lines.index("## All comparisons")],
        "## Scale",
        "",
        f"Similarity of 1,000 and {large:,} rows drawn from one column (should be high), and of an even and a skewed column",
        "over the same forty bins (should not).",
        "",
        *scale(arguments.data, large),
        "",
        *lines[lines.index("## All comparisons") :],
    ]
    print("\n".join(lines))
    arguments.results.mkdir(exist_ok=True, parents=True)
    (arguments.results / "jaccard_roc.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with (arguments.results / "jaccard_roc.csv").open("w", newline="") as output:
        writer = csv.writer(output)
        writer.writerow(
            ["comparison", "kind", "weight", "same", "other", "auc", "same_05", "same_25", "same_50", "other_95", "other_99"]
        )
        writer.writerows(records)


if __name__ == "__main__":
    main()
