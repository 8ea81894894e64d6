"""Registering many small datasets at once: what a manifest takes, beside a loop of register.

Datasets are parquet files of four numbers and two categories; all have the same columns, or each ten, or each others (the hard
case: nothing is shared, so nothing is saved). The loop registers some of them; the floor reads all rows of the files once.

    python examples/benchmarks/manifest.py [--full]
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from measuring import Report, arguments, number
from sketching import SEED

import modelhub_sql

#: Datasets that have the same names of columns.
ALIKE = {"all the same columns": 0, "ten each": 10, "each its own": 1}
#: The loop registers so many.
LOOP = 20


def write(folder: Path, datasets: int, rows: int, alike: int) -> list[str]:
    """Write the datasets; their files. rows: the first has so many, others fewer, down to a tenth."""
    files = []
    for which in range(datasets):
        rng = np.random.default_rng([SEED, which])
        count = rows - int(rows * 0.9 * (which % 10) / 10)
        family = which // alike if alike else 0
        table = {f"x{family}_{i}": rng.normal(which % 7, 1 + i, count) for i in range(4)}
        table |= {f"k{family}_{i}": rng.choice([f"v{value}" for value in range(8)], count) for i in range(2)}
        files.append(str(folder / f"{which:06}.parquet"))
        pq.write_table(pa.table(table), files[-1])
    return files


def seconds(files: list[str], rows: int) -> tuple[float, float, float]:
    """Seconds a dataset: registered at once, one by one, and read."""
    with modelhub_sql.connect() as hub, modelhub_sql.connect() as loop:
        # What a first call starts up.
        for each in (hub, loop):
            each.register("first", files[0])
        started = time.perf_counter()
        assert hub.register_many([{"name": file, "dataset": file} for file in files]) == len(files)
        at_once = time.perf_counter() - started
        some = files[:: max(1, len(files) // LOOP)]
        started = time.perf_counter()
        for file in some:
            loop.register(file, file)
        one_by_one = time.perf_counter() - started
        query = "SELECT model, feature, bins, counts FROM models JOIN features USING (dataset_id) WHERE model = ? ORDER BY ALL"
        assert all(hub.sql(query, [file]).fetchall() == loop.sql(query, [file]).fetchall() for file in some)
    with duckdb.connect() as con:
        started = time.perf_counter()
        for file in files:
            con.execute("CREATE OR REPLACE TABLE t AS FROM read_parquet(?)", [file])
        read = time.perf_counter() - started
    return at_once / len(files), one_by_one / len(some), read / len(files)


def main() -> None:
    given = arguments(
        __doc__,
        datasets=([60], [300, 3000], "datasets in a manifest"),
        rows=([400], [400, 5000], "rows of the largest"),
    )
    report = Report("Registering a manifest", given.full)
    table = []
    for datasets in given.datasets:
        for rows in given.rows:
            for how, alike in ALIKE.items():
                if alike == 1 and datasets > min(given.datasets):
                    continue
                with tempfile.TemporaryDirectory() as folder:
                    at_once, one_by_one, read = seconds(write(Path(folder), datasets, rows, alike), rows)
                table.append([
                    f"{datasets:,}", f"{rows:,}", how, f"{number(at_once * 1e3)} ms", f"{number(one_by_one / at_once)} x",
                    f"{number(at_once / read)} x",
                ])  # fmt: skip
    report.table(
        "At once and one by one",
        ["datasets", "rows at most", "columns", "register_many, a dataset", "loop of register", "of reading the files"],
        table,
        "*register_many, a dataset*: its time divided by the datasets. *loop of register*: how many times that a dataset takes "
        f"where each is registered by itself ({LOOP} of them). *of reading the files*: how many times the time in which DuckDB "
        "makes tables of the files, one by one. Bins and counts of the two hubs are compared.",
    )
    report.write(given.results, "manifest")


if __name__ == "__main__":
    main()
