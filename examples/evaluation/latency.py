"""How long a search takes: each metric (Table 1 of the paper), and against partition size (Fig. 5)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

import modelhub_sql
from examples.evaluation.report import write_latency
from examples.evaluation.tasks import Context, read

__all__ = ["measure"]

Array = np.ndarray[Any, Any]
WHOLE = 1_000_000


def measure(context: Context, folder: Path) -> None:
    """Time searches over the DSADS tables of har54 (40 tables of 1,140 rows, 54 features); write both tables."""
    query = f"""
        SELECT subject || '_' || body_part AS "table", * EXCLUDE (dataset, subject, body_part, activity, activity_common)
        FROM '{context.file("har/har54.parquet")}' WHERE dataset = 'dsads'
    """
    data = read(query)
    groups = {str(key): group.drop(columns="table") for key, group in data.groupby("table", sort=True)}
    names = sorted(groups)[: 6 if context.fast else None]
    tables = {name: pa.Table.from_pandas(groups[name], preserve_index=False) for name in names}
    targets = names[:: max(1, len(names) // 3)][: 1 if context.fast else 3]
    sizes = (500,) if context.fast else (50, 100, 200, 300, 500, 800)
    rows: list[dict[str, float]] = []
    for size in sizes:
        with _hub(tables, size, context.seed) as hub:
            rows.append(
                {"partition size": size}
                | {f"adaptivity, {search}": _median(_find(hub, tables, search), targets) for search in ("exact", "lsh")}
            )
    with _hub(tables, WHOLE, context.seed) as hub:
        js = {search: _median(_find(hub, tables, search), targets) for search in ("exact", "lsh")}
        sketch = _median(_until(hub, tables, "target_feature"), targets)
        overlap = _median(_until(hub, tables, "sampling_error"), targets)
    partition = pd.DataFrame(rows).assign(**{"JS divergence, exact": js["exact"]})
    values = {name: groups[name].to_numpy(dtype=float) for name in names}
    near_500 = min(rows, key=lambda row: abs(row["partition size"] - 500))
    timings = {
        "sketch of the target (part of each search below)": sketch,
        "sketch, distance and its sampling error": overlap,
        "all, no LSH (hub, one partition)": js["exact"],
        "all, LSH (hub, one partition)": js["lsh"],
        "adaptivity, no LSH (hub, partitions of 500)": near_500["adaptivity, exact"],
        "adaptivity, LSH (hub, partitions of 500)": near_500["adaptivity, lsh"],
        "Jaccard similarity of raw value sets (numpy)": _median(_against(values, _raw_jaccard), targets),
        "JS divergence of raw data (numpy, 256 bins)": _median(_against(values, _raw_js), targets),
        "MMD of raw data (numpy, RBF kernel)": _median(_against(values, _raw_mmd), targets),
    }
    latency = pd.DataFrame({"what": list(timings), f"seconds, {len(names)} candidates": list(timings.values())})
    write_latency(latency, partition, folder)


def _hub(tables: Mapping[str, pa.Table], partition_size: int, seed: int) -> modelhub_sql.Hub:
    hub = modelhub_sql.connect(":memory:", partition_size=partition_size, seed=seed)
    hub.register_many([dict(name=name, dataset=table) for name, table in tables.items()])
    return hub


def _median(run: Callable[[str], object], targets: list[str]) -> float:
    run(targets[0])
    seconds = []
    for target in targets:
        started = time.perf_counter()
        run(target)
        seconds.append(time.perf_counter() - started)
    return float(np.median(seconds))


def _find(hub: modelhub_sql.Hub, tables: Mapping[str, pa.Table], search: Any) -> Callable[[str], object]:
    # A slice: a table of its own, whose sketch is not kept from the search before.
    return lambda target: hub.find_models(tables[target].slice(0), search=search, max_js=0.1).fetchall()


def _until(hub: modelhub_sql.Hub, tables: Mapping[str, pa.Table], step: str) -> Callable[[str], object]:
    return lambda target: hub.steps(tables[target].slice(0), until=step)


def _against(values: Mapping[str, Array], distance: Callable[[Array, Array], float]) -> Callable[[str], object]:
    return lambda target: [distance(values[target], other) for name, other in values.items() if name != target]


def _raw_jaccard(a: Array, b: Array) -> float:
    similarities = []
    for i in range(a.shape[1]):
        one, other = set(np.round(a[:, i], 3).tolist()), set(np.round(b[:, i], 3).tolist())
        similarities.append(len(one & other) / max(1, len(one | other)))
    return float(np.mean(similarities))


def _raw_js(a: Array, b: Array) -> float:
    total = 0.0
    for i in range(a.shape[1]):
        edges = np.linspace(min(a[:, i].min(), b[:, i].min()), max(a[:, i].max(), b[:, i].max()) + 1e-9, 257)
        p, q = np.histogram(a[:, i], edges)[0] / len(a), np.histogram(b[:, i], edges)[0] / len(b)
        m = (p + q) / 2
        total += float((p[p > 0] * np.log(p[p > 0] / m[p > 0])).sum() + (q[q > 0] * np.log(q[q > 0] / m[q > 0])).sum()) / 2
    return total / float(a.shape[1])


def _raw_mmd(a: Array, b: Array) -> float:
    both = np.concatenate([a, b])
    both = (both - both.mean(axis=0)) / (both.std(axis=0) + 1e-9)
    squares = (both**2).sum(axis=1)
    distances = squares[:, None] + squares[None, :] - 2 * both @ both.T
    kernel = np.exp(-distances / max(float(np.median(distances)), 1e-9))
    n = len(a)
    return float(kernel[:n, :n].mean() + kernel[n:, n:].mean() - 2 * kernel[:n, n:].mean())
