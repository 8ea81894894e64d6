"""Of many datasets with names of their own, those that are compared by their values: the estimate, and what it leaves out."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from conftest import both_ways

import modelhub_sql
from modelhub_sql.udfs import cells, dyadic, estimates
from modelhub_sql.udfs.features import Histograms

Floats = np.ndarray[Any, np.dtype[np.float64]]


def features(drawn: list[tuple[Floats, int, int]], text: bool = False) -> cells.Features:
    """Features of values, each at its resolution (k, b)."""
    counted = [np.unique(values if text else dyadic.number_bins(values, k, b), return_counts=True) for values, k, b in drawn]
    starts = np.concatenate([[0], np.cumsum([len(bins) for bins, _ in counted])])
    held = Histograms(
        np.array([float(len(values)) for values, *_ in drawn]), starts, *(np.concatenate(side) for side in zip(*counted, strict=True))
    )  # fmt: skip
    k, b = (np.array([-1 if text else each[side] for each in drawn]) for side in (1, 2))
    return cells.Features(held, k, b, np.zeros(len(drawn)), np.empty((len(drawn), 0), np.uint32))


def drawn(rng: np.random.Generator, how_many: int) -> list[tuple[Floats, int, int]]:
    found = []
    for _ in range(how_many):
        k = int(rng.integers(-4, 5))
        values = rng.normal(rng.normal(0, 3) * 2.0**k, 8 * 2.0**k, rng.integers(20, 300))
        found.append((values, k, 9))
    return found


@pytest.mark.parametrize("text", [False, True])
def test_coefficients_are_those_of_the_values_at_about_the_coarser_resolution(text: bool) -> None:
    rng = np.random.default_rng(0)
    if text:
        sources, targets = ([(rng.integers(0, 40, rng.integers(5, 80)).astype(float), 0, 0) for _ in range(n)] for n in (30, 7))
    else:
        sources, targets = drawn(rng, 60), drawn(rng, 9)
    mine, theirs = features(sources, text), features(targets, text)
    of_targets = estimates.grids(cells.TEXT if text else cells.NUMBER, theirs)
    order = np.concatenate([grid.targets for grid in of_targets])
    assert sorted(order.tolist()) == list(range(len(targets)))
    rows = rng.permutation(len(sources))
    found = estimates.coefficients(mine, rows, of_targets)
    compared = 0
    for (at, row), (column, target) in itertools.product(enumerate(rows.tolist()), enumerate(order.tolist())):
        (x, k, _), (y, target_k, _) = sources[row], targets[target]
        # A feature of the target may be taken at the next coarser resolution, together with others that have that.
        right = []
        for level in (target_k, target_k + 1):
            one, other = (Counter((v if text else dyadic.number_bins(v, max(k, level), 9)).tolist()) for v in (x, y))
            right.append(sum((one[bin] * other[bin] / len(x) / len(y)) ** 0.5 for bin in one))
        if abs(k - target_k) <= estimates.STEPS - 1 or text:
            assert any(found[at, column] == pytest.approx(each, abs=1e-5) for each in right)
            compared += 1
        elif abs(k - target_k) > estimates.STEPS + 1:
            assert found[at, column] == 0
    assert compared > 50


def test_the_widest_bins_have_none_that_are_wider() -> None:
    far = features([(np.array([1.7e308, -1.7e308, 0.0]), 1022, 1), (np.array([1.7e308, 1.6e308]), 1021, 1)])
    of_targets = estimates.grids(cells.NUMBER, far)
    found = estimates.coefficients(far, np.arange(2), of_targets)
    assert np.diag(found[:, np.argsort(np.concatenate([grid.targets for grid in of_targets]))]).tolist() == pytest.approx([1, 1])


def matched(apart: list[list[float]], js: float, own_share: float | None, parts: int = 1) -> float:
    """What the features of one dataset are likely to match, which come in as many parts."""
    nearest = estimates.Nearest(1, len(apart[0]))
    for part in np.array_split(np.array(apart, np.float32), parts):
        nearest.add(part, np.array([0]), np.array([0]), js)
    ((found,),) = (nearest.matches(js, own_share).tolist(),)
    return float(found)


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_a_likely_match_is_the_nearest_of_both_sides_and_clearly_nearer_than_the_next(parts: int) -> None:
    alone = [[0.01, 0.9], [0.9, 0.9], [0.8, 0.9]]
    assert matched(alone, 0.1, 0.8, parts) == pytest.approx(0.99**2, abs=1e-6)
    # As near to another feature of the dataset, or of the target.
    assert matched([[0.01, 0.9], [0.9, 0.9], [0.01, 0.9]], 0.1, 0.8, parts) == 0
    assert matched([[0.01, 0.01], [0.9, 0.9], [0.8, 0.9]], 0.1, 0.8, parts) == 0
    # Which is no hindrance where that is not asked: one of them, or both.
    assert matched([[0.01, 0.9], [0.9, 0.9], [0.02, 0.9]], 0.1, None, parts) == pytest.approx(0.99**2, abs=1e-6)
    # Two of each side, and the second is not the nearest of its own.
    assert matched([[0.01, 0.9], [0.9, 0.02], [0.05, 0.9]], 0.1, 0.8, parts) == pytest.approx(0.99**2 + 0.98**2, abs=1e-6)
    # Too far, and in part.
    assert matched([[0.14, 0.9], [0.9, 0.9], [0.8, 0.9]], 0.1, 0.8, parts) == 0
    assert 0 < matched([[0.11, 0.9], [0.9, 0.9], [0.8, 0.9]], 0.1, 0.8, parts) < 0.7 * 0.89**2


def table(rng: np.random.Generator, prefix: str, shift: float = 0) -> pa.Table:
    """Three numbers, a time and words, of names of their own; of those of no shift they are alike."""
    words = np.array(["plum", "pear", "fig", "lime", "quince", "medlar", "sloe", "date"])[rng.integers(0, 8, 300)]
    return pa.table(
        {
            f"{prefix}a": rng.normal(shift, 1, 300),
            f"{prefix}b": rng.gamma(2, 30 + 10 * shift, 300),
            f"{prefix}c": rng.normal(1000 * (1 + shift), 3, 300),
            f"{prefix}t": pa.array((1.6e15 + 1e13 * (1 + shift) * rng.random(300)).astype("int64"), pa.timestamp("us")),
            f"{prefix}w": [f"{word} {'jam' if shift < 1 else 'pie'}" for word in words],
        }
    )


def test_many_datasets_of_other_names_are_compared_where_they_may_be_near(tmp_path: Any) -> None:
    rng = np.random.default_rng(1)
    with modelhub_sql.connect(tmp_path / "h.duckdb", max_candidates=2) as hub:
        shifts = [5 + place for place in range(14)]
        shifts[6] = shifts[11] = 0
        hub.register_many([{"name": f"m{i}", "dataset": table(rng, f"d{i}", shift)} for i, shift in enumerate(shifts)])
        target = table(rng, "x")
        listed = (
            "SELECT model, round(distance, 9) FROM find_models('target', all_models := true, max_candidates := {}) ORDER BY ALL"
        )
        all_compared = both_ways(hub, target, listed.format(14))
        found = both_ways(hub, target, listed.format(2))
        assert {model for model, _ in found} == {"m6", "m11"}
        assert set(found) <= set(all_compared)
        # Step by step, and again where all are compared.
        for most, compared in ((2, 10), (14, 14), (2, 10)):
            hub.steps(target, max_candidates=most)
            assert len(hub.step("possible_dataset")) == 14
            assert len(hub.step("promising_dataset")) == compared
        assert len({row["dataset_id"] for row in hub.step("feature_match").dicts()}) <= 10
        # What is asked for could leave out all that the estimate puts first.
        options: dict[str, Any]
        for options in ({"min_overlap": 0.1}, {"max_divergence": 0.5}, {"features": "values"}):
            hub.steps(target, **options)
            assert len(hub.step("promising_dataset")) == 14
        hub.steps(target)
        ids = [{row["dataset_id"] for row in hub.step(f"{which}_dataset").dicts()} for which in ("possible", "promising")]
        ((left_out,),) = hub.con.execute("SELECT model FROM models WHERE dataset_id = ?", [min(ids[0] - ids[1])]).fetchall()
        dropped = hub.explain_model(left_out, target).select("dropped").fetchall()
        assert dropped[0] == ("2 others are nearer (max_candidates)",)


def test_what_has_its_match_by_name_counts_in_the_estimate() -> None:
    rng = np.random.default_rng(2)
    with modelhub_sql.connect(max_candidates=1) as hub:
        # By name three of four are the same; the others have one that is alike, of another name.
        near = {"a": rng.normal(0, 1, 400), "b": rng.normal(50, 9, 400), "c": rng.gamma(3, 2, 400)}
        hub.register("by name", pa.table(near | {"other": rng.normal(-4e5, 1, 400)}))
        for place in range(9):
            own = {f"{place}_{name}": rng.normal(1e4 * place + 1e3, 1, 400) for name in "abc"}
            hub.register(f"by value {place}", pa.table(own | {f"{place}_d": rng.normal(7, 2, 400)}))
        target = pa.table(near | {"d": rng.normal(7, 2, 400)})
        hub.steps(target)
        assert len(hub.step("promising_dataset")) == 5
        assert hub.find_models(target).select("model").fetchall() == [("by name",)]
