"""What is kept of few rows where a hub has min_count and round_counts; and a salt that is not in the hub."""

from __future__ import annotations

import hashlib
import shutil
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import oracle
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from conftest import data, whole

import modelhub_sql
from modelhub_sql import upkeep
from modelhub_sql.cli import main
from modelhub_sql.errors import DatasetError, HubFormatError, SaltError, SettingsError

#: Numbers, words, gaps.
COLUMNS = ["age", "education", "native_country", "workclass"]

Histograms = dict[str, "Histogram"]


class Histogram(NamedTuple):
    """nulls: what is missing. resolution: of numbers."""

    whole: dict[float, int]
    partitions: list[dict[float, int]]
    nulls: int
    resolution: oracle.Resolution | None

    def at(self, resolution: oracle.Resolution | None) -> Histogram:
        whole, *partitions = (oracle.rebinned(counts, resolution) for counts in (self.whole, *self.partitions))
        return Histogram(whole, partitions, self.nulls, resolution)


def histograms(sketch: list[dict[str, Any]]) -> Histograms:
    return {
        row["feature"]: Histogram(
            dict(zip(row["bins"], row["counts"], strict=True)),
            [dict(zip(row["bins"], counts, strict=False)) for counts in row["partitions"]],
            row["nulls"],
            None if row["k"] is None else oracle.Resolution(row["k"], row["b"]),
        )
        for row in sketch
    }


def sketched(table: Any, **settings: Any) -> Histograms:
    with modelhub_sql.connect(partition_size=100, **settings) as hub, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return histograms(hub.sketch(table).arrow().to_pylist())


