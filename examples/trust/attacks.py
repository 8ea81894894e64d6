"""What whoever has a hub reads of single rows, by attacks on real tables, with the hub's file alone.

python examples/trust/attacks.py

Each is made on a hub as it is, and on one with min_count 5, round_counts 5 and a salt that is not in the file.

1. The smallest partition: how many rows are in it, and how many columns have a single bin there, that is a row's value?
2. Means: of two versions that differ by a row, is mean x count of one less that of the other the row's value?
3. Rare bins: which share of the bins of a feature hold one value alone?
4. Differences: of two versions that differ by a row, in how many columns does the difference of the counts tell the row's bin?
5. Words: a dictionary, of the words of the other tables, is hashed with what the file has. How many of the words of a column does
   it find, and how many of those that it finds are there?
6. Frequencies: the words of a column are told by their rank in other rows of the same table. How many are told right?
"""

from __future__ import annotations

import argparse
import hashlib
import re
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

import modelhub_sql
from modelhub_sql import sql

DATA = Path(__file__).parents[2] / "tests" / "data"
#: Of numbers, and of text.
NUMBERS, TEXTS = ("adult", "torso1", "leg1"), ("adult", "beer", "fodors_zagats")
ROWS = 501
#: Hubs that are attacked.
HUBS: dict[str, dict[str, Any]] = {
    "as it is": {}, "kept from": {"min_count": 5, "round_counts": 5, "salt": "known to those who may search"},
}  # fmt: skip


class Found(NamedTuple):
    """So many of so many of what an attack looks for."""

    found: int
    of: int
    what: str


def read(hub: Path, query: str) -> list[tuple[Any, ...]]:
    """What the holder of a file can ask, in a plain client."""
    with duckdb.connect(str(hub), read_only=True) as con:
        return con.execute(query).fetchall()


def sketched(folder: Path, name: str, *queries: str, **settings: Any) -> Path:
    """A hub of the rows of queries, each a version of one model."""
    path = folder / f"{name}.duckdb"
    path.unlink(missing_ok=True)
    with modelhub_sql.connect(path, **settings) as hub, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for version, query in enumerate(queries):
            hub.con.execute(f"CREATE OR REPLACE TEMP TABLE rows_of AS {query}")
            hub.register("model", "rows_of", version=str(version))
    return path


def smallest_partition(folder: Path, name: str, settings: dict[str, Any]) -> Found:
    hub = sketched(folder, name, f"FROM '{DATA / name}.parquet' LIMIT {ROWS}", **settings)
    ((rows, partition),) = read(
        hub,
        "SELECT max(list_sum(frequent || rare)) AS rows, partition_id FROM _hub.partition_counts "
        "JOIN _hub.features USING (dataset_id, feature_id) WHERE kind <> 'text' GROUP BY partition_id ORDER BY rows LIMIT 1",
    )
    ((single, columns),) = read(
        hub,
        # A column that is one bin in all rows says nothing of some.
        "SELECT count(*) FILTER (len(list_filter(frequent || rare, lambda n: n > 0)) = 1 AND len(bins) > 1), count(*) "
        f"FROM _hub.partition_counts JOIN _hub.features USING (dataset_id, feature_id) WHERE partition_id = {partition}",
    )
    return Found(single, columns, f"columns are one bin there alone, of {int(rows)} rows")


def two_versions(folder: Path, name: str, settings: dict[str, Any]) -> tuple[Path, Path]:
    """A table, and a hub of its first 500 rows (dataset 1) and of one row more (dataset 2)."""
    file = DATA / f"{name}.parquet"
    return file, sketched(folder, name, f"FROM '{file}' LIMIT 500", f"FROM '{file}' LIMIT 501", **settings)


def means(folder: Path, name: str, settings: dict[str, Any]) -> Found:
    file, hub = two_versions(folder, name, settings)
    # Who sees no change is told nothing.
    found = read(
        hub,
        'SELECT a.feature, b.mean * b."values" - a.mean * a."values", b."values" <> a."values" OR b.mean <> a.mean '
        "FROM _hub.features AS a JOIN _hub.features AS b USING (feature) "
        "WHERE a.dataset_id = 1 AND b.dataset_id = 2 AND a.kind = 'number'",
    )
    with duckdb.connect() as con:
        exact = 0
        for feature, value, is_changed in found:
            quoted = feature.replace('"', '""')
            ((there,),) = con.execute(f"SELECT \"{quoted}\"::DOUBLE FROM '{file}' LIMIT 1 OFFSET 500").fetchall()
            exact += is_changed and abs(value - there) <= 1e-6 * max(1.0, abs(there))
    return Found(exact, len(found), "numbers of the row to six digits")


def rare_bins(folder: Path, name: str, settings: dict[str, Any]) -> Found:
    hub = sketched(folder, name, f"FROM '{DATA / name}.parquet'", **settings)
    ((single, bins),) = read(hub, "SELECT sum(len(list_filter(counts, lambda n: n = 1))), sum(len(bins)) FROM _hub.features")
    return Found(int(single), int(bins), "bins")


def differences(folder: Path, name: str, settings: dict[str, Any]) -> Found:
    _, hub = two_versions(folder, name, settings)
    found = read(
        hub,
        "SELECT feature, a.bins, a.counts, b.bins, b.counts FROM _hub.features AS a JOIN _hub.features AS b "
        "USING (feature, kind) "
        "WHERE a.dataset_id = 1 AND b.dataset_id = 2 AND kind <> 'text' AND a.k = b.k AND a.b = b.b",
    )
    told = 0
    for _, bins, counts, later_bins, later in found:
        before, after = dict(zip(bins, counts, strict=True)), dict(zip(later_bins, later, strict=True))
        told += any(after.get(bin, 0) > before.get(bin, 0) for bin in after)
    return Found(told, len(found), "columns of numbers tell the bin of the row")


