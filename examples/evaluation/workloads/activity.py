"""Activity recognition: a table for each person and body part (section 4.1, workload 1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.ensemble import ExtraTreesClassifier

from examples.evaluation.tasks import Context, Draw, Outcome, matrix, read

__all__ = ["dsads81", "har54", "har54_all", "wisdm"]


def har54(context: Context) -> Iterator[Draw]:
    """137 tables of three datasets, the six activities that the datasets share, 54 features."""
    query = f"""
        SELECT dataset || '_' || subject || '_' || body_part AS "table", activity_common AS label,
            * EXCLUDE (dataset, subject, body_part, activity, activity_common)
        FROM '{context.file("har/har54.parquet")}' WHERE activity_common IS NOT NULL
    """
    yield _draw(context, "har54", query, targets=42, partition_size=100)


def har54_all(context: Context) -> Iterator[Draw]:
    """The same 137 tables with all their activities: those of another dataset are never right."""
    query = f"""
        SELECT dataset || '_' || subject || '_' || body_part AS "table",
            coalesce(activity_common, dataset || '_' || activity) AS label,
            * EXCLUDE (dataset, subject, body_part, activity, activity_common)
        FROM '{context.file("har/har54.parquet")}'
    """
    yield _draw(context, "har54_all", query, targets=24, partition_size=300)


def dsads81(context: Context) -> Iterator[Draw]:
    """UCI DSADS alone: 8 people, 5 body parts, 19 activities, the paper's 81 features."""
    query = f"""
        SELECT subject || '_' || body_part AS "table", activity AS label, * EXCLUDE (subject, body_part, segment, activity)
        FROM '{context.file("har/dsads81.parquet")}'
    """
    yield _draw(context, "dsads81", query, targets=30, partition_size=300)


def wisdm(context: Context) -> Iterator[Draw]:
    """WISDM v1.1: 36 people with a phone in a pocket, 6 activities, 43 features."""
    query = f"""
        SELECT 'person_' || subject AS "table", activity AS label, * EXCLUDE (subject, activity)
        FROM '{context.file("har/wisdm.parquet")}'
    """
    yield _draw(context, "wisdm", query, targets=18, partition_size=50)


def _draw(context: Context, name: str, query: str, *, targets: int, partition_size: int) -> Draw:
    data = read(query)
    rng = context.rng(name)
    groups = {str(key): group.drop(columns="table").reset_index(drop=True) for key, group in data.groupby("table", sort=True)}
    groups = {key: group for key, group in groups.items() if len(group) >= 50}
    if context.fast:
        kept = sorted(rng.choice(sorted(groups), 6, replace=False))
        groups = {key: groups[key].sample(min(600, len(groups[key])), random_state=context.seed) for key in kept}
        targets = 2
    chosen = sorted(rng.choice(sorted(groups), min(targets, len(groups)), replace=False))
    outcome = context.cached(f"{name}-trees", lambda: _outcome(context, name, groups))
    return Draw(
        name=name,
        tables={key: pa.Table.from_pandas(group.drop(columns="label"), preserve_index=False) for key, group in groups.items()},
        models=list(groups),
        targets={target: [model for model in groups if model != target] for target in chosen},
        outcomes={"trees": outcome},
        settings={"partition_size": partition_size},
        tune=frozenset(rng.permutation(chosen)[: len(chosen) // 3]),
    )


def _outcome(context: Context, name: str, groups: dict[str, pd.DataFrame]) -> Outcome:
    order = list(groups)
    everything = np.concatenate([_features(groups[key]) for key in order])
    labels = np.concatenate([groups[key]["label"].to_numpy() for key in order])
    edges = np.cumsum([0] + [len(groups[key]) for key in order])
    rows: dict[str, dict[str, float]] = {}
    source: dict[str, float] = {}
    for key in order:
        features, label = _features(groups[key]), groups[key]["label"].to_numpy()
        held_out = context.rng(name, key, "held out").random(len(label)) < 0.3
        model: Any = ExtraTreesClassifier(40, random_state=context.seed, max_features="sqrt", n_jobs=1)
        model.fit(features[~held_out], label[~held_out])
        right = model.predict(everything) == labels
        rows[key] = {other: float(right[edges[i] : edges[i + 1]].mean()) for i, other in enumerate(order)}
        i = order.index(key)
        source[key] = float(right[edges[i] : edges[i + 1]][held_out].mean())
    return Outcome(matrix(rows), pd.Series(source))


def _features(group: pd.DataFrame) -> np.ndarray[Any, Any]:
    values = group.drop(columns="label").to_numpy(dtype=np.float64)
    finite: np.ndarray[Any, Any] = np.nan_to_num(values, nan=0.0, posinf=1e9, neginf=-1e9).astype(np.float32)
    return finite
