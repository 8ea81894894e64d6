"""What models did on targets is kept in the hub, and says what a verdict costs there; no verdict changes by it."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner
from conftest import beside, normal, whole

import modelhub_sql
from modelhub_sql import HubReadOnlyError, ModelNotFoundError, OptionError, upkeep
from modelhub_sql.cli import main

USUAL = {"same": 0, "close": 0.08, "partly": 0.14, "far": 0.16}


@pytest.fixture(scope="module")
def recorded_path(empty_hub_path: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A hub of two models, of which one was measured on a target."""
    path = shutil.copy(empty_hub_path, tmp_path_factory.mktemp("recorded") / "hub.duckdb")
    with modelhub_sql.connect(path) as hub:
        hub.register("near", normal(300, 0, 1), accuracy=0.9)
        hub.register("far", normal(300, 3, 3), accuracy=0.8)
        hub.record("near", normal(250, 0.5, 7), 0.85, rows=50, source="shop")
    return str(path)


@pytest.fixture
def recorded(recorded_path: str, tmp_path: Path) -> Path:
    return Path(shutil.copy(recorded_path, tmp_path / "hub.duckdb"))


def put(path: Path, rows: list[tuple[Any, ...]]) -> None:
    """Outcomes as (verdict, target, target_rows, metric, score, source_accuracy) of the model near, as they are stored."""
    with duckdb.connect(str(path)) as con:
        con.executemany(
            "INSERT INTO _hub.outcomes SELECT 'near', '', $2, $3, $1, 0.1, 0.01, $4, $5, 50, $6, TIMESTAMP '2026-01-01'", rows
        )


def test_an_outcome_has_what_the_search_says_and_is_recorded_once(recorded: Path) -> None:
    target = normal(250, 0.5, 7)
    with modelhub_sql.connect(recorded) as hub:
        (judged,) = hub.explain_model("near", target).dicts()
        (row,) = hub.sql("FROM outcomes").dicts()
        assert {name: row[name] for name in ("model", "verdict", "distance", "expected_distance")} == {
            name: judged[name] for name in ("model", "verdict", "distance", "expected_distance")
        }
        assert [row[name] for name in ("target", "target_rows", "metric", "score", "rows", "source_accuracy")] == [
            "shop", 250, "accuracy", 0.85, 50, 0.9,
        ]  # fmt: skip
        hub.record("near", target, 0.8, source="shop")
        hub.record("near", target, 0.8, source="shop", metric="f1")
        assert [(row["metric"], row["score"], row["rows"]) for row in hub.outcomes().dicts()] == [
            ("f1", 0.8, None), ("accuracy", 0.8, None),
        ]  # fmt: skip
        assert hub.verify().fetchall() == []
        assert ("shop", "a target that was measured", 250) in hub.privacy().select("dataset, what, rows").fetchall()


def test_a_hub_says_what_a_verdict_cost_from_three_targets_on_and_changes_no_verdict(recorded: Path) -> None:
    target = normal(300, 0.05, 21)
    shown = "rank, model, verdict, distance"
    with modelhub_sql.connect(recorded, read_only=True) as hub:
        before = hub.find_models(target, all_models=True)
        assert [row["verdict"] for row in before.dicts()] == ["same", "far"]
        assert set(before.select("expected_loss").fetchall()) == {(None,)}
    lost = {"a": [0.2, 0.1], "b": [0.4], "c": [-0.1], "d": [0.0]}
    rows: list[tuple[Any, ...]] = [("same", name, 9, "accuracy", 0.9 - each, 0.9) for name, all_ in lost.items() for each in all_]
    # Two targets are too few; another metric and what was lost of an accuracy that is not known say nothing.
    rows += [("far", name, 9, "accuracy", 0.1, 0.9) for name in "ab"]
    rows += [("far", "c", 9, "f1", 0.1, 0.9), ("far", "d", 9, "accuracy", 0.1, None)]
    put(recorded, rows)
    # The hub has one already.
    lost["shop"] = [0.05]
    measured = sum(sum(each) / len(each) for each in lost.values()) / len(lost)
    expected = {"same": (2 * USUAL["same"] + 5 * measured) / 7, "far": None}
    with modelhub_sql.connect(recorded, read_only=True) as hub:
        with beside(hub) as stock:
            stock.register("target", target)
            for con in (hub.con, stock):
                con.register("target", target)
                found = con.execute(
                    "SELECT verdict, usual_loss, targets, measured_loss, expected_loss FROM calibration"
                ).fetchall()
                assert {row[0]: row[1] for row in found} == USUAL
                by_verdict = {row[0]: row[2:] for row in found}
                assert by_verdict["same"] == (5, pytest.approx(measured), pytest.approx(expected["same"]))
                assert by_verdict["far"] == (2, pytest.approx(0.8), None)
                answer = con.execute("SELECT verdict, expected_loss FROM find_models('target', all_models := true)").fetchall()
                assert answer == [("same", pytest.approx(expected["same"])), ("far", None)]
        after = hub.find_models(target, all_models=True)
        assert after.select(shown).fetchall() == before.select(shown).fetchall()
        assert (
            after.summary == f"{before.summary}; models called same lost 10 points of accuracy here, on the average of 5 targets"
        )
        assert "same cost 10 points of accuracy on 5 targets (elsewhere 0)" in str(hub.outcomes().summary)
        assert "far: 2 of 3 targets" in str(hub.outcomes().summary)


