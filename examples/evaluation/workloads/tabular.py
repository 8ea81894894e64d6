"""Tables of mixed types with natural domains: census by country and by employer, loans by state."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.preprocessing import OrdinalEncoder

from examples.evaluation.tasks import Context, Draw, Outcome, matrix, read

__all__ = ["adult_country", "adult_work", "loans", "trees_outcome"]


def adult_country(context: Context) -> Iterator[Draw]:
    """UCI Adult by country of birth: does a person earn more than 50,000 dollars a year?"""
    yield from _domains(context, "adult_country", "tabular/adult.parquet", "native_country", "income", ("split", "fnlwgt"))


def adult_work(context: Context) -> Iterator[Draw]:
    """UCI Adult by class of employer."""
    yield from _domains(context, "adult_work", "tabular/adult.parquet", "workclass", "income", ("split", "fnlwgt"))


def loans(context: Context) -> Iterator[Draw]:
    """Lending Club loans by state: the grade of a loan (A to G), from what is known of the borrower."""
    paid = ("balance", "paid_total", "paid_principal", "paid_interest", "paid_late_fees")
    left_out = ("sub_grade", "interest_rate", "emp_title", *paid)
    yield from _domains(context, "loans", "tabular/loans_full_schema.parquet", "state", "grade", left_out)


def _domains(context: Context, name: str, file: str, domain: str, label: str, left_out: tuple[str, ...]) -> Iterator[Draw]:
    data = read(f"FROM '{context.file(file)}' WHERE {domain} IS NOT NULL")
    data = data.drop(columns=[column for column in left_out if column in data])
    draws = 1 if context.fast else 2
    for draw in range(draws):
        rng = context.rng(name, draw)
        groups: dict[str, pd.DataFrame] = {}
        for key, group in data.groupby(domain, sort=True):
            if len(group) >= 100:
                # Three quarters of each domain, and at most 1,500 rows, differ from draw to draw.
                rows = min(400 if context.fast else 1500, int(len(group) * 0.75))
                groups[str(key)] = group.iloc[np.sort(rng.choice(len(group), rows, replace=False))].drop(columns=domain)
        if context.fast:
            groups = {key: groups[key] for key in list(groups)[:6]}
        chosen = sorted(rng.choice(list(groups), min(2 if context.fast else 8, len(groups)), replace=False))
        outcome = context.cached(f"{name}-{draw}", partial(trees_outcome, groups, label, rng, context.seed))
        yield Draw(
            name=f"{name}-{draw}",
            tables={key: pa.Table.from_pandas(group.drop(columns=label), preserve_index=False) for key, group in groups.items()},
            models=list(groups),
            targets={target: [model for model in groups if model != target] for target in chosen},
            outcomes={"trees": outcome},
            settings={"partition_size": 100},
            tune=frozenset(chosen) if draw > 0 else frozenset(),
        )


def trees_outcome(groups: dict[str, pd.DataFrame], label: str, rng: np.random.Generator, seed: int) -> Outcome:
    everything = pd.concat(groups.values(), keys=groups.keys(), names=["domain"]).reset_index(level=0)
    texts = [c for c in everything if c not in ("domain", label) and not pd.api.types.is_numeric_dtype(everything[c])]
    if texts:
        everything[texts] = OrdinalEncoder().fit_transform(everything[texts].fillna("").astype(str))
    features = everything.drop(columns=["domain", label]).fillna(-1.0).to_numpy(dtype=np.float32)
    domains, labels = everything["domain"].to_numpy(), everything[label].to_numpy()
    rows: dict[str, dict[str, float]] = {}
    source: dict[str, float] = {}
    for name in groups:
        mine = np.flatnonzero(domains == name)
        held_out = rng.random(len(mine)) < 0.3
        model: Any = ExtraTreesClassifier(60, min_samples_leaf=2, random_state=seed)
        model.fit(features[mine[~held_out]], labels[mine[~held_out]])
        right = model.predict(features) == labels
        rows[name] = {other: float(right[domains == other].mean()) for other in groups}
        source[name] = float(right[mine[held_out]].mean())
    return Outcome(matrix(rows), pd.Series(source))
