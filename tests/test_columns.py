"""What numpy tells of columns of numbers of many datasets, beside slow equations of each by itself."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from math import floor, inf, isfinite, isnan, nan

import numpy as np
import pytest

import modelhub_sql
from modelhub_sql import registering
from modelhub_sql.udfs.columns import elements, sampled
from modelhub_sql.udfs.dyadic import number_bins

#: Of each dataset the cells, None where one is missing.
DATASETS: list[list[float | None]] = [
    [*map(float, range(100))],
    [5.0] * 3,
    [0.0, -0.0, None],
    [None, None],
    [nan, nan, 1.0, None, inf],
    [nan],
    [-inf, inf, inf],
    [1e300, -1e300, 5e-324, -5e-324, 1.0],
    [1e15, 1e15 + 1, 1e15 + 2, 0.0],
    [-(2.0**40), -(2.0**40) + 0.001, 3.0, 3.25, 3.5, 3.75],
    [float(each) for each in np.random.default_rng(0).normal(10, 3, 400)],
    [float(each) for each in np.random.default_rng(1).standard_cauchy(400)],
    [float(each) for each in np.random.default_rng(2).integers(0, 3, 50)],
]


def cells(datasets: list[list[float | None]]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Values, what is missing, numbers of rows, and where each dataset begins."""
    flat = [cell for dataset in datasets for cell in dataset]
    missing = np.array([cell is None for cell in flat])
    values = np.array([0.5 if cell is None else cell for cell in flat])
    rows = np.concatenate([np.arange(len(dataset)) for dataset in datasets])
    return values, missing, rows, np.cumsum([0, *map(len, datasets)])


def test_what_a_sample_tells_is_what_the_sql_says() -> None:
    told = sampled(*cells(DATASETS))
    with modelhub_sql.connect() as hub:
        for place, dataset in enumerate(DATASETS):
            numbers = [cell for cell in dataset if cell is not None]
            finite = sorted(cell for cell in numbers if isfinite(cell))
            ((resolution,),) = hub._own.execute(
                f"SELECT {hub._place.logic}._logic.resolution(?::DOUBLE[])", [finite]
            ).fetchall()  # fmt: skip
            assert {"k": told.k[place], "b": told.b[place]} == resolution, dataset
            values = Counter("nan" if isnan(cell) else cell for cell in numbers)
            found = [len(numbers), len(values), *([*values.values()].count(n) for n in (1, 2))]
            assert [told.cells[place], told.found[place], told.once[place], told.twice[place]] == found, dataset
    assert (told.least[0], told.most[0]) == (0, 0)
    assert (told.least[1], told.most[1]) == (3, 5)
    assert [isnan(told.least[place]) for place in (4, 5)] == [False, True]
    assert [isnan(told.most[place]) for place in (4, 5)] == [True, True]


@pytest.mark.parametrize("parts", [1, 3])
def test_bins_occur_as_often_as_they_are_counted_one_by_one(parts: int) -> None:
    values, missing, rows, starts = cells(DATASETS)
    values[missing] = nan
    told = sampled(values, missing, rows, starts)
    found = elements(values, rows % parts, starts, told.k, told.b)
    wanted: Counter[tuple[int, int, float | str]] = Counter()
    for place, dataset in enumerate(DATASETS):
        k, b = int(told.k[place]), int(told.b[place])
        for row, cell in enumerate(dataset):
            value = nan if cell is None else cell
            wanted[place, row % parts, "missing" if isnan(value) else float(number_bins(np.array([value]), k, b)[0])] += 1
            if isfinite(value) and abs(value) < 2.0 ** min(1023, k + b + 1):
                # Exactly: the multiple of the quantum that is not above it.
                bin_ = floor(Fraction(value) / Fraction(2) ** k) * Fraction(2) ** k
                assert Fraction(float(number_bins(np.array([value]), k, b)[0])) == bin_
    made = zip(found.dataset, found.partition, found.bin, found.occurrences, strict=True)
    assert {(d, p, "missing" if isnan(each) else each): n for d, p, each, n in made} == wanted
    assert len(found.bin) == len(wanted)


def test_cells_that_wait_are_fewer_where_memory_is_little() -> None:
    with modelhub_sql.connect() as hub:
        for limit, most in {"8GB": 4e6, "128MB": 1e6}.items():
            hub.con.execute(f"SET memory_limit = '{limit}'")
            assert registering.Registering(hub)._most_cells() == pytest.approx(most, rel=0.01)
