"""Which models are searched (task, framework, latest, where, max_candidates), and two models side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from conftest import both_ways

import modelhub_sql
from modelhub_sql import Hub, OptionError


def people(place: float, *, rows: int = 200) -> pa.Table:
    rng = np.random.default_rng(int(place * 10))
    return pa.table({"height": rng.normal(170 + place, 5, rows), "weight": rng.normal(70, 5, rows)})


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    """The farther the model, the later its letter; of each but the last there are two versions."""
    with modelhub_sql.connect(partition_size=100) as made:
        for place, name in enumerate("abcd"):
            about: dict[str, Any] = dict(task="size" if place % 2 else "gait", framework="xgboost" if place < 2 else "torch")
            made.register(name, people(place), accuracy=0.9 - place / 10, version="1", **about)
        for name in "abc":
            made.register(name, like=name, version="2", accuracy=0.5, task="gait")
        yield made


TARGET = people(0, rows=300)
EVERY = {("a", "1"), ("a", "2"), ("b", "1"), ("b", "2"), ("c", "1"), ("c", "2"), ("d", "1")}

CASES: list[tuple[dict[str, Any], str, set[tuple[str, str]]]] = [
    ({}, "", EVERY),
    ({"task": "size"}, "task := 'size'", {("b", "1"), ("d", "1")}),
    ({"framework": "torch"}, "framework := 'torch'", {("c", "1"), ("d", "1")}),
    ({"latest": True}, "latest := true", {("a", "2"), ("b", "2"), ("c", "2"), ("d", "1")}),
    ({"where": "source_accuracy > 0.75"}, '"where" := source_accuracy > 0.75', {("a", "1"), ("b", "1")}),
    # The column, whatever the argument of its name says; a comment ends where it should.
    (
        {"task": "gait", "where": "task = 'gait' AND version = '1' -- old"},
        "task := 'gait', \"where\" := task = 'gait' AND version = '1'",
        {("a", "1"), ("c", "1")},
    ),
    ({"latest": True, "where": "task = 'size'"}, "latest := true, \"where\" := task = 'size'", {("d", "1")}),
]


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("options", "in_sql", "expected"), CASES)
def test_only_such_models_are_searched(hub: Hub, options: dict[str, Any], in_sql: str, expected: set[tuple[str, str]]) -> None:
    found = hub.find_models(TARGET, all_models=True, **options).select("model, version").fetchall()
    assert set(found) == expected
    assert len(found) == len(expected)
    call = f"find_models('target', all_models := true{', ' if in_sql else ''}{in_sql})"
    assert {row[:2] for row in both_ways(hub, TARGET, f"SELECT model, version FROM {call}")} == expected


def test_what_is_not_searched_takes_no_place_among_the_candidates(hub: Hub) -> None:
    found = hub.find_models(TARGET, all_models=True, max_candidates=1, framework="torch", task="size")
    assert found.select("model").fetchall() == [("d",)]
    # Without the filter the nearest dataset takes the only place.
    assert {row["model"] for row in hub.find_models(TARGET, all_models=True, max_candidates=1).dicts()} == {"a"}
    # top asks for as many.
    with modelhub_sql.connect(max_candidates=1) as small:
        for place, name in enumerate("ab"):
            small.register(name, people(place))
        assert len(small.find_models(TARGET, all_models=True)) == 1
        assert len(small.find_models(TARGET, all_models=True, top=2)) == 2


def test_nothing_searched_says_what_there_is(hub: Hub) -> None:
    found = hub.find_models(TARGET, task="sizes")
    assert len(found) == 0
    assert found.summary == (
        "none of the hub's 7 models is searched: task, framework, latest or where leave all out; "
        "its tasks are gait, size; its frameworks are torch, xgboost"
    )
    (row,) = hub.explain_model("a", TARGET, task="size").dicts()
    assert row["rank"] is None
    assert "not searched" in row["dropped"]


@pytest.mark.parametrize(
    "where", ["accuracy > 1", "source_accuracy >", "true); DROP TABLE models; SELECT (true", "'perhaps'", 3, "1) OR (2"]
)
def test_a_condition_that_is_none_is_refused_and_nothing_is_changed(hub: Hub, where: Any) -> None:
    with pytest.raises(OptionError, match="where"):
        hub.find_models(TARGET, where=where)
    assert len(hub.models()) == len(EVERY)


def test_two_models_are_compared_feature_by_feature(hub: Hub) -> None:
    target = TARGET.append_column("age", pa.array(np.random.default_rng(1).normal(40, 9, 300)))
    rows = {row["target_feature"]: row for row in hub.compare("a", "d", target).dicts()}
    for name, prefix in (("a", ""), ("d", "other_")):
        own = {row["target_feature"]: row for row in hub.explain(name, target, details=True).dicts()}
        assert {feature: row[f"{prefix}distance"] for feature, row in rows.items()} == {
            feature: None if row["distance"] is None else round(row["distance"], 4) for feature, row in own.items()
        }
        # What a model lacks counts.
        assert own["age"]["counted_distance"] == 1
        counted = np.mean([row["counted_distance"] for row in own.values()])
        found = {row["model"]: row["distance"] for row in hub.find_models(target, all_models=True).dicts()}
        assert found[name] == pytest.approx(counted, abs=1e-4)
    assert (rows["height"]["nearer"], rows["age"]["nearer"]) == ("a", None)
    assert rows["height"]["summary"].startswith("a is nearer than d: distance ")
    assert hub.compare("d", "a", target).dicts()[0]["nearer"] == "a"
    answer = both_ways(
        hub, target, "SELECT target_feature, nearer, distance, other_distance, summary FROM compare('a', 'd', 'target')"
    )
    assert answer[0][0] == "height"
    # Versions of one model are two models.
    assert {row["nearer"] for row in hub.compare("a", "a", target, other_version="1").dicts()} == {None}
    with pytest.raises(OptionError, match="two models"):
        hub.compare("a", "a", target)
