"""How many bins, and where? Binnings of numbers and of text compared on real columns.

Two random halves of a table (at most 500 rows each, a partition of the default size) should look
alike; the same column of another table should look different as far as it is, and another column
more so. The bins are those of the hub: its macros ``number_bin`` and ``text_bin`` under different
settings. Reported are, for each collection of tables,

- halves: median JS divergence of a column between the two halves of a table (noise);
- shifted: the same between two tables (signal); other: between two columns of a table;
- AUC: how well JS tells halves from shifted columns, and halves from other columns;
- own half: share of the half tables whose nearest half table, by JS of the whole (feature by
  feature, or flattened into one histogram), is the other half of the same table.

    python examples/measurements/binning.py --data data
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.stats import rankdata

import modelhub_sql

RESULTS = Path(__file__).parent / "results"
HALF = 500
Floats = npt.NDArray[np.float64]

# File, key of a table, tables taken, columns left out.
PARTS = {
    "sensors": ("har/har54.parquet", "dataset || subject || body_part",
                "dataset, subject, body_part, activity, activity_common", 16),
    "adult by country": ("tabular/adult.parquet", "native_country", "native_country, split", 10),
    "adult by work class": ("tabular/adult.parquet", "workclass", "workclass, split", 6),
    "loans by state": ("tabular/loans_full_schema.parquet", "state", "state", 12),
}  # fmt: skip
RECORDS = (
    "abt_buy", "amazon_google", "walmart_amazon", "dblp_acm", "dblp_scholar", "rottentomatoes_imdb", "fodors_zagats",
    "itunes_amazon", "beer", "bikedekho_bikewale",
)  # fmt: skip
HEADER = "halves | shifted | shifted / halves | other | AUC shifted | AUC other | own half, aligned | flattened"
SHOWN = (
    ("records", "year"), ("records", "price"), ("records", "abv"), ("adult by work class", "age"),
    ("adult by work class", "hours_per_week"), ("adult by work class", "capital_gain"), ("adult by work class", "fnlwgt"),
    ("loans by state", "interest_rate"), ("loans by state", "annual_income"), ("loans by state", "earliest_credit_line"),
    ("sensors", "acc_mean"), ("sensors", "acc_energy"), ("sensors", "gyro_shape_skew"), ("sensors", "acc_cross"),
)  # fmt: skip
SHOWN_BINNINGS = (
    "range-free, 128 bins",
    "range-free, 256 bins",
    "range-free, 1024 bins",
    "fixed [0, 10000]",
    "learnt, 256 quantiles",
)
# Of the rest, the report gives the means only; the CSV file has every collection.
DETAILED_BINNINGS = {*SHOWN_BINNINGS, "fixed [0, 100]", "256 bins", "1024 bins", "16384 bins"}
TEXTS = ("mrpc", "qqp", "paws", "rte", "qnli", "scitail", "sick")


class Column(NamedTuple):
    """A column of half a table: its values, numbers or texts."""

    collection: str
    table: str
    half: int
    column: str
    values: Any


class Result(NamedTuple):
    """What a binning does to a collection."""

    halves: float
    shifted: float
    other: float
    auc_shifted: float
    auc_other: float
    own_half_aligned: float
    own_half_flattened: float


def sources(folder: Path) -> Iterator[tuple[str, str, Any]]:
    """Collection, name and rows of each table."""
    with duckdb.connect() as con:
        for collection, (file, key, left_out, most) in PARTS.items():
            path = str(folder / file)
            names = con.execute(
                f"SELECT {key} AS k FROM read_parquet(?) WHERE k IS NOT NULL GROUP BY k HAVING count(*) >= 150"
                " ORDER BY md5(k) LIMIT ?",
                [path, most],
            ).fetchall()
            for (name,) in names:
                query = f"SELECT * EXCLUDE ({left_out}) FROM read_parquet($1) WHERE {key} = $2"
                yield collection, name, con.sql(query, params=[path, name]).to_arrow_table()
        for task in RECORDS:
            table = con.sql("FROM read_parquet($1)", params=[str(folder / "em" / f"{task}.parquet")]).to_arrow_table()
            for side in ("left", "right"):
                columns = [c for c in table.column_names if c.startswith(f"{side}_")]
                yield "records", f"{task} {side}", table.select(columns).rename_columns([c.split("_", 1)[1] for c in columns])
        for text in TEXTS:
            table = con.sql("FROM read_parquet($1)", params=[str(folder / "text" / f"{text}.parquet")]).to_arrow_table()
            columns = [c for c in table.column_names if c not in ("label", "split")]
            yield "texts", text, table.select(columns)


def halves(folder: Path) -> list[Column]:
    """The columns of two random halves of each table; strings that are mostly numbers become numbers."""
    rng = np.random.default_rng(0)
    columns = []
    for collection, name, table in sources(folder):
        order = rng.permutation(table.num_rows)
        size = min(HALF, table.num_rows // 2)
        for half in (0, 1):
            rows = table.take(pa.array(order[half * size : (half + 1) * size]))
            for column in table.column_names:
                values = rows[column].drop_null()
                if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
                    columns.append(Column(collection, name, half, column, values.to_pylist()))
                    stripped = [text.strip("$€£% ").replace(",", "") for text in table[column].drop_null().to_pylist()]
                    if stripped and np.mean([_is_number(text) for text in stripped]) > 0.9:
                        numbers = [text.strip("$€£% ").replace(",", "") for text in values.to_pylist()]
                        columns.append(
                            Column(collection, name, half, column, np.array([float(x) for x in numbers if _is_number(x)]))
                        )
                else:
                    columns.append(Column(collection, name, half, column, values.to_numpy().astype(float)))
    return [column for column in columns if len(column.values) >= 50]


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def histograms(columns: list[Column], **settings: Any) -> tuple[Floats, float]:
    """Occurrences in the bins of a hub with these settings, a row a column; and the seconds that the binning took."""
    number = not isinstance(columns[0].values, list)
    owner = np.repeat(np.arange(len(columns)), [len(column.values) for column in columns])
    values = np.concatenate([column.values for column in columns]) if number else [x for c in columns for x in c.values]
    with modelhub_sql.connect(**settings) as hub:
        hub.con.register("given", pa.table({"owner": owner, "x": values}))
        hub.con.execute("CREATE TEMP TABLE value AS FROM given")
        if not number:
            hub.con.execute("CREATE TEMP TABLE token AS SELECT owner, unnest(tokens(x)) AS x FROM value")
        macro, source = ("number_bin", "value") if number else ("text_bin", "token")
        started = time.perf_counter()
        rows = hub.con.execute(f"SELECT owner, {macro}(x) AS bin, count(*) AS n FROM {source} GROUP BY ALL").fetchnumpy()
        seconds = time.perf_counter() - started
    counts = np.zeros((len(columns), int(rows["bin"].max()) + 1))
    counts[rows["owner"], rows["bin"]] = rows["n"]
    return counts[:, counts.any(axis=0)], seconds


def divergence(p: Floats, q: Floats) -> Floats:
    """JS divergence of the rows of p and q."""
    m = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p > 0, p * np.log(p / m), 0) + np.where(q > 0, q * np.log(q / m), 0)
    js: Floats = terms.sum(axis=1) / 2
    return js


def area(small: Floats, large: Floats) -> float:
    """Probability that one of small is below one of large."""
    if not len(small) or not len(large):
        return float("nan")
    ranks = rankdata(np.concatenate([large, small]))[: len(large)]
    return float((ranks.sum() - len(large) * (len(large) + 1) / 2) / (len(large) * len(small)))


def own_half(distance: Floats, tables: list[tuple[str, int]]) -> float:
    """Share of the half tables that are nearest to the other half of the same table."""
    distance = distance.copy()
    np.fill_diagonal(distance, np.inf)
    return float(np.mean([tables[i][0] == tables[j][0] for i, j in enumerate(distance.argmin(axis=1))]))


def judge(columns: list[Column], counts: Floats) -> Result:
    """What the histograms of a collection tell apart."""
    frequencies = counts / counts.sum(axis=1, keepdims=True)
    place = {(c.table, c.half, c.column): i for i, c in enumerate(columns)}
    tables = sorted({(c.table, c.half) for c in columns})
    names = sorted({c.column for c in columns})
    same: list[tuple[int, int]] = []
    shifted: list[tuple[int, int]] = []
    other: list[tuple[int, int]] = []
    rng = np.random.default_rng(0)
    for (table, half, column), i in place.items():
        if half:
            continue
        for name in names:
            j = place.get((table, 1, name))
            if j is not None and (name == column or rng.random() < 10 / len(names)):
                (same if name == column else other).append((i, j))
        shifted += [(i, place[t, h, column]) for t, h in tables if t != table and h and (t, h, column) in place]
    js = [
        divergence(frequencies[[i for i, _ in pairs]], frequencies[[j for _, j in pairs]])
        for pairs in (same, shifted, other)
    ]  # fmt: skip
    flat = np.array([sum(counts[place[t, h, n]] for n in names if (t, h, n) in place) for t, h in tables])
    flat = flat / flat.sum(axis=1, keepdims=True)
    flattened = np.array([divergence(np.broadcast_to(row, flat.shape), flat) for row in flat])
    total, shared = np.zeros((len(tables),) * 2), np.zeros((len(tables),) * 2)
    for name in names:
        having = [k for k, (t, h) in enumerate(tables) if (t, h, name) in place]
        rows = frequencies[[place[tables[k][0], tables[k][1], name] for k in having]]
        for k, row in zip(having, rows, strict=True):
            total[k, having] += divergence(np.broadcast_to(row, rows.shape), rows)
            shared[k, having] += 1
    aligned = np.divide(total, shared, out=np.full_like(total, np.log(2)), where=shared > 0)
    # Few shared columns count as far: what isn't shared is as different as can be.
    aligned = (aligned * shared + np.log(2) * (shared.max(axis=1, keepdims=True) - shared)) / shared.max(axis=1, keepdims=True)
    medians = [float(np.median(x)) if len(x) else float("nan") for x in js]
    return Result(
        medians[0], medians[1], medians[2], area(js[0], js[1]), area(js[0], js[2]),
        own_half(aligned, tables), own_half(flattened, tables),
    )  # fmt: skip


def learnt_edges(columns: list[Column], bins: int) -> list[float]:
    """Quantiles of the first halves, each column with the same weight."""
    quantiles = np.linspace(0, 1, 400)
    pooled = np.concatenate([np.quantile(c.values, quantiles) for c in columns if not c.half])
    return [float(x) for x in np.unique(np.quantile(pooled, np.linspace(0, 1, bins + 1)[1:-1]))]


def variants(columns: list[Column]) -> dict[str, dict[str, Any]]:
    """Settings to compare on numbers."""
    low = float(min(c.values.min() for c in columns))
    high = float(max(c.values.max() for c in columns))
    fixed = {"number_binning": "fixed"}
    return {
        **{f"range-free, {bins} bins": {"number_bins": bins} for bins in (64, 128, 256, 512, 1024, 2048)},
        **{f"range-free, low {x:g}": {"number_low": x} for x in (1e-4, 1e-3, 0.1, 1.0, 10.0)},
        **{f"range-free, high {x:g}": {"number_high": x} for x in (1e5, 1e12)},
        "fixed [least, greatest]": {**fixed, "number_low": low, "number_high": high},
        "fixed [0, 100]": {**fixed, "number_low": 0.0, "number_high": 100.0},
        "fixed [0, 10000]": {**fixed, "number_low": 0.0, "number_high": 10_000.0},
        **{
            f"learnt, {bins} quantiles": {"number_binning": "learnt", "number_edges": learnt_edges(columns, bins)}
            for bins in (64, 256, 1024)
        },
    }


def relative_width(**settings: Any) -> float:
    """How far apart two large numbers are that the range-free bins tell apart, relative to their size."""
    with modelhub_sql.connect(**settings) as hub:
        rows = hub.con.execute("SELECT exp(2 * asinh(number_high / number_low) / number_bins) - 1 FROM settings").fetchall()
    return float(rows[0][0])


def shown(columns: list[Column], settings: dict[str, dict[str, Any]]) -> list[str]:
    """JS of single columns, between halves and between tables, under some of the settings."""
    counted = {name: histograms(columns, **settings[name])[0] for name in SHOWN_BINNINGS}
    lines = [
        "Single columns: median JS between two halves, and between two tables (AUC of telling which). A range-free bin holds the",
        f"numbers within {relative_width(number_bins=128):.0%} of each other with 128 bins, {relative_width():.0%} with 256 (the",
        f"default), {relative_width(number_bins=1024):.1%} with 1024: no number of them tells years, or other columns that vary",
        "little compared to their size. Those want learnt or fixed bins.",
        "",
        "| column | median, 5 % to 95 % of the values | " + " | ".join(SHOWN_BINNINGS) + " |",
        "|---" * (len(SHOWN_BINNINGS) + 2) + "|",
    ]
    for collection, column in SHOWN:
        chosen = [i for i, c in enumerate(columns) if (c.collection, c.column.lower()) == (collection, column)]
        if not chosen:
            continue
        values = np.concatenate([columns[i].values for i in chosen])
        low, middle, high = np.quantile(values, [0.05, 0.5, 0.95])
        cells = []
        for name in SHOWN_BINNINGS:
            result = judge([columns[i] for i in chosen], counted[name][chosen])
            cells.append(f"{result.halves:.4f}, {result.shifted:.4f} ({result.auc_shifted:.2f})")
        lines.append(f"| {column} ({collection}) | {middle:.4g}, {low:.4g} to {high:.4g} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def compare(columns: list[Column], settings: dict[str, dict[str, Any]]) -> list[list[Any]]:
    """A record for each collection and each of the settings."""
    collections = list(dict.fromkeys(c.collection for c in columns))
    records: list[list[Any]] = []
    for name, values in settings.items():
        counts, seconds = histograms(columns, **values)
        for collection in collections:
            chosen = [i for i, c in enumerate(columns) if c.collection == collection]
            records.append([collection, name, *judge([columns[i] for i in chosen], counts[chosen]), seconds])
        print(f"{name}: {seconds:.1f} s", flush=True)
    return records


def report(title: str, records: list[list[Any]], values: int) -> list[str]:
    """The records as Markdown, with their means first."""
    lines = [
        f"## {title}",
        "",
        "Means over the collections; bin: seconds to bin all values with the macro of the hub, by a million.",
        "",
        f"| binning | {HEADER} | bin |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(r[1] for r in records):
        mean = np.nanmean([r[2:] for r in records if r[1] == name], axis=0)
        lines.append(_row(f"| {name} |", mean) + f" {mean[-1] / values * 1e6:.2f} |")
    lines += ["", f"| collection | binning | {HEADER} |", "|---|---|---|---|---|---|---|---|---|---|"]
    detailed = [r for r in records if r[1] in DETAILED_BINNINGS]
    ordered = sorted(detailed, key=lambda r: [x[0] for x in records].index(r[0]))
    return [*lines, *(_row(f"| {r[0]} | {r[1]} |", r[2:]) for r in ordered), ""]


def _row(start: str, r: Any) -> str:
    ratio = f"{r[1] / r[0]:.1f}" if r[0] > 0 else "-"
    return f"{start} {r[0]:.4f} | {r[1]:.4f} | {ratio} | {r[2]:.3f} | {r[3]:.3f} | {r[4]:.3f} | {r[5]:.2f} | {r[6]:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of har/, tabular/, em/ and text/")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder to write to")
    parser.add_argument("--fast", action="store_true", help="only the binnings that single columns are shown for")
    arguments = parser.parse_args()
    needed = [file for file, *_ in PARTS.values()]
    needed += [f"em/{task}.parquet" for task in RECORDS] + [f"text/{text}.parquet" for text in TEXTS]
    for file in needed:
        if not (arguments.data / file).exists():
            parser.error(f"{arguments.data / file} is missing: --data names the folder that holds it")
    columns = halves(arguments.data)
    numbers = [c for c in columns if not isinstance(c.values, list) and c.collection != "texts" and c.column.lower() != "id"]
    texts = [c for c in columns if isinstance(c.values, list)]
    settings = variants(numbers)
    text_bins: tuple[int, ...] = (256, 512, 1024, 2048, 4096, 16384)
    if arguments.fast:
        settings, text_bins = {name: settings[name] for name in SHOWN_BINNINGS}, (1024,)
    number_records = compare(numbers, settings)
    text_records = compare(texts, {f"{bins} bins": {"text_bins": bins} for bins in text_bins})
    tokens = sum(len(text.split()) for c in texts for text in c.values)
    lines = [
        "# Bins",
        "",
        f"Numbers: {len(numbers)} columns of half tables. Text: {len(texts)}. At most {HALF} rows a half.",
        "halves: median JS of a column between two halves of a table; shifted: between two tables; other: between two columns.",
        "",
        *report("Numbers", number_records, sum(len(c.values) for c in numbers)),
        *shown(numbers, settings),
        *report("Text", text_records, tokens),
    ]
    print("\n".join(lines))
    arguments.results.mkdir(exist_ok=True, parents=True)
    (arguments.results / "binning.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with (arguments.results / "binning.csv").open("w", newline="") as output:
        writer = csv.writer(output)
        writer.writerow(["kind", "collection", "binning", *Result._fields, "seconds"])
        writer.writerows(["number", *record] for record in number_records)
        writer.writerows(["text", *record] for record in text_records)


if __name__ == "__main__":
    main()
