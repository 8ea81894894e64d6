"""A sketch in a file of its own goes wherever its dataset goes, and nothing else does."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from conftest import data, in_sql_alone, stock_shell

import modelhub_sql
from modelhub_sql import DatasetError, OptionError
from modelhub_sql.cli import main

EXCLUDE = ["label", "split"]
STORED = (
    "SELECT f.* EXCLUDE (dataset_id, mean, effective_bins, spread), round(f.mean, 9), round(f.effective_bins, 9), round(f.spread, 9), "
    "d.rows, d.partitions, round(d.spread, 9), d.excluded, d.skipped, (SELECT list(counts ORDER BY partition_id) "
    "FROM histograms h WHERE (h.dataset_id, h.feature_id) = (f.dataset_id, f.feature_id)) AS histograms "
    "FROM features f JOIN datasets d USING (dataset_id) JOIN models m USING (dataset_id) WHERE model = ? ORDER BY feature_id"
)


@pytest.fixture
def path(hub: modelhub_sql.Hub, tmp_path: Path) -> str:
    """The sketch of restaurants."""
    return hub.sketch(data("fodors_zagats"), exclude=EXCLUDE).save(tmp_path / "restaurants.sketch.parquet")


def test_what_is_registered_from_a_sketch_is_what_is_registered_from_the_data(hub: modelhub_sql.Hub, path: str) -> None:
    hub.register("data", data("fodors_zagats"), exclude=EXCLUDE)
    hub.register("sketch", path)
    rows = hub.sql(STORED, ["data"]).fetchall()
    assert len(rows) > 5
    assert hub.sql(STORED, ["sketch"]).fetchall() == rows


def test_a_sketch_finds_and_explains_as_the_data_does(hub: modelhub_sql.Hub, path: str) -> None:
    hub.register("restaurants", data("fodors_zagats"), exclude=EXCLUDE)
    hub.register("part", data("fodors_zagats"), exclude=[*EXCLUDE, "left_name", "left_addr"])
    expected = hub.find_models(data("fodors_zagats"), exclude=EXCLUDE, all_models=True).fetchall()
    assert len(expected) == 2
    assert hub.find_models(path, all_models=True).fetchall() == expected
    query = "SELECT * FROM find_models(?, all_models := true)"
    for con in (hub.con, in_sql_alone(hub)):
        assert [row[:8] for row in con.execute(query, [path]).fetchall()] == [row[:8] for row in expected]
    assert hub.explain("part", path).fetchall() == hub.explain("part", data("fodors_zagats"), exclude=EXCLUDE).fetchall()
    assert hub.check(path).columns == hub.check(data("beer")).columns


def test_a_column_can_be_left_out_of_a_sketch_later(hub: modelhub_sql.Hub, path: str) -> None:
    hub.register("m", path, exclude=["left_*"])
    ((names, excluded),) = hub.sql(
        "SELECT list(feature), any_value(excluded) FROM features JOIN datasets USING (dataset_id)"
    ).fetchall()
    assert names
    assert not [name for name in names if name.startswith("left_")]
    assert excluded == [*EXCLUDE, "left_*"]
    with pytest.raises(DatasetError, match=r"no column 'leftt' to exclude; its columns are left_"):
        hub.find_models(path, exclude=["leftt"])
    with pytest.raises(DatasetError, match="no column left"):
        hub.find_models(path, exclude=["left_*", "right_*"])


def test_the_stock_shell_and_the_command_write_the_same_sketch(hub: modelhub_sql.Hub, path: str, tmp_path: Path) -> None:
    by_shell, by_command = (str(tmp_path / f"{name}.sketch.parquet") for name in ("shell", "command"))
    file = hub.path
    hub.close()
    copy = f"COPY (FROM sketch('{data('fodors_zagats')}', exclude := {EXCLUDE})) TO '{by_shell}'"
    subprocess.run([stock_shell(), "-readonly", file, "-c", copy], check=True, capture_output=True)
    options = [option for name in EXCLUDE for option in ("--exclude", name)]
    ran = CliRunner().invoke(main, ["sketch", data("fodors_zagats"), "-o", by_command, "--hub", file, *options])
    assert ran.exit_code == 0, ran.output
    assert "946 rows" in ran.stderr
    query = "SELECT * EXCLUDE (mean, effective_bins, spread, dataset_spread) FROM read_parquet(?) ORDER BY feature_id"
    expected = duckdb.execute(query, [path]).fetchall()
    for other in (by_shell, by_command):
        assert duckdb.execute(query, [other]).fetchall() == expected


def test_a_sketch_says_what_it_is(hub: modelhub_sql.Hub) -> None:
    table = pa.table({"a": [1.5, 2.5], "b": [b"x", b"y"]})
    with pytest.warns(UserWarning, match="skipped"):
        made = hub.sketch(table)
    assert (made.rows, made.features, made.skipped) == (2, ["a"], ["b (BLOB)"])
    with pytest.raises(OptionError, match=r"\.sketch\.parquet"):
        made.save("a.parquet")
    with pytest.raises(DatasetError, match="can't write"):
        made.save("no/such/folder/a.sketch.parquet")


def test_a_sketch_of_another_format_or_salt_is_refused(path: str) -> None:
    for settings in (dict(seed=7), dict(salt="pepper"), dict(partition_size=7)):
        with modelhub_sql.connect(**settings) as other, pytest.raises(DatasetError, match="another format, seed or salt"):
            other.register("m", path)


DAMAGE: dict[str, Any] = {
    "no features": "SELECT * FROM s WHERE false",
    "kinds": "SELECT * REPLACE ('colour' AS kind) FROM s",
    "counts": "SELECT * REPLACE (counts[2:] AS counts) FROM s",
    "sums": 'SELECT * REPLACE ("values" + 1 AS "values") FROM s',
    "signature": "SELECT * REPLACE (minhash[2:] AS minhash) FROM s",
    "partitions": "SELECT * REPLACE (partitions[2:] AS partitions) FROM s",
    "rows": "SELECT * REPLACE (0 AS rows) FROM s",
    "nothing": "SELECT * REPLACE (NULL AS bins) FROM s",
    "text": "SELECT * REPLACE ('x' AS counts) FROM s",
    "columns": "SELECT * EXCLUDE (bins) FROM s",
    "two": "FROM s UNION ALL FROM s",
    "rows of a table": "SELECT 1 AS a",
}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_no_sketch_is_refused_by_its_name(hub: modelhub_sql.Hub, path: str, tmp_path: Path, damage: str) -> None:
    bad = str(tmp_path / "bad.sketch.parquet")
    with duckdb.connect() as con:
        con.execute(f"CREATE VIEW s AS FROM read_parquet('{path}')")
        con.execute(f"COPY ({DAMAGE[damage]}) TO '{bad}'")
    hub.register("good", path)
    before = hub.models().fetchall()
    for call in (lambda: hub.register("m", bad), lambda: hub.find_models(bad)):
        with pytest.raises(DatasetError, match=r"bad\.sketch\.parquet"):
            call()
    assert hub.models().fetchall() == before


def test_several_sketches_are_no_dataset(hub: modelhub_sql.Hub, path: str, tmp_path: Path) -> None:
    pq.write_table(pq.read_table(path), tmp_path / "other.sketch.parquet")
    with pytest.raises(DatasetError, match="several sketches"):
        hub.register("m", str(tmp_path / "*.sketch.parquet"))
    with pytest.raises(DatasetError, match="a dataset alone"):
        hub.register("m", [path, path])
