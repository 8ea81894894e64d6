"""All bytes that a hub stores, and a hub made, read or left with a log by whatever Python this is run with:

python tests/stored.py make HUB DATASET [THREADS]     prints digests of what is stored
python tests/stored.py read HUB                       the same of a hub that is there, after its log was brought in
python tests/stored.py leave HUB DATASET              registers one more model and is killed before it is in the file
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import duckdb

import modelhub_sql

__all__ = ["digests", "leave", "make"]


def canonical(value: Any) -> Any:
    """A value as JSON can hold it to the bit."""
    if isinstance(value, float):
        return value.hex()
    return [canonical(each) for each in value] if isinstance(value, list) else value


def digests(path: str | Path) -> dict[str, str]:
    """SHA-256 of each column of the sketches of a hub, floats to the last bit; not of when they were made, or by what."""
    found = {}
    with duckdb.connect(str(path), read_only=True) as con:
        for table, key in (
            ("models", "model"), ("datasets", "dataset_id"), ("features", "dataset_id, feature_id"),
            ("partition_counts", "dataset_id, feature_id, partition_id"), ("format", "seed"), ("minhash_functions", "function"),
        ):  # fmt: skip
            rows = con.execute(f"FROM _hub.{table} ORDER BY {key}")
            columns = [name for name, *_ in rows.description or ()]
            for name, values in zip(columns, zip(*rows.fetchall(), strict=True), strict=True):
                if name not in ("registered_at", "source"):
                    text = json.dumps([canonical(value) for value in values])
                    found[f"{table}.{name}"] = hashlib.sha256(text.encode()).hexdigest()
    return found


def make(path: str | Path, dataset: Any, threads: int = 2, name: str = "m") -> None:
    """A model more in a hub, which is made where there is none."""
    with modelhub_sql.connect(path, partition_size=100) as hub, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hub.con.execute(f"SET threads = {threads}")
        hub.register(name, dataset)


def leave(path: str | Path, dataset: Any) -> None:
    """Register a model, and end without closing the hub: the model is in its log alone."""
    hub = modelhub_sql.connect(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hub.register("left", dataset)
    os._exit(0)


if __name__ == "__main__":
    verb, file, *more = sys.argv[1:]
    if verb == "make":
        make(file, more[0], threads=int(more[1]) if more[1:] else 2)
    elif verb == "leave":
        leave(file, more[0])
    else:
        with modelhub_sql.connect(file) as opened:
            assert len(opened.find_models(opened.sketch_of("m"), all_models=True).dicts()) == len(opened.models().dicts())
    print(json.dumps(digests(file)))
