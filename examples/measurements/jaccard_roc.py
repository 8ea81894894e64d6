"""Features of other names: which grid of MinHash elements, and which bars, tell the same column of another table?

Tables are sketched by a hub. Their columns are known: the same column of another part of one table, or (of records, by hand) the
same attribute in another task, is right; anything else is wrong. Names are hidden as far as a comparison says, and features are
matched one to one as the search does it (sql/search/35_open_pair.sql, 40_open_match.sql), under several rules.

    python examples/measurements/jaccard_roc.py --data data

A study over 201 more tables and 300 more rules, whose grid and bars these are, had the same order of rules.
"""

from __future__ import annotations

import argparse
import csv
import math
import warnings
import zlib
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

import modelhub_sql
from modelhub_sql.udfs.dyadic import number_bins

RESULTS = Path(__file__).parent / "results"
REPLICAS = 16
MOST_TABLE_PAIRS = 100
Floats = npt.NDArray[np.float64]

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
    """A feature of a table of the hub; k and b are of no meaning for text."""

    table: str
    column: str
    kind: str
    k: int
    b: int
    bins: Floats
    counts: Floats
    effective: float


class Rule(NamedTuple):
    """When two features are the same: Jaccard above the bar, JS below most, both of so many effective bins, and JS below so much
    of the JS of either's next best."""

    name: str
    jaccard: float
    most_js: float = 1.0
    effective: float = 0.0
    ratio: float = 1.0


RULES = {
    "number": (
        Rule("Jaccard > 0.15", 0.15),
        Rule("Jaccard > 0.48", 0.48),
        Rule("and JS < 0.075", 0.48, 0.075),
        Rule("and 12 effective bins", 0.48, 0.075, 12),
        Rule("and unambiguous: built in", 0.48, 0.075, 12, 0.8),
    ),
    "text": (
        Rule("Jaccard > 0.15", 0.15),
        Rule("Jaccard > 0.3", 0.3),
        Rule("and JS < 0.35", 0.3, 0.35),
        Rule("and 2.05 effective bins: built in", 0.3, 0.35, 2.05),
    ),
    "time": (Rule("Jaccard > 0.15", 0.15), Rule("Jaccard > 0.6, JS < 0.15, 4 effective bins: built in", 0.6, 0.15, 4)),
}
#: Cells an octave of numbers: 2^bits.
GRIDS = (1, 2, 3, 4)


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


def sketched(folder: Path) -> list[Feature]:
    """The features of all tables, as a hub with its default settings keeps them; the bars built in are those of the rules."""
    with modelhub_sql.connect() as hub, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for kind, (*_, rule) in RULES.items():
            bars = f"_logic.least_jaccard('{kind}', 'names')::DOUBLE, _logic.most_js('{kind}')::DOUBLE"
            query = f"SELECT {bars}, _logic.is_telling('{kind}', {rule.effective})"
            assert hub.con.execute(query).fetchall() == [(rule.jaccard, rule.most_js, True)], kind
        hub.register_many([{"name": name, "dataset": table} for name, table in tables(folder)])
        rows = hub.sql("""
            SELECT dataset, feature, kind, k, b, bins, counts, effective_bins
            FROM features JOIN datasets USING (dataset_id) ORDER BY dataset, feature_id
        """).fetchall()
    return [Feature(row[0], row[1], row[2], row[3], row[4], np.array(row[5]), np.array(row[6], float), row[7]) for row in rows]


def cells(feature: Feature, bits: int) -> tuple[Floats, Floats]:
    """Cells of the grid and their replicas."""
    bins, counts = feature.bins, feature.counts
    if feature.kind == "number":
        bins = number_bins(bins, -1000, bits)
    elif feature.kind == "time":
        # As grid_cells: a bin in as many cells as it covers.
        next_bin = 2.0 ** np.maximum(feature.k, np.frexp(np.abs(bins))[1] - 1 - feature.b)
        bins = np.floor((bins[:, None] + (np.arange(8) + 0.5) / 8 * next_bin[:, None]).ravel() / 2.0**45)
        counts = np.repeat(counts / 8, 8)
    found, place = np.unique(bins, return_inverse=True)
    n = np.bincount(place.ravel(), counts)
    replicas = np.floor(np.sqrt(n) * max(REPLICAS / np.sqrt(n.sum()), 0.500001 / np.sqrt(n.max())) + 0.5)
    return found[replicas > 0], replicas[replicas > 0]


