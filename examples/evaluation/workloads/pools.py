"""Pools: models in different hands. Of each domain several, of different size and quality, in part with columns of their own.

Each domain's rows are halved: models are trained on samples of one half (60 rows to all of it; one of three on labels of which a
fifth to two fifths are wrong), targets are the other. In ``pool_..._columns`` half of the models and targets have two columns in
another unit, and a quarter lack a column, or have it under another name or as text. Names and text are no hindrance to the
models (who serves them converts these), units are, which nobody sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.preprocessing import OrdinalEncoder

from examples.evaluation.tasks import Context, Draw, Outcome, Workload, matrix, read
from examples.evaluation.workloads.packages import cps, diamonds

__all__ = ["BASES", "pool"]

LEAST_ROWS, MOST_ROWS = 60, 1500
INCH = 2.54


def _adult(context: Context, domain: str) -> pd.DataFrame:
    path = context.file("tabular/adult.parquet")
    return read(f"SELECT * EXCLUDE (split, fnlwgt) FROM '{path}' WHERE {domain} IS NOT NULL")


def _loans(context: Context) -> pd.DataFrame:
    left_out = "sub_grade, interest_rate, emp_title, balance, paid_total, paid_principal, paid_interest, paid_late_fees"
    return read(
        f"SELECT * EXCLUDE ({left_out}) FROM '{context.file('tabular/loans_full_schema.parquet')}' WHERE state IS NOT NULL"
    )


def _sensors(context: Context) -> pd.DataFrame:
    return read(f"""
        SELECT dataset || '_' || subject || '_' || body_part AS domain, activity_common,
            * EXCLUDE (dataset, subject, body_part, activity, activity_common)
        FROM '{context.file("har/har54.parquet")}' WHERE activity_common IS NOT NULL
    """)


#: Name -> (data, domain, label).
BASES: dict[str, tuple[Callable[[Context], pd.DataFrame], str, str]] = {
    "adult_work": (partial(_adult, domain="workclass"), "workclass", "income"),
    "adult_country": (partial(_adult, domain="native_country"), "native_country", "income"),
    "loans": (_loans, "state", "grade"),
    "har54": (_sensors, "domain", "activity_common"),
    "diamonds": (lambda _: diamonds("price_class"), "clarity", "price_class"),
    "cps": (lambda _: cps(), "domain", "rich"),
}


@dataclass(frozen=True)
class Owner:
    """Who has a table: rows of the data, the share of wrong labels, whether two columns are in inches, and a column that is
    lacking, renamed or of another kind."""

    rows: np.ndarray[Any, np.dtype[np.intp]]
    noise: float = 0.0
    in_inches: bool = False
    changed: tuple[str, str] | None = None


def pool(name: str, columns: bool) -> Workload:
    """The workload of a base; columns: where tables differ in them."""

    def draws(context: Context) -> Iterator[Draw]:
        load, domain, label = BASES[name]
        data = load(context)
        data = data[data[label].notna()].reset_index(drop=True)
        workload = f"pool_{name}" + ("_columns" if columns else "")
        for draw in range(1 if context.fast else 2):
            yield _draw(context, workload, draw, data, domain, label, columns)

    return draws


def _draw(context: Context, workload: str, draw: int, data: pd.DataFrame, domain: str, label: str, columns: bool) -> Draw:
    rng = context.rng(workload, draw)
    features = data.drop(columns=[domain, label])
    counts = data[domain].value_counts()
    chosen = sorted(
        rng.choice(sorted(key for key, rows in counts.items() if rows >= 240), min(8, (counts >= 240).sum()), replace=False)
    )
    numbers = [c for c in features if pd.api.types.is_numeric_dtype(features[c]) and features[c].nunique() > 8]
    inches = sorted(rng.choice(numbers, min(2, len(numbers)), replace=False))

    def owner(rows: np.ndarray[Any, np.dtype[np.intp]], noise: float) -> Owner:
        if not columns:
            return Owner(rows, noise)
        change = None
        if rng.random() < 0.25:
            change = (str(rng.choice(["lacks", "renames", "as text"])), str(rng.choice(numbers)))
        return Owner(rows, noise, bool(rng.random() < 0.5), change)

    models: dict[str, Owner] = {}
    targets: dict[str, Owner] = {}
    for key in chosen[:4] if context.fast else chosen:
        rows = rng.permutation(np.flatnonzero((data[domain] == key).to_numpy()))
        half = len(rows) // 2
        for number in range(4):
            size = half if number == 0 else int(np.exp(rng.uniform(np.log(LEAST_ROWS), np.log(half))))
            noise = float(rng.uniform(0.2, 0.4)) if rng.random() < 0.35 else 0.0
            models[f"{key} {number}"] = owner(rng.choice(rows[:half], min(size, MOST_ROWS), replace=False), noise)
        targets[f"target {key}"] = owner(rows[half:][:MOST_ROWS], 0.0)
    owners = {**models, **targets}
    outcome = context.cached(f"{workload}-{draw}", partial(_outcome, data, features, label, models, owners, inches, rng))
    return Draw(
        name=f"{workload}-{draw}",
        tables={
            name: pa.Table.from_pandas(_table(features, each, inches), preserve_index=False) for name, each in owners.items()
        },
        models=list(models),
        targets={name: list(models) for name in targets},
        outcomes={"trees": outcome},
        settings={"partition_size": 100},
    )


def _table(features: pd.DataFrame, owner: Owner, inches: list[str]) -> pd.DataFrame:
    """The columns as the owner has them."""
    table = features.iloc[owner.rows].copy()
    if owner.in_inches:
        table[inches] = table[inches].astype(float) / INCH
    if owner.changed is not None:
        how, column = owner.changed
        if how == "lacks":
            table = table.drop(columns=column)
        elif how == "renames":
            table = table.rename(columns={column: f"{column}_value"})
        else:
            table[column] = "about " + table[column].astype(float).round(1).astype(str)
    return table


def _outcome(
    data: pd.DataFrame,
    features: pd.DataFrame,
    label: str,
    models: dict[str, Owner],
    owners: dict[str, Owner],
    inches: list[str],
    rng: np.random.Generator,
) -> Outcome:
    texts = [c for c in features if not pd.api.types.is_numeric_dtype(features[c])]
    encoded = features.copy()
    if texts:
        encoded[texts] = OrdinalEncoder().fit_transform(features[texts].fillna("").astype(str))
    labels = data[label].astype(str).to_numpy()
    classes = np.unique(labels)

    def values(owner: Owner) -> np.ndarray[Any, Any]:
        table = encoded.iloc[owner.rows].astype(float)
        if owner.in_inches:
            table[inches] /= INCH
        if owner.changed is not None and owner.changed[0] == "lacks":
            table[owner.changed[1]] = -1.0
        filled: np.ndarray[Any, Any] = table.fillna(-1.0).to_numpy(dtype=np.float32)
        return filled

    asked = {name: (values(each), labels[each.rows]) for name, each in owners.items()}
    rows: dict[str, dict[str, float]] = {}
    source: dict[str, float] = {}
    for name, owner in models.items():
        x, truth = asked[name]
        told = truth.copy()
        wrong = np.flatnonzero(rng.random(len(told)) < owner.noise)
        # Another class than the true one.
        told[wrong] = classes[(np.searchsorted(classes, truth[wrong]) + rng.integers(1, len(classes), len(wrong))) % len(classes)]
        held_out = rng.random(len(told)) < 0.3
        model: Any = ExtraTreesClassifier(40, min_samples_leaf=2, random_state=1)
        model.fit(x[~held_out], told[~held_out])
        rows[name] = {other: float(np.mean(model.predict(there) == right)) for other, (there, right) in asked.items()}
        source[name] = float(np.mean(model.predict(x[held_out]) == told[held_out]))
    return Outcome(matrix(rows), pd.Series(source))
