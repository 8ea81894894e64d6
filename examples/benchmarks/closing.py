"""What a journal costs: the change of a hub, closed with one, so that a torn page loses nothing, and as DuckDB closes it.

python examples/benchmarks/closing.py --full
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow as pa
from measuring import Report, arguments, number
from synthetic_hub import FEATURES, dataset_distribution, fill, values

import modelhub_sql
from modelhub_sql import journal


def closed(path: Path, rows: pa.Table, *, saves: bool) -> tuple[float, float, int]:
    """Seconds to register a model and to close the hub, and bytes of its journal. saves: whether there is one."""
    written = 0
    save = journal._save

    def kept(file: Path, *given: Any) -> None:
        nonlocal written
        save(file, *given)
        written = file.stat().st_size

    hub = modelhub_sql.connect(path)
    started = time.perf_counter()
    hub.register("new", rows)
    registered = time.perf_counter()
    with mock.patch.object(journal, "_save", kept if saves else lambda *_: None):
        hub.close()
    return registered - started, time.perf_counter() - registered, written


def main() -> None:
    given = arguments(__doc__, models=([20], [100, 1000], "models of the hub"))
    found = []
    with tempfile.TemporaryDirectory() as name:
        base, path = Path(name) / "base.duckdb", Path(name) / "hub.duckdb"
        first, p = dataset_distribution(0, 0, FEATURES)
        rows = values(first, p, 2000, 0)
        for models in given.models:
            base.unlink(missing_ok=True)
            with modelhub_sql.connect(base) as made:
                fill(made, models, 100)
            taken: dict[bool, list[tuple[float, float, int]]] = {True: [], False: []}
            for _ in range(1 + given.repeats):
                for saves, runs in taken.items():
                    shutil.copy(base, path)
                    runs.append(closed(path, rows, saves=saves))
            register, close = (statistics.median(run[place] for run in taken[True][1:]) for place in (0, 1))
            without = statistics.median(run[1] for run in taken[False][1:])
            found.append([
                f"{models:,}", f"{number(base.stat().st_size / 1e6)} MB", f"{number(taken[True][0][2] / 1e6)} MB",
                f"{number(1000 * register)} ms", f"{number(1000 * close)} ms", f"{number(1000 * without)} ms",
            ])  # fmt: skip
    report = Report("Closing a hub", given.full)
    report.table(
        "A model of 2,000 rows registered, and the hub closed",
        ["models", "hub", "journal", "register", "close", "close without a journal"],
        found,
        "Models of 20 features and 100 partitions. In turns with and without a journal, each in a copy of the hub; medians.",
    )
    report.write(given.results, "closing")


if __name__ == "__main__":
    main()
