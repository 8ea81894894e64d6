"""Searching hubs whose features have other names than the target's, or many of them.

The same models in hubs that differ in names alone: all share them; a family of ten has a schema of its own; no two models
share a name. And models of 500 features. Hubs are made by ``synthetic_hub.py``; a target is drawn from the distribution of
the first model's data. Each hub is searched by ``Hub.find_models``, in turn with the same models of shared names and with
the floor: reading the bins and counts of all features once.

    python examples/benchmarks/names.py [--full]
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import synthetic_hub
from measuring import Report, arguments, number, peak_megabytes, ratio, side_by_side

import modelhub_sql

SHARED, SCHEMAS, OWN, WIDE = "shared names", "a schema each family", "own names", "features each"
ROWS = 5000
FLOOR = "reading once"


def search(hub: modelhub_sql.Hub, target: Path) -> Any:
    """Rank, model, verdict of all that is listed; the target's sketch is kept from the search before."""
    return hub.find_models(target).select('"rank", model, verdict').fetchall()


def read(hub: modelhub_sql.Hub) -> Any:
    """All bins and counts of a hub, read once."""
    return hub.sql("SELECT sum(list_sum(bins)), sum(list_sum(counts)) FROM features").fetchall()


def made(folder: Path, models: int, shape: str, features: int, partitions: int) -> tuple[modelhub_sql.Hub, Path]:
    """A hub and a target that is like its first model."""
    families = max(1, models // 10)
    called = {
        SCHEMAS: f"'s' || (dataset_id - 1) % {families} || '_' || feature",
        OWN: "'d' || dataset_id || '_' || feature",
    }.get(shape, "feature")
    path = folder / f"{shape} {models} {features}.duckdb"
    hub = modelhub_sql.connect(path)
    synthetic_hub.fill(hub, models, families, partitions, features, called)
    table = synthetic_hub.values(*synthetic_hub.dataset_distribution(0, 0, features), ROWS, seed=7)
    if shape == SCHEMAS:
        table = table.rename_columns([f"s0_{column}" for column in table.column_names])
    target = path.with_suffix(".parquet")
    pq.write_table(table, target)
    return hub, target


def main() -> None:
    given = arguments(
        __doc__,
        models=([30], [100, 1000, 10_000], "models in each hub"),
        shapes=([SCHEMAS, OWN], [SCHEMAS, OWN], "what their features are called"),
        wide_models=([10], [100, 1000], "models of many features"),
        wide_features=([100], [500], "features of them"),
        partitions=([4], [10], "partitions of each model's data"),
    )
    report = Report("Hubs of other names", given.full)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        shapes = [(models, shape, synthetic_hub.FEATURES) for models in given.models for shape in given.shapes]
        shapes += [(models, WIDE, features) for models in given.wide_models for features in given.wide_features]
        shared: dict[int, tuple[modelhub_sql.Hub, Path]] = {}
        for models, shape, features in shapes:
            if models not in shared:
                shared[models] = made(Path(folder), models, SHARED, synthetic_hub.FEATURES, *given.partitions)
            hub, target = made(Path(folder), models, shape, features, *given.partitions)
            ways = {
                SHARED: partial(search, *shared[models]), shape: partial(search, hub, target), FLOOR: partial(read, hub),
            }  # fmt: skip
            timings = side_by_side(ways, given.repeats, given.budget)
            listed = [model for _, model, _ in timings[shape].result]
            assert "m1" in listed, "the model of the target's own distribution is listed"
            rows.append(
                [
                    f"{models:,}", f"{features} {WIDE}" if shape == WIDE else shape,
                    *(f"{number(timings[way].median)} s" for way in (SHARED, shape)),
                    ratio(timings[shape], timings[SHARED]), ratio(timings[shape], timings[FLOOR]), f"{listed.index('m1') + 1}",
                ]
            )  # fmt: skip
            hub.close()
            Path(hub.path).unlink()
        for hub, _ in shared.values():
            hub.close()
    report.table(
        "Search",
        ["models", "names", "20 features, shared names", "here", "ratio", f"{FLOOR}, ratio", "rank"],
        rows,
        f"`Hub.find_models` of a target of {ROWS:,} rows, whose sketch is kept; medians of calls in turn. rank: of "
        f"the model that the target's distribution is of. Peak memory: {number(peak_megabytes())} MB.",
    )
    report.write(given.results, "names")


if __name__ == "__main__":
    main()
