"""When does a model with a column in other units come before the one whose units are the target's?

    python examples/measurements/units.py [--tables 300] [--out results]

Each of the tables has 2 to 12 columns of made-up numbers (normal, lognormal, uniform, counts, whole numbers; some miss values)
and a target of 1,000 rows. Two models are compared at a time: one of rows of the same distributions, and one of rows of which one
column is multiplied by a factor: of usual units, or a small one. What it does is told as the share of the column's values that it
moves, the largest difference between the two cumulative distributions.

Written to results/units.md: how often the model in other units comes first, by the rows of both and by how much is moved.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

import modelhub_sql

ROWS = (50, 100, 200, 300, 500, 1000, 3000)
OTHER_ROWS = (*ROWS, 10_000)
USUAL = (2.54, 0.3937, 1000, 0.001, 0.4536, 2.2046, 1.609, 1 / 60, 100)
SMALL = (1.01, 1.02, 1.05, 1.1, 1.25)
MOVED = ((0, 0.05), (0.05, 0.1), (0.1, 0.25), (0.25, 0.5), (0.5, 1))
SIZES = ["2 to 4 columns", "5 to 8", "9 to 12"]
#: Of the model in the same units, and of the other.
ACCURACIES = (None, (0.6, 0.99))

Floats = npt.NDArray[np.float64]
Drawn = Callable[[np.random.Generator, int], Floats]

PAGE = """# Models in other units

Written by `python examples/measurements/units.py`: {tables} tables of 2 to 12 columns of numbers, a target of 1,000 rows each.
Two models: one has the target's units; in the data of the other one column is multiplied by a factor. In the tables is how
often, in per cent, the one in other units comes first.

## By rows

Factors that move at least half of the column's values ({much} of the tables). A row: rows of the model in the same units; a
column: of the other.

{plain}

The same, where the model in the same units is registered with an accuracy of {low}, and the other with {high}:

{known}

## By the number of columns

The same tables, the other model with 10,000 rows, no accuracy known. A row: rows of the model in the same units.

{features}

## By what the factor moves

All tables, no accuracy known. *Moved*: the largest difference between the two cumulative distributions of the column, 0 to 1.
Rows: of the model in the same units, and of the other. *Seen*: of the models in other units (10,000 rows), those that are not
called *same*.