def test_outcomes_go_with_their_model_wherever_it_goes(recorded: Path, empty_hub_path: str) -> None:
    (outcome,) = whole(recorded)["outcomes"]
    saved = recorded.with_name("saved.duckdb")
    assert upkeep.rescue(str(recorded), str(saved)) == upkeep.Rescued(2, [], True)
    assert whole(saved)["outcomes"] == [outcome]
    upkeep.compact(str(recorded))
    assert whole(recorded)["outcomes"] == [outcome]
    other = Path(shutil.copy(empty_hub_path, recorded.with_name("other.duckdb")))
    with modelhub_sql.connect(other) as hub:
        assert hub.import_hub(recorded, models=["far"]).summary == "took 1 of 1 models"
        assert len(hub.outcomes()) == 0
        assert hub.import_hub(recorded).summary == "took 1 of 2 models and 1 outcomes"
        assert hub.import_hub(recorded).summary == "took 0 of 2 models"
        assert len(hub.outcomes()) == 1
        hub.register("near", normal(300, 0, 1), replace=True)
        assert len(hub.outcomes()) == 0
    with modelhub_sql.connect(recorded) as hub:
        hub.remove("near")
        assert len(hub.outcomes()) == 0


def test_verify_tells_an_outcome_that_none_can_have(recorded: Path) -> None:
    put(recorded, [("same", "a", 9, "accuracy", 0.5, 0.9)])
    for fault, statement in {
        "the model gone, which is missing": "UPDATE _hub.outcomes SET model = 'gone' WHERE target = 'a'",
        "the model near is no measurement": "UPDATE _hub.outcomes SET model = 'near', score = 'nan' WHERE target = 'a'",
    }.items():
        with duckdb.connect(str(recorded)) as con:
            con.execute(statement)
        with modelhub_sql.connect(recorded, read_only=True) as hub:
            assert [fault in each.fault for each in upkeep.faults(hub)] == [True]
            hub.find_models(normal(300, 0.05, 21))


def test_what_is_no_measurement_is_refused_and_nothing_is_kept(recorded: Path) -> None:
    target = normal(250, 0.5, 7)
    before = whole(recorded)["outcomes"]
    with modelhub_sql.connect(recorded) as hub:
        for score, told, problem in (
            (85, {}, r"must be a number in \[0, 1\], got 85"), (math.nan, {}, "got nan"), (True, {}, "got True"),
            (-0.1, {"metric": "f1"}, "a value of f1"), (1.5, {"metric": "r2"}, "of at most 1"),
            (0.5, {"metric": "auc"}, "metric must be one of accuracy, f1, r2; got 'auc'"), (0.5, {"rows": 0}, "rows must be"),
        ):  # fmt: skip
            with pytest.raises(OptionError, match=problem):
                hub.record("near", target, score, **told)
        with pytest.raises(ModelNotFoundError, match="nearest name is near"):
            hub.record("neer", target, 0.5)
    with modelhub_sql.connect(recorded, read_only=True) as hub, pytest.raises(HubReadOnlyError, match="without read_only"):
        hub.record("near", target, 0.5)
    assert whole(recorded)["outcomes"] == before


def test_the_commands_record_and_list(recorded: Path, tmp_path: Path) -> None:
    duckdb.from_arrow(normal(260, 0.1, 9)).write_parquet(str(tmp_path / "june.parquet"))
    call = ["record", str(recorded), "near", str(tmp_path / "june.parquet"), "0.75", "--rows", "40"]
    ran = CliRunner().invoke(main, call)
    assert (ran.exit_code, ran.stderr) == (0, "recorded 0.75 of near\n"), ran.output
    ran = CliRunner().invoke(main, ["outcomes", str(recorded), "--csv"])
    header, first, second = ran.stdout.splitlines()
    assert dict(zip(header.split(","), first.split(","), strict=True))["target"] == "june.parquet"
    assert "shop" in second
