"""The bytes of sketches, pinned: ``python tests/golden/sketches.py`` writes the files of this folder.

They change only with the format: a sketch that is made again must be the one that was stored.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import duckdb

import modelhub_sql

HERE = Path(__file__).parent
DATA = HERE.parent / "data"

#: Hubs by the name of their file.
HUBS: dict[str, dict[str, Any]] = {
    "plain": {},
    "salted": {"salt": "a pinch"},
    "other_seed": {"seed": 7},
    "sequential": {"partitioning": "sequential"},
}

#: Times of all types, lists, structs, texts and gaps.
TROUBLED = """
    SELECT
        CASE i % 7 WHEN 0 THEN NULL WHEN 1 THEN 'nan' WHEN 2 THEN 'inf' WHEN 3 THEN '-inf' ELSE i * 1e3 - 5e5 END::DOUBLE AS troubled,
        DATE '2020-01-01' + i::INT AS day, TIMESTAMP '2020-01-01' + to_hours(i * i) AS at, TIME '10:00' + to_minutes(i) AS hour,
        CASE WHEN i % 3 > 0 THEN [i, NULL, i / 7] END AS list, {a: i % 11, b: 'Straße ' || i % 5} AS leaves, i % 2 = 0 AS flag,
        1e300 * (i % 3 - 1) AS extreme, 42 AS same, (i * 7919 % 1009) / 1009 AS many
    FROM range(700) AS r(i) ORDER BY i
"""

FEATURES = """
    SELECT dataset, feature, kind, "values", nulls, k, b, bins, counts, elements, minhash
    FROM _hub.features JOIN _hub.datasets USING (dataset_id) ORDER BY dataset, feature_id
"""
PARTITIONS = """
    SELECT dataset, feature_id, partition_id, frequent, rare
    FROM _hub.partition_counts JOIN _hub.datasets USING (dataset_id) ORDER BY dataset, feature_id, partition_id
"""


def made(path: str, settings: dict[str, Any]) -> None:
    """A hub of four datasets."""
    with modelhub_sql.connect(path, partition_size=100, **settings) as hub:
        for name, exclude in (("adult", ["income"]), ("beer", ["label", "split"]), ("torso1", ["activity"])):
            hub.register(name, DATA / f"{name}.parquet", exclude=exclude)
        hub.con.execute(f"CREATE TABLE troubled AS {TROUBLED}")
        hub.register("troubled", "troubled")


def canonical(value: Any) -> Any:
    """A value as JSON can hold it to the bit."""
    if isinstance(value, float):
        return value.hex()
    return [canonical(each) for each in value] if isinstance(value, list) else value


def dump(path: str) -> dict[str, str]:
    """SHA-256 of each feature of a hub and of all its partitions, from the tables alone."""
    with duckdb.connect(path, read_only=True) as con:
        rows = {FEATURES: con.execute(FEATURES).fetchall(), PARTITIONS: con.execute(PARTITIONS).fetchall()}
    texts = {f"{row[0]}.{row[1]}": json.dumps(canonical(list(row))) for row in rows[FEATURES]}
    texts["partition_counts"] = json.dumps(canonical([list(row) for row in rows[PARTITIONS]]))
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}


def pinned(name: str) -> Path:
    return HERE / f"{name}.json"


if __name__ == "__main__":
    for each, given in HUBS.items():
        with tempfile.TemporaryDirectory() as folder:
            made(f"{folder}/hub.duckdb", given)
            pinned(each).write_text(json.dumps(dump(f"{folder}/hub.duckdb"), indent=1) + "\n")