@pytest.mark.parametrize(("min_count", "round_counts"), [(1, 4), (9, 5)])
def test_counts_are_those_of_enough_values_rounded(min_count: int, round_counts: int) -> None:
    table = pq.read_table(data("adult"), columns=COLUMNS).slice(0, 330)

    def kept(n: int) -> int:
        return (n + round_counts // 2) // round_counts * round_counts if n >= min_count else 0

    coarse = sketched(table, min_count=min_count, round_counts=round_counts)
    exact = {name: each.at(coarse[name].resolution) for name, each in sketched(table).items()}
    for name, each in coarse.items():
        assert each.whole == {bin: kept(n) for bin, n in exact[name].whole.items() if kept(n)}
        assert each.nulls == kept(exact[name].nulls)
        # Numbers are in bins so wide that 98 of 100 are kept.
        assert each.resolution is None or sum(n for n in exact[name].whole.values() if kept(n)) >= 0.98 * 330
        for bin, n in each.whole.items():
            parts = [part.get(bin, 0) for part in each.partitions]
            assert sum(parts) == n
            for part, before in zip(parts, (part.get(bin, 0) for part in exact[name].partitions), strict=True):
                assert part % round_counts == 0
                assert abs(part - before) < round_counts


def test_rounded_counts_are_spread_over_the_partitions() -> None:
    # Ten words, one of each in each of 20 partitions of 10: rounded from the first on, all would be in a few.
    table = pa.table({"word": [f"w{i % 10}" for i in range(200)]})
    with modelhub_sql.connect(partition_size=10, partitioning="sequential", round_counts=5) as hub:
        (row,) = hub.sketch(table).arrow().to_pylist()
    assert row["counts"] == [20] * 10
    assert {sum(counts) for counts in row["partitions"]} <= {0, 5, 10, 15, 20}


def test_a_coarse_hub_is_whole_whatever_is_done_with_it(tmp_path: Path) -> None:
    table = pq.read_table(data("adult"), columns=COLUMNS)
    first, more = table.slice(0, 320), table.slice(320, 130)
    settings: dict[str, Any] = dict(partition_size=100, min_count=5, round_counts=3)
    with modelhub_sql.connect(tmp_path / "hub.duckdb", **settings) as hub, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hub.register("a", first)
        hub.register("b", hub.merge([hub.sketch(first), hub.sketch(more)]))
        hub.append("a", more)
        # What few of the new rows have, and the others too, is kept.
        assert hub.append("a", first.slice(0, 3)) == 453
        assert upkeep.faults(hub) == []
        ((least, rounded),) = hub.sql(
            "SELECT min(list_min(counts)), bool_and(len(list_filter(counts, lambda n: n % 3 > 0)) = 0) FROM features"
        ).fetchall()
        assert (least >= 4, rounded) == (True, True)
        assert hub.find_models(first, all_models=True).dicts()[0]["verdict"] in ("same", "close")
        exact = hub.sketch(first).arrow().to_pylist()
    # In the SQL of the file, and of many shards.
    with duckdb.connect(str(tmp_path / "hub.duckdb"), read_only=True) as con:
        con.register("first_rows", first)
        names = ("feature", "k", "b", "bins", "counts", "partitions", "nulls")
        rows = con.execute(f"SELECT {', '.join(names)} FROM sketch('first_rows')").fetchall()
        assert histograms([dict(zip(names, row, strict=True)) for row in rows]) == histograms(exact)


@pytest.mark.long
def test_shards_are_counted_before_their_counts_are_made_coarse() -> None:
    rows = pq.read_table(data("adult"), columns=COLUMNS)
    with modelhub_sql.connect(partition_size=100, min_count=5, round_counts=3) as hub, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole, of_shards = hub.sketch(rows).arrow(), modelhub_sql.shards(rows, 4, hub=hub).sketch().arrow()
    assert histograms(of_shards.to_pylist()) == histograms(whole.to_pylist())


def test_what_no_value_is_left_of_is_said() -> None:
    table = pa.table({"word": ["a", "b", "a"], "other": [None, "c", "d"]})
    with modelhub_sql.connect(min_count=3) as hub, pytest.raises(DatasetError, match="no value that 3 rows have"):
        hub.register("few", table)
    with modelhub_sql.connect(min_count=2) as hub:
        with pytest.warns(UserWarning, match=r"other \(VARCHAR, no value that 2 rows have\)"):
            hub.register("few", table)
        assert hub.sql("SELECT feature, counts, nulls FROM features").fetchall() == [("word", [2], 0)]


def test_a_count_that_is_not_allowed_is_a_fault() -> None:
    with modelhub_sql.connect(min_count=5) as hub:
        hub.register("a", pa.table({"x": [1] * 7}))
        hub._own.execute(f'UPDATE {hub._place.tables}._hub.features SET counts = [3], "values" = 3')
        assert any("min_count = 5" in fault.fault for fault in upkeep.faults(hub))


@pytest.mark.parametrize(
    ("name", "value"),
    [("min_count", 0), ("min_count", True), ("round_counts", 1.5), ("round_counts", "5"), ("round_counts", 65536)],
)
def test_what_is_no_such_number_is_refused(name: str, value: Any) -> None:
    with pytest.raises(SettingsError, match=name):
        modelhub_sql.connect(**{name: value})


# -- a salt -----------------------------------------------------------------------------------------------

SALT = "a salt that nobody guesses, 5f1c"
ROWS = pa.table({"word": ["red", "green", "red", "blue"] * 20, "number": [1.5, 2.5, 3.5, 9.5] * 20})
NUMBERS = ROWS.select(["number"])


@pytest.fixture(scope="module")
def salted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub with a salt, which is in hub.salt beside it."""
    folder = tmp_path_factory.mktemp("salted")
    (folder / "hub.salt").write_text(SALT + "\n")
    with modelhub_sql.connect(folder / "hub.duckdb", salt_file=folder / "hub.salt") as hub:
        hub.register("m", ROWS)
    return folder / "hub.duckdb"


def test_the_salt_is_not_in_the_file(salted: Path) -> None:
    assert SALT.encode() not in salted.read_bytes()
    assert SALT not in str(whole(salted))
    fingerprint = hashlib.sha256(f"modelhub salt {SALT}".encode()).hexdigest()
    with modelhub_sql.connect(salted, read_only=True) as hub:
        assert hub.sql("SELECT value FROM settings WHERE setting LIKE 'salt%'").fetchall() == [(fingerprint,)]


def test_texts_need_the_salt_and_numbers_do_not(salted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = whole(salted)
    for given in ({}, {"MODELHUB_SALT": "another"}):
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        with modelhub_sql.connect(salted) as hub:
            assert hub.find_models(NUMBERS).dicts()[0]["model"] == "m"
            assert [row["model"] for row in hub.models().dicts()] == ["m"]
            with pytest.raises(SaltError, match=r"salt_file, --salt-file, MODELHUB_SALT_FILE; in SQL: SET VARIABLE salt"):
                hub.find_models(ROWS)
            with pytest.raises(SaltError):
                hub.register("n", ROWS)
    assert whole(salted) == before


def test_a_salt_is_told_by_a_file_the_environment_or_a_variable(salted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def found(**given: Any) -> Any:
        with modelhub_sql.connect(salted, read_only=True, **given) as hub:
            return hub.find_models(ROWS).select("model", "distance", "verdict").fetchall()

    file = salted.with_name("hub.salt")
    told = found(salt=SALT)
    assert told == [("m", pytest.approx(0, abs=1e-9), "same")]
    assert found(salt_file=file) == told
    monkeypatch.setenv("MODELHUB_SALT", SALT)
    assert found() == told
    # What is said outweighs what is around.
    monkeypatch.setenv("MODELHUB_SALT_FILE", str(file))
    monkeypatch.setenv("MODELHUB_SALT", "another")
    assert found() == told
    with duckdb.connect(str(salted), read_only=True) as con:
        con.register("target", ROWS)
        with pytest.raises(duckdb.InvalidInputException, match="SET VARIABLE salt"):
            con.execute("FROM find_models('target')")
        con.execute("SET VARIABLE salt = ?", [SALT])
        assert con.execute("SELECT model, distance, verdict FROM find_models('target')").fetchall() == told


def test_another_salt_is_refused_and_none_is_shown(salted: Path, tmp_path: Path) -> None:
    with modelhub_sql.connect(tmp_path / "plain.duckdb") as hub:
        hub.register("n", NUMBERS)
    empty = tmp_path / "empty.salt"
    empty.write_text("\n")
    for path, given, said in (
        (salted, dict(salt="secret one"), "made with another salt"),
        (salted, dict(salt=""), "made with a salt"),
        (tmp_path / "plain.duckdb", dict(salt="secret one"), "made without a salt"),
        (salted, dict(salt_file=tmp_path / "absent.salt"), "absent.salt"),
        (salted, dict(salt_file=empty), "holds no salt"),
        (salted, dict(salt="secret one", salt_file=empty), "not both"),
    ):
        with pytest.raises(SaltError, match=said) as caught:
            modelhub_sql.connect(path, **given)
        assert "secret one" not in str(caught.value)
    with pytest.raises(HubFormatError, match="salt"), modelhub_sql.connect(tmp_path / "plain.duckdb") as hub:
        hub.import_hub(salted)


def test_who_does_not_know_the_salt_keeps_the_hub(salted: Path, tmp_path: Path) -> None:
    path, new = tmp_path / "hub.duckdb", tmp_path / "rescued.duckdb"
    shutil.copy(salted, path)
    upkeep.compact(str(path))
    assert upkeep.rescue(str(path), str(new)).models == 1
    with modelhub_sql.connect(salt_file=salted.with_name("hub.salt")) as hub:
        sketch = hub.sketch(ROWS).save(tmp_path / "rows.sketch.parquet")
    with modelhub_sql.connect(new, swap=True) as hub:
        # A sketch has its words hashed already.
        hub.register("n", sketch)
        assert [row["verdict"] for row in hub.find_models(sketch).dicts()] == ["same", "same"]
        assert upkeep.faults(hub) == []


def test_a_command_makes_a_salt_and_takes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pq.write_table(ROWS, "rows.parquet")

    def ran(*arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == code, result.output
        return result.output

    ran("init", "hub.duckdb", "--new-salt", "hub.salt")
    assert Path("hub.salt").stat().st_mode & 0o777 == 0o600
    assert "--salt-file" in ran("register", "hub.duckdb", "m", "rows.parquet", code=1)
    ran("--salt-file", "hub.salt", "register", "hub.duckdb", "m", "rows.parquet")
    assert '"same"' in ran("--salt-file", "hub.salt", "find", "hub.duckdb", "rows.parquet", "--json")
    assert "who lacks it" in " ".join(ran("privacy", "hub.duckdb", "--details").split())
    # Neither is another made for a hub that is there, nor the file written over.
    ran("init", "hub.duckdb", "--new-salt", "other.salt", code=2)
    assert "already" in ran("init", "other.duckdb", "--new-salt", "hub.salt", code=1)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["hub.duckdb", "hub.salt", "rows.parquet"]


@pytest.mark.long
def test_other_processes_that_sketch_are_told_the_salt(salted: Path) -> None:
    with modelhub_sql.connect(salted, salt=SALT) as hub:
        plan = modelhub_sql.shards(ROWS, 2, hub=hub)
        assert modelhub_sql.sharding.in_processes(plan, 2).arrow().equals(hub.sketch(ROWS).arrow())


def test_models_that_are_registered_together_are_stored_as_one_by_one() -> None:
    tables = [pq.read_table(data("adult"), columns=COLUMNS).slice(start, 150) for start in (0, 150, 300)]
    settings: dict[str, Any] = dict(partition_size=50, min_count=4, round_counts=3, salt=SALT)
    query = "SELECT feature, k, b, bins, counts, nulls, minhash FROM features ORDER BY dataset_id, feature_id"
    with modelhub_sql.connect(**settings) as one, modelhub_sql.connect(**settings) as many:
        for number, table in enumerate(tables):
            one.register(str(number), table)
        many.register_many([{"name": str(number), "dataset": table} for number, table in enumerate(tables)])
        assert many.sql(query).fetchall() == one.sql(query).fetchall()
        assert upkeep.faults(many) == []