{moved}
"""


def column(rng: np.random.Generator) -> tuple[Drawn, float]:
    """A distribution, and the share of its values that are missing."""
    scale, shape, wide = 10.0 ** rng.uniform(-3, 5), rng.uniform(1, 20), rng.uniform(0.1, 1.5)
    whole = int(rng.integers(2, 300))
    kinds: list[Drawn] = [
        lambda own, n: scale * own.normal(shape, 1, n), lambda own, n: own.lognormal(math.log(scale), wide, n),
        lambda own, n: scale * own.uniform(shape, shape + 3, n), lambda own, n: own.poisson(shape, n).astype(float),
        lambda own, n: own.integers(whole, 2 * whole, n).astype(float),
    ]  # fmt: skip
    return kinds[rng.integers(len(kinds))], float(rng.uniform(0.02, 0.6)) if rng.random() < 0.3 else 0.0


def moved(x: Floats, y: Floats) -> float:
    """The largest difference between two cumulative distributions of as many values."""
    both = np.sort(np.concatenate([x, y]))
    below = (np.searchsorted(np.sort(each), both, side="right") / len(each) for each in (x, y))
    return float(np.abs(next(below) - next(below)).max())


def compared(seed: int) -> list[dict[str, Any]]:
    """A row for each two models of a table, one in the same units and one in others, without accuracies and with."""
    rng = np.random.default_rng(seed)
    columns = [column(rng) for _ in range(rng.integers(2, 13))]
    changed, factor = int(rng.integers(len(columns))), float(rng.choice(USUAL if rng.random() < 0.7 else SMALL))

    def drawn(rows: int, factor: float = 1) -> pa.Table:
        values = [draw(rng, rows) * (factor if number == changed else 1) for number, (draw, _) in enumerate(columns)]
        return pa.table(
            {
                f"x{number}": pa.array(each, mask=rng.random(rows) < missing)
                for number, (each, (_, missing)) in enumerate(zip(values, columns, strict=True))
            }
        )

    sample = columns[changed][0](rng, 20_000)
    models = []
    for units, sizes in ((0, ROWS), (1, OTHER_ROWS)):
        for rows in sizes:
            dataset = drawn(rows, factor if units else 1)
            for known in ACCURACIES:
                accuracy = known[units] if known else None
                models.append({"name": f"{units} {rows} {accuracy}", "dataset": dataset, "accuracy": accuracy})
    with modelhub_sql.connect() as hub:
        hub.register_many(models)
        found = hub.find_models(drawn(1000), all_models=True).dicts()
    by_name = {row["model"]: row for row in found}
    pairs = []
    for known in ACCURACIES:
        same, other = known or (None, None)
        for rows in ROWS:
            for other_rows in OTHER_ROWS:
                theirs = by_name[f"1 {other_rows} {other}"]
                pairs.append({
                    "rows": rows, "other rows": other_rows, "known": known is not None, "features": len(columns),
                    "moved": moved(sample, sample * factor), "seen": theirs["verdict"] != "same",
                    "first": theirs["rank"] < by_name[f"0 {rows} {same}"]["rank"],
                })  # fmt: skip
    return pairs


def markdown(table: pd.DataFrame) -> str:
    """A table of shares, in per cent."""

    def named(name: Any) -> str:
        return f"{name:,}" if isinstance(name, int) else str(name)

    shown = [
        [named(name), *("-" if math.isnan(x) else f"{100 * x:.1f}" for x in row)]
        for name, row in zip(table.index, table.to_numpy(), strict=True)
    ]
    head = [str(table.index.name), *map(named, table.columns)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *shown))


def page(pairs: pd.DataFrame) -> str:
    """Results as Markdown. pairs: of ``compared``, of all tables."""
    much = pairs[pairs["moved"] >= 0.5]
    per_table = len(ACCURACIES) * len(ROWS) * len(OTHER_ROWS)
    plain, known = (
        much[much["known"] == each].pivot_table(index="rows", columns="other rows", values="first") for each in (False, True)
    )
    against = much[~much["known"] & (much["other rows"] == OTHER_ROWS[-1])]
    sizes = pd.cut(against["features"], [1, 4, 8, 12], labels=SIZES)
    features = against.assign(sizes=sizes.astype(str)).pivot_table(index="rows", columns="sizes", values="first")
    rows = {}
    for low, high in MOVED:
        part = pairs[~pairs["known"] & (pairs["moved"] >= low) & (pairs["moved"] < high + (high == 1))]
        of = {(own, other): each["first"].mean() for (own, other), each in part.groupby(["rows", "other rows"])}
        rows[f"{low} to {high} ({len(part) // (per_table // len(ACCURACIES))} tables)"] = {
            "300 and 300 rows": of.get((300, 300), math.nan), "3,000 and 3,000": of.get((3000, 3000), math.nan),
            "300 and 3,000": of.get((300, 3000), math.nan), "1,000 and 10,000": of.get((1000, 10_000), math.nan),
            "seen": part[part["other rows"] == OTHER_ROWS[-1]]["seen"].mean(),
        }  # fmt: skip
    low, high = next(each for each in ACCURACIES if each)
    return PAGE.format(
        tables=len(pairs) // per_table, much=len(much) // per_table, low=low, high=high, plain=markdown(plain),
        known=markdown(known), features=markdown(features.reindex(columns=SIZES)),
        moved=markdown(pd.DataFrame.from_dict(rows, orient="index").rename_axis("moved")),
    )  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="units.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=300, help="how many tables")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results", help="where the page goes")
    options = parser.parse_args(arguments)
    pairs = pd.DataFrame([pair for seed in range(options.tables) for pair in compared(seed)])
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "units.md").write_text(page(pairs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