def words_of(name: str) -> dict[str, set[str]]:
    with duckdb.connect() as con:
        columns = [c for c, type_, *_ in con.execute(f"DESCRIBE FROM '{DATA / name}.parquet'").fetchall() if type_ == "VARCHAR"]
        return {
            column: {
                word
                for (text,) in con.execute(f"SELECT DISTINCT \"{column}\" FROM '{DATA / name}.parquet'").fetchall()
                for word in re.findall(r"[^\W_]+", (text or "").lower())
            }
            for column in columns
        }


def bins_of_words(hub: Path, column: str, words: list[str]) -> list[float]:
    """The bins of words, as who has the file alone can hash them: without a salt."""
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{hub}' AS hub (READ_ONLY)")
        con.execute("CREATE SCHEMA _format; CREATE SCHEMA _logic; CREATE MACRO _logic.salt() AS ''")
        ((text_bins,),) = con.execute("SELECT text_bins FROM hub._hub.format").fetchall()
        con.execute(f"CREATE MACRO _format.text_bins() AS {text_bins}")
        for statement in con.extract_statements(sql.scripts("values")["elements"]):
            if re.search(r"CREATE MACRO _logic\.(swapped_bytes|sha1_hash32|text_bin)\(", statement.query):
                con.execute(statement)
        return [bin for (bin,) in con.execute("SELECT _logic.text_bin(unnest(?::VARCHAR[]))", [words]).fetchall()]


def dictionary(folder: Path, name: str, settings: dict[str, Any]) -> Found:
    guessed = sorted(set().union(*(set().union(*words_of(other).values()) for other in TEXTS if other != name)))
    hub = sketched(folder, name, f"FROM '{DATA / name}.parquet'", **settings)
    right = said = there = 0
    for column, words in words_of(name).items():
        bins = set(read(hub, f"SELECT unnest(bins) FROM _hub.features WHERE kind = 'text' AND feature = '{column}'"))
        found = {word for word, bin in zip(guessed, bins_of_words(hub, column, guessed), strict=True) if (bin,) in bins}
        right, said, there = right + len(found & words), said + len(found), there + len(words & set(guessed))
    return Found(right, there, f"words that are in both found; of {said} found {right} are there")


def frequencies(folder: Path, name: str, settings: dict[str, Any]) -> Found:
    file = DATA / f"{name}.parquet"
    hub = sketched(folder, name, f"FROM '{file}' LIMIT 700", **settings)
    right = total = 0
    for column, words in words_of(name).items():
        if len(words) > 50:
            continue
        with duckdb.connect() as con:
            con.execute(f"CREATE TABLE t AS SELECT lower(\"{column}\") AS text, row_number() OVER () AS row FROM '{file}'")
            query = "SELECT word FROM (SELECT unnest(regexp_extract_all(text, '[\\p{L}\\p{N}]+')) AS word, row FROM t) WHERE {} "
            order = "GROUP BY word ORDER BY count(*) DESC, word ASC"
            known, here = (
                [word for (word,) in con.execute(query.replace("{}", where) + order).fetchall()]
                for where in ("row > 700", "row <= 700")
            )
        counts = read(
            hub,
            "SELECT bin FROM (SELECT unnest(bins) AS bin, unnest(counts) AS n FROM _hub.features "
            f"WHERE kind = 'text' AND feature = '{column}') ORDER BY n DESC, bin ASC",
        )
        # What the hub holds, by the salt that the attacker does not know.
        salt = settings.get("salt", "")
        bins = {word: int.from_bytes(hashlib.sha1((salt + word).encode()).digest()[:4], "little") % 1024 for word in here}
        right += sum(bins.get(word) == bin for word, (bin,) in zip(known, counts, strict=False))
        total += len(here)
    return Found(right, total, "words told by their rank")


#: Each attack, the tables that it is made on, and the share that it may find where there is something against it.
ATTACKS: dict[str, tuple[Callable[[Path, str, dict[str, Any]], Found], tuple[str, ...], float]] = {
    f"smallest partition of {ROWS} rows": (smallest_partition, NUMBERS, 0.1), "means of two versions": (means, NUMBERS, 0.2),
    "bins of one value": (rare_bins, NUMBERS, 0), "differences of two versions": (differences, NUMBERS, 0.5),
    "dictionary": (dictionary, TEXTS, 0.2), "frequencies": (frequencies, ("adult",), 1),
}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="*", help="by default all: " + ", ".join(sorted({*NUMBERS, *TEXTS})))
    given = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for title, (attack, names, most) in ATTACKS.items():
            for name in (each for each in names if not given.tables or each in given.tables):
                for hub, settings in HUBS.items():
                    found = attack(Path(folder), name, settings)
                    is_wrong = bool(settings) and found.found > most * found.of
                    wrong += is_wrong
                    told = f"{found.found} of {found.of} {found.what}{': WRONG' if is_wrong else ''}"
                    print(f"{title:30} {name:14} {hub:10} {told}", flush=True)
    print(f"{wrong} wrong")
    return bool(wrong)


if __name__ == "__main__":
    raise SystemExit(main())
