"""Is ``memory_limit`` kept? Much text, many columns, a long target and a large hub, each in a process of its own.

    python examples/benchmarks/memory.py --full

The peak is the resident memory of the whole process; an open hub, Python and the libraries are some 200 MB of it. Right is a peak
of at most 1.5 times the limit, or an error of ModelHub that says what to do.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from measuring import Report, arguments, in_a_process, number, peak_megabytes
from synthetic_hub import FEATURES, dataset_distribution, fill, values

import modelhub_sql

CASES = ["text", "wide", "long", "large hub"]


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


def main() -> None:
    given = arguments(
        __doc__,
        cells=([10**5], [10**8], "cells of text"), columns=([50], [5000], "columns"), rows=([10**4], [10**6], "rows of a target"),
        models=([20], [10**4], "models of a hub"), limit=([300], [500], "MB that DuckDB may use"),
        cases=(CASES, CASES, "which of them"),
    )  # fmt: skip
    if given.child:
        measured(*given.child)
        return
    cells, columns, rows, models, limit = (getattr(given, name)[0] for name in ("cells", "columns", "rows", "models", "limit"))
    found = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small, hub, dataset = folder / "small.duckdb", folder / "hub.duckdb", folder / "dataset.parquet"

        def of_hub(path: Path, many: int) -> None:
            if not path.exists():
                with modelhub_sql.connect(path) as made:
                    fill(made, many, 100)

        cases: dict[str, tuple[str, Path, Callable[[], None], tuple[str, ...]]] = {
            "text": (f"{cells:,} cells", small, lambda: text(dataset, cells // 10), ("register", "find")),
            "wide": (f"{columns:,} columns", small, lambda: wide(dataset, columns), ("register", "find")),
            "long": (f"{rows:,} rows", small, lambda: long(dataset, rows), ("register", "find", "find with details")),
            "large hub": (f"{models:,} models", hub, lambda: long(dataset, 2000), ("find", "find with details")),
        }
        if unknown := [what for what in given.cases if what not in cases]:
            raise SystemExit(f"no case is called {unknown[0]!r}; there are {', '.join(map(repr, cases))}")
        for what in given.cases:
            size, path, make, verbs = cases[what]
            of_hub(path, models if path == hub else 10)
            make()
            for verb in verbs:
                took = in_a_process(__file__, "--child", verb, str(path), str(dataset), str(limit), timeout=3600)
                if "error" in took:
                    raise SystemExit(f"{what}, {verb}: {took['error']}")
                shown = [f"{number(took['idle'])} MB", f"{number(took['peak'])} MB", f"{took['peak'] / limit:.2f} x"]
                found.append([what, size, verb, *shown, f"{number(took['seconds'])} s", took["outcome"]])
    report = Report("Memory", given.full)
    report.table(
        f"With a memory_limit of {limit} MB",
        ["what", "size", "verb", "peak before", "peak", "peak / limit", "time", "outcome"],
        found,
        "Text: ten columns of two words, 10,000 different ones each. Wide: 1,000 rows of numbers. Long: 20 columns of numbers; "
        "the hub has 10 models. Large hub: a target of 2,000 rows, models of 20 features and 100 partitions. The peak is the "
        "resident memory of the whole process; before is with the libraries loaded and no hub open.",
    )
    report.write(given.results, "memory")


if __name__ == "__main__":
    main()