def jaccards(features: Sequence[Feature], bits: int) -> Floats:
    """Weighted Jaccard similarity of every pair of features."""
    sides = [cells(feature, bits) for feature in features]
    owner = np.repeat(np.arange(len(sides)), [len(found) for found, _ in sides])
    replicas = np.concatenate([n for _, n in sides])
    _, key = np.unique(np.concatenate([found for found, _ in sides]), return_inverse=True)
    order = np.argsort(key.ravel(), kind="stable")
    common = np.zeros((len(sides), len(sides)))
    for part in np.split(order, np.flatnonzero(np.diff(key.ravel()[order])) + 1):
        common[np.ix_(owner[part], owner[part])] += np.minimum(replicas[part][:, None], replicas[part])
    total = np.bincount(owner, replicas, minlength=len(sides))
    similarity: Floats = common / (total[:, None] + total - common)
    return similarity


def divergence(one: Feature, other: Feature) -> float:
    """JS divergence at the coarser of the two resolutions."""
    sides = []
    for feature in (one, other):
        bins = feature.bins
        if feature.kind != "text":
            bins = number_bins(bins, max(one.k, other.k), min(one.b, other.b))
        sides.append((bins, feature.counts / feature.counts.sum()))
    _, place = np.unique(np.concatenate([bins for bins, _ in sides]), return_inverse=True)
    p, q = np.zeros(place.max() + 1), np.zeros(place.max() + 1)
    np.add.at(p, place.ravel()[: len(sides[0][0])], sides[0][1])
    np.add.at(q, place.ravel()[len(sides[0][0]) :], sides[1][1])

    def negentropy(x: Floats) -> float:
        return float((x[x > 0] * np.log(x[x > 0])).sum())

    return max(0.0, math.log(2) + (negentropy(p) + negentropy(q) - negentropy(p + q)) / 2)


def scenarios(features: Sequence[Feature]) -> dict[str, list[tuple[list[int], list[int]]]]:
    """Pairs of tables, each as the numbers of its features whose names are hidden."""
    by_table: dict[str, list[int]] = {}
    for i, feature in enumerate(features):
        by_table.setdefault(feature.table, []).append(i)
    found: dict[str, list[tuple[list[int], list[int]]]] = {
        "one schema, a third hidden": [],
        "records of a domain": [],
        "strangers": [],
    }
    for (name, own), (other, theirs) in combinations(by_table.items(), 2):
        (one, *left), (two, *right) = name.split("/"), other.split("/")
        if one == two == "em":
            same = DOMAIN_OF[left[0]] == DOMAIN_OF[right[0]]
            found["records of a domain" if same else "strangers"].append((own, theirs))
        elif one == two and (one != "sensors" or left[0] == right[0]):
            hidden = [[i for i in each if zlib.crc32(features[i].column.encode()) % 3 == 0] for each in (own, theirs)]
            found["one schema, a third hidden"].append((hidden[0], hidden[1]))
        elif one != two and {one, two} != {"sensors", "dsads81"} and {one, two} != {"country", "workclass"}:
            found["strangers"].append((own, theirs))
    rng = np.random.default_rng(0)
    return {name: [pairs[i] for i in rng.permutation(len(pairs))[:MOST_TABLE_PAIRS]] for name, pairs in found.items()}


def attribute(feature: Feature) -> tuple[str, str]:
    """What a column means: one of a table's, or, of records, one of a domain's."""
    collection, *key = feature.table.split("/")
    column = feature.column.lower()
    if collection == "em":
        return DOMAIN_OF[key[0]], SAME.get(column, column)
    return {"dsads81": "sensors", "workclass": "adult", "country": "adult"}.get(collection, collection), column


def matched(
    features: Sequence[Feature],
    kind: str,
    own: list[int],
    other: list[int],
    similarity: Floats,
    rule: Rule,
    known: dict[tuple[int, int], float],
) -> tuple[int, int, int]:
    """Right, wrong and possible matches of a pair of tables, one to one, the best pair first."""
    a = [i for i in own if features[i].kind == kind]
    b = [i for i in other if features[i].kind == kind]
    possible = len({attribute(features[i]) for i in a} & {attribute(features[i]) for i in b})
    telling = [[i for i in side if features[i].effective >= rule.effective] for side in (a, b)]
    js = np.full((len(telling[0]), len(telling[1])), np.inf)
    for x, i in enumerate(telling[0]):
        for y, j in enumerate(telling[1]):
            if similarity[i, j] > rule.jaccard:
                if (i, j) not in known:
                    known[i, j] = divergence(features[i], features[j])
                js[x, y] = known[i, j]
    if not js.size:
        return 0, 0, possible
    score = similarity[np.ix_(*telling)] if kind == "text" or rule.most_js == 1 else -js
    fits = js < rule.most_js
    if rule.ratio < 1:
        for axis in (0, 1):
            second = np.partition(np.concatenate([js, np.ones_like(js)], axis), 1, axis).take([1], axis)
            fits &= js <= rule.ratio * np.minimum(second, 1)
    score = np.where(fits, score, -np.inf)
    right = wrong = 0
    while score.max() > -np.inf:
        x, y = divmod(int(score.argmax()), score.shape[1])
        is_right = attribute(features[telling[0][x]]) == attribute(features[telling[1][y]])
        right, wrong = right + is_right, wrong + (not is_right)
        score[x, :] = score[:, y] = -np.inf
    return right, wrong, possible


