"""A model with a column in other units never comes before the one whose units are the target's."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from scipy.stats import ks_2samp

import modelhub_sql

pytestmark = pytest.mark.once

Floats = npt.NDArray[np.float64]
Change = Callable[[Floats], Floats]
DAY, TEN_YEARS = 86400, 3653 * 86400

NUMBERS: list[Change] = [
    lambda x: x * 2.54, lambda x: x * 0.3937, lambda x: x * 1000, lambda x: x * 0.001, lambda x: x * 1.8 + 32,
    lambda x: x * 0.4536, lambda x: x / 60, lambda x: x * 100, lambda x: x * 1.609,
]  # fmt: skip
EPOCHS: list[Change] = [lambda x: x * 1000]
TIMES: list[Change] = [lambda x: x + TEN_YEARS, lambda x: x - TEN_YEARS]


class Column(NamedTuple):
    """What is drawn (times in seconds since 1970), how it is stored, the share that is missing, and other units for it."""

    drawn: Callable[[np.random.Generator, int], Floats]
    stored: Callable[[Floats], pa.Array]
    missing: float
    others: list[Change]


def numbers(rng: np.random.Generator) -> Callable[[np.random.Generator, int], Floats]:
    """A distribution of numbers, at any scale."""
    scale, shape = 10.0 ** rng.uniform(-3, 5), rng.uniform(1, 20)
    whole, wide = int(rng.integers(2, 300)), rng.uniform(0.1, 1.5)
    kinds: list[Callable[[np.random.Generator, int], Floats]] = [
        lambda own, n: scale * own.normal(shape, 1, n),
        lambda own, n: own.lognormal(math.log(scale), wide, n),
        lambda own, n: scale * own.uniform(shape, shape + 3, n),
        lambda own, n: own.poisson(shape, n).astype(float),
        lambda own, n: own.integers(whole, 2 * whole, n).astype(float),
    ]
    return kinds[rng.integers(len(kinds))]


def column(rng: np.random.Generator) -> Column:
    missing = float(rng.uniform(0.02, 0.6)) if rng.random() < 0.3 else 0.0
    start, span = rng.uniform(0, 1.6e9), rng.uniform(30, 5 * 365) * DAY

    def moments(own: np.random.Generator, n: int) -> Floats:
        return own.uniform(start, start + span, n)

    turn = rng.random()
    if turn < 0.1:
        return Column(moments, pa.array, missing, EPOCHS)
    if turn < 0.2:
        return Column(moments, lambda x: pa.array((x // DAY).astype(np.int32)).cast(pa.date32()), missing, TIMES)
    if turn < 0.3:
        return Column(moments, lambda x: pa.array((x * 1e6).astype(np.int64), pa.timestamp("us")), missing, TIMES)
    return Column(numbers(rng), pa.array, missing, NUMBERS)


def is_moved(own: Column, change: Change, rng: np.random.Generator) -> bool:
    """Whether other units move half of the column or more: what they move by less than its spread looks like chance."""
    return bool(ks_2samp(own.drawn(rng, 1000), change(own.drawn(rng, 1000))).statistic >= 0.5)


def drawn(columns: list[Column], words: int, rng: np.random.Generator, rows: int, changes: dict[int, Change]) -> pa.Table:
    """Rows of these columns, some in other units, and of so many columns of categories."""
    table: dict[str, Any] = {}
    for number, own in enumerate(columns):
        values = own.drawn(rng, rows)
        stored = own.stored(changes[number](values) if number in changes else values)
        table[f"x{number}"] = pa.compute.if_else(pa.array(rng.random(rows) < own.missing), pa.scalar(None, stored.type), stored)
    for number in range(words):
        table[f"c{number}"] = rng.choice([f"{word}{number}" for word in ("red", "green", "blue", "grey")], rows)
    return pa.table(table)


def seeds(most: int, *marks: pytest.MarkDecorator) -> Any:
    return pytest.param(most, marks=marks, id=f"{most} seeds")


@pytest.mark.parametrize("most", [seeds(4), seeds(100, pytest.mark.long)])
def test_a_model_in_other_units_never_comes_before_the_one_in_the_same(most: int) -> None:
    models: list[dict[str, Any]] = []
    targets = []
    for seed in range(most):
        rng = np.random.default_rng(seed)
        columns = [column(rng) for _ in range(rng.integers(2, 11))]
        words = int(rng.integers(0, 3))
        possible = [(number, change) for number, own in enumerate(columns) for change in own.others if is_moved(own, change, rng)]
        changes = dict(possible[i] for i in rng.choice(len(possible), rng.integers(1, 4)))
        one = dict([possible[rng.integers(len(possible))]])
        rows, few = (int(math.exp(rng.uniform(*np.log(sizes)))) for sizes in ((100, 3000), (300, 1000)))
        for name, of, units in (
            ("same", rows, {}), ("other", rows, changes), ("same, few", few, {}), ("other, many", 10 * few, one),
        ):  # fmt: skip
            dataset = drawn(columns, words, rng, of, units)
            # The better accuracy does not help.
            for accuracy in (None, 0.6 if name.startswith("same") else 0.99):
                models.append({"name": f"{name}, {accuracy}", "version": f"{seed}", "dataset": dataset, "accuracy": accuracy})
                models[-1]["task"] = f"{seed}"
        targets.append(drawn(columns, words, rng, int(math.exp(rng.uniform(*np.log((100, 3000))))), {}))
    compared = 0
    with modelhub_sql.connect() as hub:
        hub.register_many(models)
        for seed, target in enumerate(targets):
            found = hub.find_models(target, all_models=True, task=f"{seed}").select("model, rank").fetchall()
            ranks: dict[str, int] = dict(found)
            assert len(ranks) == 8
            for accuracy in (None, 0.6):
                for size, other in (("", "other"), (", few", "other, many")):
                    for theirs in (None, 0.99):
                        assert ranks[f"same{size}, {accuracy}"] < ranks[f"{other}, {theirs}"], (seed, ranks)
                        compared += 1
    assert compared == 8 * most
