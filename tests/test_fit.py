"""What a ranking must hold: told apart or the same, what is missing or excluded, and that nobody else decides."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from conftest import both_ways, data

import modelhub_sql

Floats = npt.NDArray[np.float64]

#: Verdict of each feature alone, and its distance.
VERDICTS = """
    SELECT t.feature, any_value(m.distance), _logic.verdict(any_value(m.distance), sum(_logic.expected_term(n, a, c)), sqrt(sum(_logic.variance_term(n, a, c))))
    FROM (
        SELECT target_feature_id, a, c, bin, sum(n) AS n
        FROM (
            SELECT m.target_feature_id, f."values" AS a, t."values" AS c, _logic.number_bin(unnest(f.bins), m.k, m.b) AS bin, unnest(f.counts) AS n
            FROM feature_match AS m JOIN target_feature AS t ON t.feature_id = m.target_feature_id
            JOIN features AS f ON f.dataset_id = m.dataset_id AND f.feature_id = m.feature_id
            UNION ALL
            SELECT m.target_feature_id, f."values", t."values", _logic.number_bin(unnest(t.bins), m.k, m.b), unnest(t.counts)
            FROM feature_match AS m JOIN target_feature AS t ON t.feature_id = m.target_feature_id
            JOIN features AS f ON f.dataset_id = m.dataset_id AND f.feature_id = m.feature_id
        )
        GROUP BY ALL
    )
    JOIN feature_match AS m USING (target_feature_id)
    JOIN target_feature AS t ON t.feature_id = target_feature_id
    GROUP BY t.feature, t.feature_id
    ORDER BY t.feature_id ASC
