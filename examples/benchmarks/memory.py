"""Is ``memory_limit`` kept? Much text, many columns, a long target and a large hub, each in a process of its own.

    python examples/benchmarks/memory.py                    (10^8 cells, 5,000 columns, 10^6 rows, 10,000 models; half an hour)
    python examples/benchmarks/memory.py --scale 0.01 --limit 200

The peak is the resident memory of the whole process; an open hub of ten models, Python and the libraries are 200 MB of it. Right
is a peak of at most 1.5 times the limit, or an error of ModelHub that says what to do; else the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from measuring import in_a_process, number, peak_megabytes
from synthetic_hub import FEATURES, dataset_distribution, fill, values

import modelhub_sql

#: How far the peak may be above the limit.
ALLOWED = 1.5


def text(path: Path, rows: int) -> None:
    """Ten columns of two or three words, 10,000 different ones."""
    word = "(hash({0} + {1} * i) % 10000)"
    columns = ", ".join(f"'w' || {word.format(each, 99)} || ' v' || {word.format(each, 999)} AS t{each}" for each in range(10))
    with duckdb.connect() as con:
        con.execute(f"COPY (SELECT {columns} FROM range({rows}) AS r(i)) TO '{path}' (FORMAT parquet)")


def wide(path: Path, columns: int, rows: int = 1000) -> None:
    rng = np.random.default_rng(1)
    pq.write_table(pa.table({f"c{each}": rng.normal(each, 1, rows) for each in range(columns)}), path)


def long(path: Path, rows: int) -> None:
    first, p = dataset_distribution(0, 0, FEATURES)
    with pq.ParquetWriter(path, values(first, p, 1, 0).schema) as writer:
        for start in range(0, rows, 100_000):
            writer.write_table(values(first, p, min(100_000, rows - start), start))


def measured(verb: str, hub_path: str, dataset: str, limit: str) -> None:
    """Do it under a limit; print what it took and how it ended."""
    idle, started = peak_megabytes(), time.perf_counter()
    with modelhub_sql.connect(hub_path) as hub:
        hub.con.execute(f"SET memory_limit = '{limit}MB'")
        outcome = "finished"
        try:
            if verb == "register":
                hub.register("large", dataset)
                hub.remove("large")
            else:
                hub.find_models(dataset, details=verb == "find with details", top=10).fetchall()
        except modelhub_sql.HubError as error:
            outcome = f"{type(error).__name__}: {str(error).replace(dataset, 'the file')[:300]}"
    seconds = time.perf_counter() - started
    print(json.dumps({"idle": idle, "peak": peak_megabytes(), "seconds": seconds, "outcome": outcome}))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=int, default=500, help="MB that DuckDB may use")
    parser.add_argument("--scale", type=float, default=1.0, help="so much of each")
    parser.add_argument("--only", nargs="*", default=["text", "wide", "long", "large hub"])
    parser.add_argument("--hub", type=Path, help="a hub of synthetic_hub.py that is there already")
    parser.add_argument("--child", nargs=4)
    given = parser.parse_args()
    if given.child:
        measured(*given.child)
        return 0
    scale, wrong = given.scale, 0
    cells, columns, rows, models = (int(scale * most) for most in (10**8, 5000, 10**6, 10**4))
    print("| what | size | verb | peak before | peak | peak / limit | time | outcome |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small, hub, dataset = folder / "small.duckdb", given.hub or folder / "hub.duckdb", folder / "dataset.parquet"

        def of_hub(path: Path, many: int) -> None:
            if not path.exists():
                with modelhub_sql.connect(path) as made:
                    fill(made, many, 100)

        cases: list[tuple[str, str, Path, Callable[[], None], tuple[str, ...]]] = [
            ("text", f"{cells:,} cells", small, lambda: text(dataset, cells // 10), ("register", "find")),
            ("wide", f"{columns:,} columns", small, lambda: wide(dataset, columns), ("register", "find")),
            ("long", f"{rows:,} rows", small, lambda: long(dataset, rows), ("register", "find", "find with details")),
            ("large hub", f"{models:,} models", hub, lambda: long(dataset, 2000), ("find", "find with details")),
        ]
        for what, size, path, make, verbs in cases:
            if what not in given.only:
                continue
            of_hub(path, models if path == hub else 10)
            make()
            for verb in verbs:
                took = in_a_process(__file__, "--child", verb, str(path), str(dataset), str(given.limit), timeout=3600)
                ratio = took.get("peak", 0) / given.limit
                outcome = took.get("outcome") or took["error"]
                is_right = "outcome" in took and (ratio <= ALLOWED or outcome != "finished")
                wrong += not is_right
                shown = [what, size, verb, *(f"{number(took[each])} MB" if each in took else "-" for each in ("idle", "peak"))]
                shown += [f"{ratio:.2f}", f"{number(took['seconds'])} s" if "seconds" in took else "-", outcome]
                print("| " + " | ".join(shown) + " |", flush=True)
    print(f"DuckDB {duckdb.__version__}, memory_limit {given.limit} MB: {wrong} above {ALLOWED} times it, or with another error")
    return bool(wrong)


if __name__ == "__main__":
    raise SystemExit(main())
