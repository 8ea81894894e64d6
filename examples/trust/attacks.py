"""What whoever has a hub reads of single rows, by four attacks on real tables, with the hub's file alone.

python examples/trust/attacks.py

1. The smallest partition: how many rows are in it, and how many columns have a single bin there, that is a row's value?
2. Means: of two versions that differ by a row, is mean x count of one less that of the other the row's value?
3. Rare bins: which share of the bins of a feature hold one value alone?
4. Words: a dictionary, of the words of the other tables, is hashed with the salt that the file has. How many of the words of a
   column does it find, and how many of those that it finds are there?
"""

from __future__ import annotations

import re
import tempfile
import warnings
from pathlib import Path
from typing import Any

import duckdb

import modelhub_sql

DATA = Path(__file__).parents[2] / "tests" / "data"
#: Of numbers, and of text.
NUMBERS, TEXTS = ("adult", "torso1", "leg1"), ("adult", "beer", "fodors_zagats")
ROWS = 501


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


def smallest_partition(folder: Path, name: str) -> str:
    hub = sketched(folder, name, f"FROM '{DATA / name}.parquet' LIMIT {ROWS}")
    ((rows, partition),) = read(
        hub,
        "SELECT max(list_sum(frequent || rare)) AS rows, partition_id FROM _hub.partition_counts "
        "JOIN _hub.features USING (dataset_id, feature_id) WHERE kind <> 'text' GROUP BY partition_id ORDER BY rows LIMIT 1",
    )
    ((single, columns),) = read(
        hub,
        "SELECT count(*) FILTER (len(list_filter(frequent || rare, lambda n: n > 0)) = 1), count(*) "
        f"FROM _hub.partition_counts WHERE partition_id = {partition}",
    )
    return f"{int(rows)} rows, {single} of {columns} columns are one bin"


def means(folder: Path, name: str) -> str:
    file = DATA / f"{name}.parquet"
    hub = sketched(folder, name, f"FROM '{file}' LIMIT 500", f"FROM '{file}' LIMIT 501")
    found = read(
        hub,
        'SELECT a.feature, b.mean * b."values" - a.mean * a."values" FROM _hub.features AS a '
        "JOIN _hub.features AS b USING (feature) "
        'WHERE a.dataset_id = 1 AND b.dataset_id = 2 AND a.kind = \'number\' AND b."values" = a."values" + 1',
    )
    with duckdb.connect() as con:
        exact = 0
        for feature, value in found:
            quoted = feature.replace('"', '""')
            ((there,),) = con.execute(f"SELECT \"{quoted}\"::DOUBLE FROM '{file}' LIMIT 1 OFFSET 500").fetchall()
            exact += abs(value - there) <= 1e-6 * max(1.0, abs(there))
    return f"{exact} of {len(found)} numbers of the row to six digits"


def rare_bins(folder: Path, name: str) -> str:
    hub = sketched(folder, name, f"FROM '{DATA / name}.parquet'")
    ((single, bins),) = read(hub, "SELECT sum(len(list_filter(counts, lambda n: n = 1))), sum(len(bins)) FROM _hub.features")
    return f"{int(single)} of {int(bins)} bins"


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


def dictionary(folder: Path, name: str) -> str:
    guessed = sorted(set().union(*(words for other in TEXTS if other != name for words in words_of(other).values())))
    hub = sketched(folder, name, f"FROM '{DATA / name}.parquet'", salt="a salt that is in the file")
    right = said = there = 0
    for column, words in words_of(name).items():
        with duckdb.connect(str(hub), read_only=True) as con:
            found = {
                word
                for (word,) in con.execute(
                    "SELECT word FROM (SELECT unnest(?::VARCHAR[]) AS word) WHERE list_contains((SELECT bins FROM _hub.features "
                    "WHERE feature = ? AND kind = 'text'), _logic.text_bin(word))",
                    [guessed, column],
                ).fetchall()
            }
        right, said, there = right + len(found & words), said + len(found), there + len(words & set(guessed))
    return f"{right} of {there} words that are in both found; of {said} found {right} are there"


ATTACKS = {
    f"smallest partition of {ROWS} rows": smallest_partition, "means of two versions": means, "bins of one value": rare_bins,
    "dictionary": dictionary,
}  # fmt: skip


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for title, attack in ATTACKS.items():
            for name in TEXTS if attack is dictionary else NUMBERS:
                print(f"{title:30} {name:14} {attack(Path(folder), name)}", flush=True)


if __name__ == "__main__":
    main()
