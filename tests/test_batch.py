"""Many targets at once: each is answered as it is alone."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from click.testing import CliRunner
from conftest import beside, both_ways, data

import modelhub_sql
from modelhub_sql.cli import main

TARGETS = [data("torso1"), data("leg2")]


def test_each_target_is_answered_as_it_is_alone(sensor_hub: modelhub_sql.Hub) -> None:
    found = sensor_hub.find_for_each(TARGETS, exclude=["activity"], top=2)
    assert found.columns[0] == "target"
    for target in TARGETS:
        alone = sensor_hub.find_models(target, exclude=["activity"], top=2).fetchall()
        assert [tuple(row[1:]) for row in found.fetchall() if row[0] == target] == alone
    assert len(found) == 4
    named = sensor_hub.find_for_each({"mine": TARGETS[0], "kept": sensor_hub.sketch_of("torso1")}, exclude=["activity"], top=1)
    assert [row[:3] for row in named.fetchall()] == [("mine", 1, "torso1"), ("kept", 1, "torso1")]


def test_a_target_that_can_not_be_read_is_said_and_the_others_are_answered(sensor_hub: modelhub_sql.Hub) -> None:
    with pytest.warns(UserWarning, match=r"left out: .*nothing\.parquet"):
        found = sensor_hub.find_for_each([TARGETS[0], "nothing.parquet"], exclude=["activity"])
    assert {row[0] for row in found.fetchall()} == {TARGETS[0]}
    assert len(found.problems) == 1
    assert "1 could not be read" in str(found.summary)
    with pytest.raises(modelhub_sql.DatasetError, match=r"nothing\.parquet.*none\.csv"):
        sensor_hub.find_for_each(["nothing.parquet", "none.csv"])
    wrongs: tuple[Any, ...] = (TARGETS[0], [], None)
    for wrong in wrongs:
        with pytest.raises(modelhub_sql.OptionError, match="targets must be a list"):
            sensor_hub.find_for_each(wrong)


def test_the_command_takes_several_targets(sensor_hub_path: str, tmp_path: Path) -> None:
    call = ["find", sensor_hub_path, *TARGETS, "--exclude", "activity", "--csv"]
    ran = CliRunner().invoke(main, call)
    assert ran.exit_code == 0, ran.output
    rows = list(csv.DictReader(StringIO(ran.stdout)))
    assert [(row["target"], row["rank"]) for row in rows] == [(target, f"{rank}") for target in TARGETS for rank in (1, 2, 3)]
    ran = CliRunner().invoke(main, [*call[:-1], str(tmp_path / "none.csv")])
    assert ran.exit_code == 1
    assert "none.csv" in ran.stderr
    assert ran.stdout.startswith("Of 2 targets ")
    assert CliRunner().invoke(main, [*call, "--plot", "p.svg"]).exit_code == 2


def test_sql_answers_each_of_a_list_as_python_does(sensor_hub: modelhub_sql.Hub, tmp_path: Path) -> None:
    quoted = tmp_path / "it's.csv"
    duckdb.read_parquet(data("torso2")).write_csv(str(quoted))
    targets = [*TARGETS, str(quoted)]
    listed = ", ".join("'" + target.replace("'", "''") + "'" for target in targets)
    query = f"SELECT target, rank, model, verdict FROM find_for_each([{listed}], exclude := ['activity?'], top := 2) ORDER BY ALL"
    rows = both_ways(sensor_hub, pa.table({"not": ["asked"]}), query)
    found = sensor_hub.find_for_each(targets, exclude=["activity?"], top=2).select("target, rank, model, verdict")
    assert rows == sorted(found.fetchall())
    # A list that is computed is a variable.
    with beside(sensor_hub) as con:
        con.execute("SET VARIABLE mine = (SELECT list(file) FROM glob(?))", [str(tmp_path / "*.csv")])
        assert con.execute(
            "SELECT DISTINCT target FROM find_for_each(getvariable('mine'), exclude := ['activity'])"
        ).fetchall() == [(str(quoted),)]
        for wrong, said in (
            ("[]", "targets must be a list of datasets"),
            ("['nothing.parquet']", "nothing.parquet"),
            (f"[{listed}], rank_by := 'it''s'", "rank_by must be one of"),
        ):
            with pytest.raises(duckdb.Error, match=said):
                con.execute(f"FROM find_for_each({wrong})")
