"""Sketches are the same to the bit whatever the version; a hub of each format can be opened and searched."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path

import duckdb
import oracle
import pyarrow.parquet as pq
import pytest
from conftest import data

import modelhub_sql
from modelhub_sql.settings import FORMAT_VERSION

HERE = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("sketches", HERE / "golden" / "sketches.py")
assert _spec is not None
assert _spec.loader is not None
sketches = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sketches)


@pytest.mark.parametrize("name", sketches.HUBS)
def test_sketches_are_the_pinned_ones(name: str, tmp_path: Path) -> None:
    path = str(tmp_path / "hub.duckdb")
    sketches.made(path, sketches.HUBS[name])
    assert sketches.dump(path) == json.loads(sketches.pinned(name).read_text())
    # The SQL of the file alone makes the same.
    with duckdb.connect(path, read_only=True) as con:
        con.execute("SET VARIABLE salt = ?", [sketches.HUBS[name].get("salt", "")])
        stored = con.execute(
            "SELECT bins, counts, k, b, minhash FROM features WHERE dataset_id = 1 ORDER BY feature_id"
        ).fetchall()
        query = "SELECT bins, counts, k, b, minhash FROM sketch(?, exclude := ['income']) ORDER BY feature_id"
        assert con.execute(query, [data("adult")]).fetchall() == stored
        if name == "salted":
            (words,) = con.execute("SELECT bins FROM features WHERE feature = 'left_beer_name'").fetchall()[0]
            token = "".join(c for c in pq.read_table(data("beer"))["left_beer_name"][0].as_py().split()[0].lower() if c.isalnum())
            assert oracle.text_bin(token, salt="a pinch") in words


def test_the_pinned_sketches_differ_where_they_should() -> None:
    plain, salted, other_seed, sequential = (json.loads(sketches.pinned(name).read_text()) for name in sketches.HUBS)
    assert plain.keys() == salted.keys() == other_seed.keys() == sequential.keys()
    # A salt changes texts alone, the order of partitions nothing of a feature as a whole.
    assert plain["adult.age"] == salted["adult.age"]
    assert plain["adult.workclass"] != salted["adult.workclass"]
    assert plain["adult.age"] == sequential["adult.age"] != other_seed["adult.age"]
    assert plain["partition_counts"] != sequential["partition_counts"]


@pytest.mark.parametrize("path", sorted((HERE / "fixtures").glob("hub-*.duckdb")), ids=lambda path: path.stem)
@pytest.mark.parametrize("read_only", [True, False])
def test_a_hub_of_each_format_is_opened_and_searched(path: Path, read_only: bool, tmp_path: Path) -> None:
    copy = shutil.copy(path, tmp_path / "hub.duckdb")
    with modelhub_sql.connect(copy, read_only=read_only) as hub:
        assert hub.sql("SELECT model, version FROM models ORDER BY ALL").fetchall() == [
            ("beer", ""), ("leg1", ""), ("torso1", "1"), ("torso1", "2"),
        ]  # fmt: skip
        found = hub.find_models(data("torso1"), exclude=["activity"], all_models=True).dicts()
        assert [(row["model"], row["version"]) for row in found] == [("torso1", "1"), ("torso1", "2"), ("leg1", "")]
        assert (found[0]["distance"], found[0]["verdict"]) == (pytest.approx(0, abs=1e-9), "same")
        if not read_only:
            hub.register("new", data("leg2"), exclude=["activity"])
            assert hub.find_models(data("leg2"), exclude=["activity"]).select("model").fetchall()[0] == ("new",)
    with duckdb.connect(copy, read_only=True) as con:
        rows = con.execute(f"SELECT model, verdict FROM find_models('{data('beer')}', exclude := ['label', 'split'])").fetchall()
        assert rows == [("beer", "same")]


def test_there_is_a_hub_of_the_present_format() -> None:
    assert (HERE / "fixtures" / f"hub-{FORMAT_VERSION}.duckdb").exists()