"""


def by_feature(source: dict[str, Any], target: dict[str, Any]) -> dict[str, tuple[float, str]]:
    """Distance and verdict of each feature alone: what a model of that one feature would have."""
    with modelhub_sql.connect() as hub:
        hub.register("m", pa.table(source))
        hub.steps(pa.table(target), until="feature_match")
        for name in ("feature_match", "target_feature"):
            hub.con.register(name, hub.step(name).arrow())
        return {feature: (distance, verdict) for feature, distance, verdict in hub.sql(VERDICTS)}


def test_what_is_ten_standard_deviations_apart_is_told_apart() -> None:
    rng = np.random.default_rng(0)

    def day(year: int, n: int) -> list[dt.datetime]:
        return [dt.datetime(year, 1, 1) + dt.timedelta(seconds=int(s)) for s in rng.integers(0, 365 * 86400, n)]

    def spell(year: int, n: int) -> dict[str, Any]:
        return {
            "around 1000": rng.normal(1000 if year == 2008 else 1010, 1, n),
            "year of birth": rng.integers(1950, 1960, n) if year == 2008 else rng.integers(2010, 2020, n),
            "rate": rng.lognormal(math.log(1e-6 if year == 2008 else 1e-3), 0.3, n),
            "epoch": [int(at.timestamp()) for at in day(year, n)],
            "timestamp": day(year, n),
            "date": [at.date() for at in day(year, n)],
            "price": np.full(n, 9.99 if year == 2008 else 10.99),
            "version": np.full(n, 1000 if year == 2008 else 1010),
            "constant or not": np.full(n, 1000.0) if year == 2008 else rng.normal(1010, 1, n),
            "temperature": rng.normal(-5 if year == 2008 else 5, 1, n),
            "balance": rng.normal(-1e6, 3, n) - (0 if year == 2008 else 30),
            "one day": [dt.date(year, 5, 1)] * n,
            "rare": [None if i % 499 else float(rng.normal(1000 if year == 2008 else 1010, 1)) for i in range(n)],
        }

    found = by_feature(spell(2008, 3000), spell(2020, 2500))
    assert len(found) == 13
    for name, (distance, verdict) in found.items():
        # Six values a side say less.
        assert (name, distance > 0.9, verdict) == (name, True, "partly" if name == "rare" else "far")


#: Values of standard deviation 1: even, skewed, of few values.
SHAPES: list[Callable[[np.random.Generator, int], Floats]] = [
    lambda rng, n: rng.normal(0, 1, n), lambda rng, n: rng.uniform(-1, 1, n) * 3**0.5, lambda rng, n: rng.exponential(1, n),
    lambda rng, n: rng.lognormal(0, 1, n) / ((math.e - 1) * math.e) ** 0.5, lambda rng, n: rng.standard_t(3, n) / 3**0.5,
    lambda rng, n: rng.poisson(4, n) / 2, lambda rng, n: rng.geometric(0.3, n) * 0.3 / 0.7**0.5,
    lambda rng, n: 2 * rng.integers(0, 2, n).astype(float),
]  # fmt: skip
#: Types of times, and the microseconds that they can tell.
TIMES = {
    pa.timestamp("s"): 1e6, pa.timestamp("ms"): 1e3, pa.timestamp("us"): 1, pa.timestamp("us", "Asia/Tokyo"): 1,
    pa.date32(): 86_400e6, pa.time64("us"): 1,
}  # fmt: skip


def apart(rng: np.random.Generator, most: int) -> tuple[pa.Array, pa.Array]:
    """Two columns whose distributions are the same but for ten standard deviations; as long, some shorter ones padded by NULL."""
    shape, sign = SHAPES[rng.integers(len(SHAPES))], rng.choice([-1, 1])
    type_ = list(TIMES)[rng.integers(len(TIMES))] if rng.random() < 0.4 else None
    if type_ is None:
        centre = rng.choice([0.0, -1.0, 1.0]) * 10.0 ** rng.uniform(-15, 15)
        # What a double tells apart there.
        deviation = max(10.0 ** rng.uniform(-12, 12), 16 * float(np.spacing(abs(centre))))
    else:
        is_of_day = type_ == pa.time64("us")
        centre = 12 * 3600e6 if is_of_day else rng.uniform(-5e15, 5e15)
        deviation = TIMES[type_] * 10.0 ** rng.uniform(0.6, 9 if is_of_day else 13.5 - math.log10(TIMES[type_]))
    sides = []
    for shift in (0, 10 * sign):
        rows = int(math.exp(rng.uniform(math.log(100), math.log(most))))
        values = np.pad(centre + deviation * (shape(rng, rows) + shift), (0, most - rows))
        missing = np.arange(most) >= rows
        if type_ is None:
            sides.append(pa.array(values, mask=missing))
        else:
            whole = np.round(values / TIMES[type_])
            integers = pa.array(whole.astype(np.int32 if type_ == pa.date32() else np.int64), mask=missing)
            sides.append(integers.cast(type_))
    return sides[0], sides[1]


@pytest.mark.parametrize("tables", [2, pytest.param(60, marks=[pytest.mark.long, pytest.mark.once])])
def test_ten_standard_deviations_are_told_apart_at_any_offset_and_scale(tables: int) -> None:
    for seed in range(tables):
        rng = np.random.default_rng(seed)
        pairs = [apart(rng, 2000) for _ in range(30)]
        source, target = ({f"x{number}": pair[side] for number, pair in enumerate(pairs)} for side in (0, 1))
        for name, (distance, verdict) in by_feature(source, target).items():
            assert (seed, name, distance > 0.9, verdict) == (seed, name, True, "far")


def measured(rng: np.random.Generator, rows: int) -> dict[str, Any]:
    return {
        "height": rng.normal(170, 10, rows), "weight": rng.lognormal(4.2, 0.2, rows), "income": rng.lognormal(10, 0.8, rows),
        "children": rng.poisson(1.4, rows), "degrees": rng.normal(15, 8, rows),
    }  # fmt: skip


@pytest.mark.once
def test_what_is_sampled_twice_is_called_the_same() -> None:
    rng = np.random.default_rng(2)
    kinds: dict[str, Any] = {
        "normal": lambda n: rng.normal(5, 2, n), "lognormal": lambda n: rng.lognormal(2, 1, n), "counts": lambda n: rng.poisson(3, n),
        "mostly 0": lambda n: np.where(rng.random(n) < 0.9, 0, rng.normal(10, 3, n)), "yes": lambda n: rng.random(n) < 0.02,
        "heavy": lambda n: rng.standard_cauchy(n), "city": lambda n: rng.choice([f"c{i}" for i in range(30)], n),
        "note": lambda n: [" ".join(words) for words in rng.choice([f"w{i}" for i in range(200)], (n, 4))],
        "at": lambda n: pa.array(rng.integers(0, 10**15, n), pa.timestamp("us")),
    }  # fmt: skip

    def drawn(names: list[str], rows: int) -> pa.Table:
        return pa.table({name: kinds[name](rows) for name in names})

    sizes = [100, 100_000, *np.exp(rng.uniform(np.log(100), np.log(20_000), 23)).astype(int)]
    targets = [
        [*kinds],
        [*kinds],
        ["normal"],
        ["lognormal", "counts"],
        ["city", "note"],
        ["heavy", "at"],
        ["mostly 0", "yes"],
        ["yes"],
    ]
    with modelhub_sql.connect() as hub:
        hub.register_many([{"name": f"m{i}", "dataset": drawn([*kinds], int(rows))} for i, rows in enumerate(sizes)])
        verdicts: list[str] = []
        for names, rows in zip(targets, (100, 20_000, 400, 1500, 800, 100_000, 100, 600), strict=True):
            verdicts += [row["verdict"] for row in hub.find_models(drawn(names, rows), all_models=True).dicts()]
    # 200 draws, 0.99 expected: 0.95 is more than five standard deviations below (each target is shared by 25).
    assert len(verdicts) == 200
    assert verdicts.count("same") / len(verdicts) >= 0.95
    assert "far" not in verdicts


def distribution(rng: np.random.Generator) -> Callable[[np.random.Generator, int], Any]:
    """A distribution of numbers, times, categories or text, with parameters and a share of missing values of its own."""
    scale, wide, share = 10.0 ** rng.uniform(-6, 6), rng.uniform(0.1, 2.5), rng.uniform(0.001, 0.5)
    few, many = int(10 ** rng.uniform(0.3, 3)), int(10 ** rng.uniform(1.5, 4))
    frequent = 1 / np.arange(1, many + 1) ** rng.uniform(0, 1.5)
    words, weights = np.array([f"w{i}" for i in range(many)]), frequent / frequent.sum()
    length = int(rng.integers(2, 12))
    kinds: list[Callable[[np.random.Generator, int], Any]] = [
        lambda own, n: own.normal(1 / scale, scale, n), lambda own, n: own.lognormal(3, wide, n), lambda own, n: own.standard_cauchy(n),
        lambda own, n: own.poisson(10 * wide, n), lambda own, n: own.integers(0, few, n), lambda own, n: own.zipf(1 + wide, n) * 1.0,
        lambda own, n: np.where(own.random(n) < share, own.normal(10, 3, n), 0), lambda own, n: own.lognormal(3, 1, n).round(1),
        lambda own, n: np.where(own.random(n) < share, own.normal(0, 1, n), own.normal(100, 20, n)), lambda own, n: own.random(n) < share,
        lambda own, n: pa.array(own.integers(0, 10**15, n), pa.timestamp("us")),
        lambda own, n: pa.array(own.integers(15000, 15000 + few, n).astype(np.int32)).cast(pa.date32()),
        lambda own, n: pa.array((own.uniform(0.2, 0.9, n) * 86_400e6).astype(np.int64)).cast(pa.time64("us")),
        lambda own, n: own.choice(words[:few], n), lambda own, n: own.choice(words, n, p=weights),
        lambda own, n: [" ".join(each) for each in own.choice(words, (n, length), p=weights)],
    ]  # fmt: skip
    drawn = kinds[rng.integers(len(kinds))]
    missing = float(rng.uniform(0, 0.9)) if rng.random() < 0.2 else 0.0

    def column(own: np.random.Generator, n: int) -> pa.Array:
        values = pa.array(drawn(own, n))
        return pa.compute.if_else(pa.array(own.random(n) < missing), pa.scalar(None, values.type), values)

    return column


@pytest.mark.once
@pytest.mark.long
def test_what_is_sampled_twice_is_called_the_same_whatever_it_is() -> None:
    verdicts: list[str] = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        columns = {f"x{number}": distribution(rng) for number in range(rng.integers(1, 13))}
        # One table of six is up to 100,000 rows, others up to 10,000.
        most = 10_000 if seed % 6 else 100_000
        tables = [
            pa.table({name: column(rng, rows) for name, column in columns.items()})
            for rows in np.exp(rng.uniform(math.log(100), math.log(most), 10)).astype(int)
        ]
        with modelhub_sql.connect() as hub:
            hub.register_many([{"name": f"{number}", "dataset": table} for number, table in enumerate(tables[2:])])
            for target in tables[:2]:
                verdicts += [row["verdict"] for row in hub.find_models(target, all_models=True).dicts()]
    assert len(verdicts) == 60 * 2 * 8
    assert verdicts.count("same") / len(verdicts) >= 0.95
    assert "far" not in verdicts


@pytest.mark.one_in(2)
@pytest.mark.once
@pytest.mark.parametrize("seed", range(2))
def test_other_models_change_no_score_and_no_order(seed: int) -> None:
    rng = np.random.default_rng(seed)

    def table(shift: float, names: list[str]) -> pa.Table:
        rows = int(rng.integers(50, 300))
        return pa.table({name: rng.normal(i + shift, 1 + i, rows) for i, name in enumerate(names)})

    target = table(0, ["a", "b", "c", "d"])
    scores: dict[str, float] = {}
    order: list[str] = []
    with modelhub_sql.connect(partition_size=50) as hub:
        for step in range(10):
            known = [name for (name,) in hub.sql("SELECT model FROM models")]
            if len(known) > 2 and rng.random() < 0.4:
                hub.remove(str(rng.choice(known)))
            else:
                names = [str(name) for name in rng.permutation(["a", "b", "c", "d", "e", "f"])[: rng.integers(1, 7)]]
                accuracy = float(rng.random()) if rng.random() < 0.5 else None
                hub.register(f"m{step}", table(float(rng.exponential(0.5)), names), accuracy=accuracy)
            found = hub.find_models(target, all_models=True, details=True).select("model, fit_score, verdict").fetchall()
            for model, score, _ in found:
                assert score == pytest.approx(scores.setdefault(model, score), abs=1e-12)
            listed = [model for model, *_ in found]
            assert [m for m in listed if m in order] == [m for m in order if m in listed]
            assert listed == sorted(listed, key=lambda model: scores[model])
            order = listed
    assert len(scores) >= 5


@pytest.fixture
def made(tmp_path: Path) -> modelhub_sql.Hub:
    return modelhub_sql.connect(tmp_path / "hub.duckdb", partition_size=100)


def test_what_is_missing_counts_1_and_what_the_owner_excluded_does_not_count(made: modelhub_sql.Hub) -> None:
    rng = np.random.default_rng(3)
    table = pa.table(measured(rng, 500) | {"Label": rng.choice(["yes", "no"], 500)})
    with made as hub:
        hub.register("whole", table)
        hub.register("excluding", table, exclude=["label", "INCOME"])
        hub.register("lacking", table.drop_columns(["Label", "income"]))
        hub.register("of another kind", table.set_column(2, "income", [pa.array([f"word{i % 7}" for i in range(500)])]))
        hub.register("excluding all", table.append_column("z", pa.array(range(500))), exclude=table.column_names)
        query = "SELECT model, round(distance, 9), shared_features, missing_features, overlap FROM find_models('target', all_models := true, details := true)"
        found = {row[0]: row[1:] for row in both_ways(hub, table, query)}
        assert found == {
            "whole": (0, 6, 0, 1), "excluding": (0, 4, 0, 1), "lacking": (round(2 / 6, 9), 4, 2, 4 / 6),
            "of another kind": (round(1 / 6, 9), 5, 1, 5 / 6),
        }  # fmt: skip
        ((dropped,),) = hub.explain_model("excluding all", table).select("dropped").fetchall()
        assert dropped == "no feature of the target counts: all are left out there"


def test_what_is_a_key_or_empty_in_the_rows_of_a_model_alone_does_not_count(made: modelhub_sql.Hub) -> None:
    rng = np.random.default_rng(5)

    def bought(rows: int) -> dict[str, Any]:
        return {"customer": [f"id{x}" for x in rng.integers(0, 10**5, rows)], "price": rng.normal(0, 1, rows)}

    rarely = [float(i) if i % 200 == 0 else None for i in range(3000)]
    nothing = {rows: pa.array([None] * rows, pa.float64()) for rows in (120, 9000)}
    numbered = {"number": np.arange(5000), "price": rng.normal(0, 1, 5000)}
    some = rng.permutation(5000)[:700]
    with made as hub:
        with pytest.warns(UserWarning, match="customer"):
            hub.register("key", pa.table(bought(120)))
        hub.register("empty", pa.table({"rare": nothing[120], "price": rng.normal(0, 1, 120)}))
        hub.register("always empty", pa.table({"rare": nothing[9000], "price": rng.normal(0, 1, 9000)}))
        hub.register("numbered", pa.table(numbered))
        query = "SELECT model, verdict, missing_features FROM find_models('target', all_models := true) ORDER BY model"

        def found(target: dict[str, Any]) -> dict[str, list[Any]]:
            return {model: rest for model, *rest in both_ways(hub, pa.table(target), query)}

        assert found(bought(3000))["key"] == ["same", 0]
        of_rare = found({"rare": rarely, "price": rng.normal(0, 1, 3000)})
        # Of 9,000 rows some 45 would have a value.
        assert (of_rare["empty"], of_rare["always empty"]) == (["same", 0], ["far", 1])
        assert found({name: values[some] for name, values in numbered.items()})["numbered"] == ["same", 0]
        # Of another kind it is another column.
        assert found({"number": [f"id{x % 9}" for x in some], "price": numbered["price"][some]})["numbered"] == ["far", 1]
        reasons = hub.explain("key", pa.table(bought(3000))).select("target_feature, reason").fetchall()
        assert dict(reasons)["customer"] == "the model's sketch left it out, a key or empty: it does not count"
        # Among themselves, too.
        hub.register("many customers", pa.table(bought(3000)))
        pairs = "SELECT dataset, missing_features FROM dataset_pairs WHERE target = 'many customers' ORDER BY ALL"
        assert dict(both_ways(hub, pa.table({"x": [1.0]}), pairs)) == {"always empty": 1, "empty": 1, "key": 0, "numbered": 1}


def test_features_of_one_name_and_kind_are_compared_however_far(made: modelhub_sql.Hub) -> None:
    with made as hub:
        hub.register("m", pa.table({"x": np.arange(300.0), "y": np.arange(300.0)}))
        target = pa.table({"X": np.arange(300.0) + 1e12, "y": np.arange(300.0)})
        found = both_ways(
            hub,
            target,
            "SELECT target_feature, matched_by, distance, reason FROM explain_features('m', 'target', details := true)",
        )
        assert found == [("y", "name", 0, None), ("X", "name", 1, "other values: other units?")]


def test_an_id_and_a_class_are_no_explanation(made: modelhub_sql.Hub) -> None:
    import pyarrow.parquet as pq

    restaurants = pq.read_table(data("fodors_zagats"))
    ids = pa.table({"left_business_id": np.arange(restaurants.num_rows), "left_name": restaurants["left_name"]})
    with made as hub:
        hub.register("restaurants", restaurants, exclude=["label", "split"])
        query = (
            "SELECT target_feature, source_feature, matched_by FROM explain_features('restaurants', 'target', details := true)"
        )
        assert both_ways(hub, ids, query) == [("left_name", "left_name", "name"), ("left_business_id", None, None)]


def test_equal_columns_of_other_names_are_nobodys_own(made: modelhub_sql.Hub) -> None:
    x = np.random.default_rng(4).lognormal(3, 1, 600)
    with made as hub:
        hub.register("two alike", pa.table({"a": x, "b": x}))
        hub.register("one", pa.table({"a": x, "b": -x}))
        query = "SELECT target_feature, source_feature FROM explain_features('{}', 'target')"
        assert both_ways(hub, pa.table({"z": x}), query.format("two alike")) == [("z", None)]
        assert both_ways(hub, pa.table({"z": x}), query.format("one")) == [("z", "a")]


def test_a_leaf_that_has_the_name_of_what_was_left_out_is_compared(made: modelhub_sql.Hub) -> None:
    with made as hub:
        hub.con.execute("CREATE TABLE hub_of_leaves AS SELECT i AS label, {label: i % 7} AS s FROM range(300) AS r(i)")
        hub.register("m", "hub_of_leaves", exclude=["label"])
        target = pa.table({"s": [{"label": i % 7} for i in range(200)], "label": [i % 7 for i in range(200)]})
        query = "SELECT shared_features, missing_features, verdict FROM find_models('target')"
        assert both_ways(hub, target, query) == [(1, 0, "same")]
