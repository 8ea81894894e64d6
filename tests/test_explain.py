"""Why: the reason of each feature, what dropped a model and by how much, and the answer in a sentence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from conftest import both_ways

import modelhub_sql

RNG = np.random.default_rng(0)
TEXTS = [f"word{i}" for i in range(12)]


def table(rows: int, **changes: Any) -> pa.Table:
    columns: dict[str, Any] = {
        "height": RNG.normal(170, 10, rows), "age": RNG.integers(18, 80, rows), "city": RNG.choice(TEXTS, rows),
        "since": [dt.datetime(2020, 1, 1) + dt.timedelta(hours=int(h)) for h in RNG.integers(0, 8760, rows)],
        "label": RNG.choice(["yes", "no"], rows),
    }  # fmt: skip
    columns |= changes
    return pa.table({name: column for name, column in columns.items() if column is not None})


MODELS: dict[str, Any] = {
    "alike": lambda: table(600),
    "inches": lambda: table(600, height=RNG.normal(170, 10, 600) / 2.54),
    "other words": lambda: table(600, city=RNG.choice([f"sign{i}" for i in range(12)], 600)),
    "aged in words": lambda: table(600, age=RNG.choice(TEXTS, 600)),
    "tall": lambda: table(600, height=None, stature=RNG.normal(170, 10, 600)),
    "without a label": lambda: table(600, label=None),
    "of 2030": lambda: table(600, since=[dt.datetime(2030, 1, 1) + dt.timedelta(hours=h) for h in range(600)]),
    "stranger": lambda: pa.table({"height": np.arange(600) + 1e6, "speed": np.arange(600.0)}),
}


@pytest.fixture(scope="module")
def reasons(tmp_path_factory: pytest.TempPathFactory) -> Iterator[modelhub_sql.Hub]:
    with modelhub_sql.connect(tmp_path_factory.mktemp("reasons") / "hub.duckdb", partition_size=200) as hub:
        for name, made in MODELS.items():
            hub.register(name, made(), exclude=["label"] if name == "alike" else [], accuracy=0.5)
        yield hub


@pytest.fixture(scope="module")
def target() -> pa.Table:
    return table(500)


@pytest.mark.parametrize(
    ("model", "feature", "matched_by", "reason"),
    [
        ("alike", "height", "name", None),
        ("alike", "label", None, "the model's owner left it out: it does not count"),
        ("inches", "height", "name", "other values: other units?"),
        ("other words", "city", "name", "other words"),
        ("aged in words", "age", None, "of that name the model has text, here it is number: it counts as wholly different"),
        ("tall", "height", "values", "another name, like in values"),
        ("without a label", "label", None, "the model has none: it counts as wholly different"),
        ("of 2030", "since", "name", "other values: other units?"),
    ],
)
def test_each_feature_says_why(
    reasons: modelhub_sql.Hub, target: pa.Table, model: str, feature: str, matched_by: str | None, reason: str | None
) -> None:
    rows = {row["target_feature"]: row for row in reasons.explain(model, target, details=True).dicts()}
    assert rows.keys() == set(target.column_names)
    found = rows[feature]
    assert (found["matched_by"], found["reason"]) == (matched_by, reason)
    assert found["distance"] is None if matched_by is None else 0 <= found["distance"] <= 1
    # What is matched comes first, the nearest of it at the top.
    distances = [row["distance"] for row in rows.values() if row["distance"] is not None]
    assert distances == sorted(distances)
    assert [row["distance"] for row in rows.values()][: len(distances)] == distances


def test_ranges_are_of_nine_tenths_of_the_values(reasons: modelhub_sql.Hub, target: pa.Table) -> None:
    rows = {row["target_feature"]: row for row in reasons.explain("inches", target, details=True).dicts()}
    for name, values in (("target_range", np.array(target["height"])), ("source_range", np.array(target["height"]) / 2.54)):
        low, high = (float(end) for end in rows["height"][name].split(" to "))
        assert (low, high) == pytest.approx(tuple(np.quantile(values, [0.05, 0.95])), rel=0.03)
    assert rows["since"]["target_range"].startswith("2020-01")
    assert rows["since"]["target_range"].split(" to ")[1].startswith("2020-12")
    assert rows["city"]["target_range"] is None


def test_ranges_of_whole_numbers_end_at_values_that_occur(hub: modelhub_sql.Hub) -> None:
    table = pa.table({"none": [0] * 300, "flag": [0, 1] * 150, "term": [36, 60] * 150, "year": [*range(1994, 2004)] * 30})
    hub.register("m", table)
    shown = {row["target_feature"]: row["target_range"] for row in hub.explain("m", table).dicts()}
    assert shown == {"none": "0", "flag": "0 to 1", "term": "36 to 60", "year": "1994 to 2003"}


def test_sql_alone_explains_the_same(reasons: modelhub_sql.Hub, target: pa.Table) -> None:
    columns = "target_feature, source_feature, matched_by, distance, js_divergence, jaccard, target_range, source_range, reason"
    for model in ("inches", "tall", "aged in words"):
        rows = both_ways(reasons, target, f"SELECT {columns} FROM explain_features('{model}', 'target', details := true)")
        steps = reasons.explain(model, target, details=True).select(columns).fetchall()
        assert [row[:3] + row[6:] for row in rows] == [row[:3] + row[6:] for row in steps]


def dropped(hub: modelhub_sql.Hub, model: str, target: pa.Table, **options: Any) -> tuple[int | None, str | None]:
    ((rank, why),) = hub.explain_model(model, target, **options).select("rank, dropped").fetchall()
    return rank, why


@pytest.mark.parametrize(
    ("model", "options", "why"),
    [
        ("alike", {}, None),
        ("stranger", {"min_overlap": 0.5}, "overlap 0.2 is not above min_overlap 0.5"),
        ("stranger", {"max_divergence": 0.3}, "JS divergence 0.6931 is above max_divergence 0.3"),
        ("stranger", {"min_adaptivity": 1}, "adaptivity 0 is below min_adaptivity 1"),
        ("stranger", {}, "far: distance 1 (all_models lists it)"),
    ],
)
def test_what_dropped_a_model_is_said_and_by_how_much(
    reasons: modelhub_sql.Hub, target: pa.Table, model: str, options: dict[str, Any], why: str | None
) -> None:
    rank, found = dropped(reasons, model, target, **options)
    assert found == why
    assert (rank is None) == (why is not None)
    listed = {row["model"] for row in reasons.find_models(target, **options).dicts()}
    assert (model in listed) == (why is None)


def test_what_shares_nothing_says_so(reasons: modelhub_sql.Hub) -> None:
    stranger = pa.table({"nobody has this": pa.array([19_000 + i for i in range(50)], pa.date32())})
    assert dropped(reasons, "alike", stranger) == (None, "shares no feature with the target")


def test_the_list_ends_where_far_begins_unless_all_models_are_asked_for(reasons: modelhub_sql.Hub, target: pa.Table) -> None:
    everything = reasons.find_models(target, all_models=True).select("rank, model, verdict").fetchall()
    near = reasons.find_models(target).select("rank, model, verdict").fetchall()
    assert "far" in {verdict for *_, verdict in everything}
    assert near == [(i, *row[1:]) for i, row in enumerate((row for row in everything if row[2] != "far"), 1)]
    # Ranked by anything else, nothing tells where the list should end.
    by_accuracy = reasons.find_models(target, rank_by="source_accuracy").select("rank, verdict").fetchall()
    assert [rank for rank, _ in by_accuracy] == list(range(1, len(everything) + 1))
    assert len(reasons.find_models(target, top=2)) == 2
    last = near[2][1]
    assert reasons.explain_model(last, target).select("rank, dropped").fetchall() == [(3, None)]


def test_a_label_that_most_models_do_without_is_suggested(hub: modelhub_sql.Hub) -> None:
    rng = np.random.default_rng(3)
    rows = {"x": rng.normal(size=300), "label": rng.integers(0, 2, 300), "fold_a": rng.integers(0, 9, 300)}
    with hub:
        for name, exclude in (("a", ["label", "fold_*"]), ("b", ["LABEL"]), ("c", ["x"])):
            hub.register(name, pa.table(rows), exclude=exclude)
        query = "SELECT DISTINCT summary FROM find_models('target')"
        ((told,),) = both_ways(hub, pa.table(rows), query)
        assert told.endswith("; most models here were trained without label: exclude it?")
        ((told,),) = both_ways(hub, pa.table(rows).drop_columns(["label"]), query)
        assert "exclude" not in told
        # What a pattern left out does not count either.
        assert hub.explain("a", pa.table(rows)).filter("reason LIKE '%owner left it out%'").select("target_feature").fetchall() == [
            ("label",), ("fold_a",),
        ]  # fmt: skip


def sentence(hub: modelhub_sql.Hub, target: pa.Table, **options: Any) -> str | None:
    return hub.find_models(target, **options).summary


def test_the_answer_is_a_sentence(reasons: modelhub_sql.Hub, target: pa.Table) -> None:
    found = reasons.find_models(target)
    best = found.dicts()[0]
    rows = min(best["source_rows"], target.num_rows)
    assert found.summary == f"{best['model']} fits: its data and the target are the same, as far as {rows} rows can tell"
    assert {row["summary"] for row in found.dicts()} == {found.summary}
    with modelhub_sql.connect(partition_size=200) as hub:
        assert sentence(hub, target) == "the hub has no model"
        x = np.random.default_rng(1).normal(10, 1, 3000)
        hub.register("m", pa.table({"x": x[:1500], "y": x[:1500] * 2, "z": x[:1500]}))
        near = pa.table({"x": x[1500:] + 0.4, "y": x[1500:] * 2, "z": x[1500:]})
        assert sentence(hub, near).startswith("m is close (distance 0.0")  # type: ignore[union-attr]
        partly = pa.table({"x": x[1500:] + 1, "y": x[1500:] * 2, "z": x[1500:]})
        told = sentence(hub, partly)
        assert told is not None
        assert told.startswith("m fits partly (distance 0.09), because x is 9.")
        assert told.endswith(" there")
        far = pa.table({"x": x[1500:] * 100, "y": x[1500:] * 2, "w": ["a"] * 1500})
        told = sentence(hub, far)
        assert told is not None
        assert told.startswith("nothing is close: the nearest is m (distance 0.67), because x is ")
        assert told.endswith(" there; it lacks 1 of 3 features")
        lacking = pa.table({"x": x[1500:], "v": ["a"] * 1500, "w": ["a"] * 1500})
        assert sentence(hub, lacking) == "nothing is close: the nearest is m (distance 0.67), because it has no v"
        assert sentence(hub, lacking, min_overlap=0.5) == (
            "no model is listed: m is the nearest, its overlap 0.3333 is not above min_overlap 0.5"
        )
        assert sentence(hub, pa.table({"u": ["a"]})) == "no model shares a feature with the target"
