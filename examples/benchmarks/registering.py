"""Registering one dataset after the other: no slower as the hub grows, and how large the hub is.

python examples/benchmarks/registering.py [--full]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
from measuring import Report, arguments, number
from sketching import SEED, column

import modelhub_sql

#: Kinds of the columns of a dataset, by turns.
MIXES = {"numeric": ("numeric",), "mixed": ("numeric", "categorical", "numeric", "text", "numeric")}


def dataset(mix: str, which: int, rows: int, columns: int) -> pa.Table:
    """Dataset number ``which``, its columns shifted against those of the one before."""
    rng = np.random.default_rng([SEED, which])
    kinds = MIXES[mix]
    return pa.table({f"c{i}": column(kinds[i % len(kinds)], i + which % 50, rows, rng) for i in range(columns)})


def register(mix: str, path: Path, datasets: int, rows: int, columns: int) -> list[str]:
    """Register the datasets one after the other; returns the row of the table."""
    seconds: list[float] = []
    tenth = max(1, datasets // 10)
    with modelhub_sql.connect(path) as hub:
        hub.con.execute(f"CHECKPOINT {mix}")
        empty = path.stat().st_size
        for which in range(datasets):
            table = dataset(mix, which, rows, columns)
            started = time.perf_counter()
            hub.register(f"m{which}", table)
            seconds.append(time.perf_counter() - started)
            if len(seconds) % tenth == 0:
                print(
                    f"{mix}: {len(seconds):,} datasets, {number(tenth / sum(seconds[-tenth:]))} /s", file=sys.stderr, flush=True
                )
        query = "SELECT count(DISTINCT dataset_id), sum(len(list_filter(counts, lambda n: n > 0))) FROM histograms"
        registered, bins = hub.con.execute(query).fetchall()[0]
        values = hub.con.execute("SELECT min(rows), max(rows), count(*) FROM datasets").fetchall()[0]
    assert registered == datasets
    assert values == (rows, rows, datasets)
    stored = path.stat().st_size
    # Without the very first, which starts everything up.
    first, last = (tenth / sum(part) for part in (seconds[1 : 1 + tenth], seconds[-tenth:]))
    return [
        mix,
        f"{datasets:,}",
        f"{number(first)} /s",
        f"{number(last)} /s",
        f"{number(last / first)} x",
        f"{number(empty / 1e3)} kB",
        f"{number((stored - empty) / datasets / 1e3)} kB",
        f"{number(bins / datasets)}",
        f"{number((stored - empty) / bins)}",
    ]


def main() -> None:
    given = arguments(
        __doc__,
        datasets=([20], [300], "datasets"),
        rows=([50_000], [50_000], "rows of each"),
        columns=([10], [10], "columns of each"),
        mixes=(list(MIXES), list(MIXES), "kinds of columns"),
    )
    report = Report("Registering", given.full)
    (datasets,), (rows,), (columns,) = given.datasets, given.rows, given.columns
    with tempfile.TemporaryDirectory() as folder:
        table = [register(mix, Path(folder) / f"{mix}.duckdb", datasets, rows, columns) for mix in given.mixes]
    report.table(
        f"{rows:,} rows x {columns} columns",
        [
            *("columns", "datasets", "first tenth", "last tenth", "last / first", "empty hub"),
            *("a dataset", "non-zero bins a dataset", "bytes a non-zero bin"),
        ],
        table,
        "Each dataset is an Arrow table of its own, registered by Hub.register in a transaction of its own; the very first is "
        "not counted in the first tenth. Sizes are those of the closed file without those of an empty hub. A non-zero bin is a "
        "bin of a feature that occurs in a partition; its bytes are all of the file's, with signatures, bands and names.",
    )
    report.write(given.results, "registering")


if __name__ == "__main__":
    main()