def areas(features: Sequence[Feature], pairs: dict[str, list[tuple[list[int], list[int]]]]) -> list[list[Any]]:
    """Area under the ROC curve of the Jaccard similarity of numbers, for each grid: of the same columns against strangers."""
    numbers = [i for i, feature in enumerate(features) if feature.kind == "number"]
    place = {i: at for at, i in enumerate(numbers)}
    same = [
        (place[i], place[j]) for name in ("one schema, a third hidden", "records of a domain") for own, other in pairs[name]
        for i in own for j in other if i in place and j in place and attribute(features[i]) == attribute(features[j])
    ]  # fmt: skip
    strange = [(place[i], place[j]) for own, other in pairs["strangers"] for i in own for j in other if i in place and j in place]
    rows = []
    for bits in GRIDS:
        similarity = jaccards([features[i] for i in numbers], bits)
        positive, negative = (np.array([similarity[pair] for pair in some]) for some in (same, strange))
        ranks = rankdata(np.concatenate([positive, negative]))[: len(positive)]
        auc = (ranks.sum() - len(positive) * (len(positive) + 1) / 2) / (len(positive) * len(negative))
        bar = np.quantile(negative, 0.99)
        rows.append([bits, len(positive), len(negative), auc, bar, float((positive > bar).mean())])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of har/, tabular/ and em/")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder to write to")
    parser.add_argument("--fast", action="store_true", help="nothing is left out: the program is fast")
    arguments = parser.parse_args()
    for file in [file for file, *_ in PARTS.values()] + [f"em/{task}.parquet" for task in DOMAIN_OF]:
        if not (arguments.data / file).exists():
            parser.error(f"{arguments.data / file} is missing: --data names the folder that holds it")
    features = sketched(arguments.data)
    pairs = scenarios(features)
    similarity: dict[str, Floats] = {}
    for kind in RULES:
        chosen = [i for i, feature in enumerate(features) if feature.kind == kind]
        similarity[kind] = np.zeros((len(features), len(features)), np.float32)
        if chosen:
            similarity[kind][np.ix_(chosen, chosen)] = jaccards([features[i] for i in chosen], 2)
    records = []
    known: dict[tuple[int, int], float] = {}
    for kind, rules in RULES.items():
        for rule in rules:
            for name, both in pairs.items():
                counts = [matched(features, kind, own, other, similarity[kind], rule, known) for own, other in both]
                records.append(
                    [kind, rule.name, name, len(both), *np.sum(counts, axis=0, initial=0).reshape(-1, 3).sum(axis=0).tolist()]
                )
    report(arguments.results, areas(features, pairs), records)


def report(folder: Path, grids: list[list[Any]], records: list[list[Any]]) -> None:
    """Both tables as Markdown, the counts as CSV."""
    lines = [
        "# Features of other names: grid and bars",
        "",
        "Numbers, Jaccard of the grid's elements: the same column of another table against columns of strangers. The bar is",
        "the 99 % quantile of the strangers; found: the same columns above it.",
        "",
        "| cells an octave | same pairs | strangers | AUC | bar | found |",
        "|---|---|---|---|---|---|",
        *(f"| {2**bits} | {same} | {other} | {auc:.3f} | {bar:.2f} | {hit:.2f} |" for bits, same, other, auc, bar, hit in grids),
        "",
        "Matches one to one under a rule (each line adds to the one before; four cells an octave). One schema: parts of one",
        "table, a third of the names hidden. Records: entity-matching tasks of one domain, all names hidden. Strangers: tables",
        "that have nothing to do with each other. Found: of the columns that both have; right: of the matches.",
        "",
        "| kind | rule | one schema: found | right | records: found | right | strangers: wrong a pair of tables |",
        "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for key in dict.fromkeys((kind, rule) for kind, rule, *_ in records):
        row = []
        for _, _, name, tables_, right, wrong, possible in (record for record in records if tuple(record[:2]) == key):
            if name == "strangers":
                row.append(f"{wrong / max(1, tables_):.3f}")
            else:
                row += [
                    f"{right / possible:.2f}" if possible else "-",
                    f"{right / (right + wrong):.2f}" if right + wrong else "-",
                ]
        lines.append(f"| {key[0]} | {key[1]} | " + " | ".join(row) + " |")
    print("\n".join(lines))
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "jaccard_roc.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with (folder / "jaccard_roc.csv").open("w", newline="") as output:
        writer = csv.writer(output)
        writer.writerow(["kind", "rule", "tables", "pairs", "right", "wrong", "possible"])
        writer.writerows(records)


if __name__ == "__main__":
    main()
