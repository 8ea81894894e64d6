"""What is refused: with which error, naming what was wrong, and the hub unchanged."""

from __future__ import annotations

import math
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import data, in_sql_alone

import modelhub_sql
from modelhub_sql import (
    DatasetError,
    ExtraError,
    HubAccessError,
    HubError,
    HubFormatError,
    HubNotFoundError,
    ModelExistsError,
    ModelNotFoundError,
    OptionError,
    OutOfMemoryError,
    SettingsError,
    TemporaryFilesError,
)
from modelhub_sql.errors import translated


def contents(hub: modelhub_sql.Hub) -> list[Any]:
    tables = hub.con.execute(
        "SELECT database_name, schema_name, table_name FROM duckdb_tables() WHERE NOT internal AND NOT temporary ORDER BY ALL"
    ).fetchall()
    assert "models" in {name for _, schema, name in tables if schema == "_hub"}
    named = ('"' + '"."'.join(path) + '"' for path in tables)
    return [hub.con.execute(f"FROM {name} ORDER BY ALL").fetchall() for name in named]


def refused(hub: modelhub_sql.Hub, error: type[HubError], *said: str, by: Callable[[], Any]) -> None:
    """The call raises exactly that error, which says all of that on little space, and the hub stays as it is."""
    before = contents(hub)
    with pytest.raises(error) as caught:
        by()
    assert type(caught.value) is error
    message = str(caught.value)
    for part in said:
        assert part in message
    assert len(message) < 1_500
    assert contents(hub) == before
    # The connection goes on working.
    assert hub.models().select("model").fetchall() == [("beer",)]


TABLES = """
    CREATE TABLE empty (a INTEGER, b VARCHAR);
    CREATE TABLE gaps AS SELECT NULL::INTEGER AS a, NULL::VARCHAR AS b FROM range(10);
    CREATE TABLE blobs AS SELECT 'a'::BLOB AS id, 'b'::BLOB AS raw FROM range(10);
    CREATE TABLE good AS SELECT i % 50 AS a, 'word' || i % 3 AS b FROM range(100) AS r(i);
"""


@pytest.fixture(scope="module")
def beer_hub(tmp_path_factory: pytest.TempPathFactory) -> modelhub_sql.Hub:
    """A hub with one model, and some tables that are no datasets; every test leaves it as it is."""
    hub = modelhub_sql.connect(tmp_path_factory.mktemp("beer") / "hub.duckdb", partition_size=100)
    hub.con.execute(TABLES)
    hub.register("beer", data("beer"), exclude=["label", "split"])
    return hub


MISSING = "no/such/file.parquet"
UNREADABLE: dict[str, tuple[Any, tuple[str, ...]]] = {
    "a missing file": (MISSING, (MISSING,)),
    "a glob without files": ("no/such/*.parquet", ("no/such/*.parquet",)),
    "a missing table": ("no_such_table", ("no_such_table",)),
    "a table without rows": ("empty", ("empty", "no rows")),
    "a table of blobs": ("blobs", ("blobs",)),
    "an Arrow table without rows": (pa.table({"a": pa.array([], pa.int64())}), ("no rows",)),
    "a number": (7, ("int",)),
    "a list": ([1, 2], ("list",)),
}


@pytest.mark.parametrize("case", UNREADABLE)
@pytest.mark.filterwarnings("ignore:.*skipped")
def test_what_is_no_dataset_is_not_registered(beer_hub: modelhub_sql.Hub, case: str) -> None:
    dataset, said = UNREADABLE[case]
    refused(beer_hub, DatasetError, *said, by=lambda: beer_hub.register("m", dataset))


@pytest.mark.parametrize("case", UNREADABLE)
@pytest.mark.filterwarnings("ignore:.*skipped")
def test_what_is_no_dataset_is_no_target(beer_hub: modelhub_sql.Hub, case: str) -> None:
    target, said = UNREADABLE[case]
    refused(beer_hub, DatasetError, *said, by=lambda: beer_hub.find_models(target))
    refused(beer_hub, DatasetError, *said, by=lambda: beer_hub.explain("beer", target))


@pytest.mark.one_in(5)
@pytest.mark.parametrize(
    "search",
    [
        "SELECT count(*) FROM find_models('{}')",
        "FROM find_models('{}', search := 'lsh', sample_space := 'flattened')",
        "FROM explain_features('beer', '{}')",
        "FROM explain_partitions('beer', '{}')",
    ],
)
def test_a_target_with_nothing_to_compare_is_refused_in_sql_too(beer_hub: modelhub_sql.Hub, search: str) -> None:
    alone = in_sql_alone(beer_hub)
    alone.execute(TABLES.replace("CREATE TABLE", "CREATE TEMP TABLE"))
    wrong = {
        "empty": "no rows",
        "gaps": r"no column that can be compared: a \(INTEGER, only NULL\), b \(VARCHAR, only NULL\)",
        "blobs": r"no column that can be compared: id \(BLOB\), raw \(BLOB\)",
    }
    if "explain" in search:
        # All call the same sketch.
        del wrong["blobs"]
    for con in (beer_hub.con, alone):
        for target, said in wrong.items():
            with pytest.raises(duckdb.InvalidInputException, match=f"DatasetError: {target} has {said}"):
                con.execute(search.format(target))
        assert con.execute(search.format("good")).description


def test_a_file_that_only_looks_like_one_is_refused(beer_hub: modelhub_sql.Hub, tmp_path: Path) -> None:
    fake = tmp_path / "fake.parquet"
    fake.write_bytes(b"this is no parquet file")
    for by in (lambda: beer_hub.register("m", fake), lambda: beer_hub.find_models(fake)):
        refused(beer_hub, DatasetError, "fake.parquet", by=by)


def test_a_dataset_with_nothing_to_compare_names_its_columns(beer_hub: modelhub_sql.Hub) -> None:
    refused(beer_hub, DatasetError, "id (BLOB)", "raw (BLOB)", by=lambda: beer_hub.register("m", "blobs"))


NOT_REGISTERED: dict[str, tuple[dict[str, Any], type[HubError], tuple[str, ...]]] = {
    "an accuracy above 1": (dict(accuracy=1.5), OptionError, ("accuracy", "[0, 1]", "1.5")),
    "an accuracy below 0": (dict(accuracy=-0.1), OptionError, ("accuracy", "[0, 1]", "-0.1")),
    "an accuracy that is NaN": (dict(accuracy=math.nan), OptionError, ("accuracy", "nan")),
    "an accuracy that is no number": (dict(accuracy="high"), OptionError, ("accuracy", "high")),
    "a column that is not there": (dict(exclude=["colour"]), DatasetError, ("colour", "a, b")),
    "all columns excluded": (dict(exclude=["a", "B"]), DatasetError, ("excluded",)),
    "a text as exclude": (dict(exclude="a"), OptionError, ("exclude", "['a']")),
    "a number in exclude": (dict(exclude=[3]), OptionError, ("exclude", "3")),
    "a number as exclude": (dict(exclude=5), OptionError, ("exclude", "5")),
    "metadata that is no JSON": (dict(metadata={"a": object()}), OptionError, ("metadata",)),
    "metadata with NaN": (dict(metadata={"a": math.nan}), OptionError, ("metadata",)),
    "a task that is no text": (dict(task=object()), OptionError, ("task", "object")),
    "a source that is no text": (dict(source=["x"]), OptionError, ("source", "['x']")),
    "read that is no options": (dict(read="auto"), OptionError, ("read", "delim", "'auto'")),
    "a dataset and like": (dict(like="beer"), OptionError, ("dataset", "like")),
}


@pytest.mark.parametrize("case", NOT_REGISTERED)
def test_a_wrong_argument_of_register_is_named(beer_hub: modelhub_sql.Hub, case: str) -> None:
    arguments, error, said = NOT_REGISTERED[case]
    refused(beer_hub, error, *said, by=lambda: beer_hub.register("m", "good", **arguments))


@pytest.mark.parametrize(
    "verb", ["append", "remove", "update", "show", "export", "explain", "explain_model", "explain_partitions", "compare"]
)
@pytest.mark.parametrize(
    ("name", "version"), [(1e9, None), (["beer"], None), (None, None), ("beer", 2), ("beer", math.inf), ("beer", b"1")]
)
def test_what_is_no_name_or_version_of_a_model_is_said(beer_hub: modelhub_sql.Hub, verb: str, name: Any, version: Any) -> None:
    more = {"append": ["good"], "export": ["x.sketch.parquet"], "compare": ["beer", "good"]}.get(
        verb, ["good"] if "explain" in verb else []
    )
    given = {"version": version} | ({"accuracy": 0.5} if verb == "update" else {})
    refused(
        beer_hub,
        OptionError,
        *(("version",) if version is not None else ("model", repr(name))),
        by=lambda: getattr(beer_hub, verb)(name, *more, **given),
    )


@pytest.mark.parametrize("path", ["a\0b", b"hub.duckdb", 5, None])
def test_what_is_no_path_of_a_hub_is_said(path: Any) -> None:
    with pytest.raises(OptionError, match="a hub is a file"):
        modelhub_sql.connect(path)


@pytest.mark.parametrize("name", ["", "   ", None, 5])
def test_a_model_needs_a_name(beer_hub: modelhub_sql.Hub, name: Any) -> None:
    refused(beer_hub, OptionError, "name", by=lambda: beer_hub.register(name, "good"))


def test_a_model_needs_a_dataset(beer_hub: modelhub_sql.Hub) -> None:
    refused(beer_hub, OptionError, "dataset", "like", by=lambda: beer_hub.register("m"))


def test_a_name_and_version_is_registered_once(beer_hub: modelhub_sql.Hub) -> None:
    refused(beer_hub, ModelExistsError, "beer", "replace", "version", by=lambda: beer_hub.register("beer", "good"))
    refused(beer_hub, ModelExistsError, "beer", by=lambda: beer_hub.register("beer", like="beer"))


def test_a_model_that_is_not_there_is_named(beer_hub: modelhub_sql.Hub) -> None:
    for by in (
        lambda: beer_hub.remove("nobody"),
        lambda: beer_hub.explain("nobody", "good"),
        lambda: beer_hub.explain_partitions("nobody", "good"),
        lambda: beer_hub.register("m", like="nobody"),
    ):
        refused(beer_hub, ModelNotFoundError, "nobody", by=by)
    for by in (lambda: beer_hub.remove("beer", "9.9"), lambda: beer_hub.explain("beer", "good", version="9.9")):
        refused(beer_hub, ModelNotFoundError, "beer", "9.9", by=by)


@pytest.mark.parametrize(
    "name", ["quo'te", 'dou"ble', "semi;colon", "x'); DROP TABLE models; --", "ünïcödé 🦆", "%s", "x" * 10_000]
)
def test_an_unknown_name_is_only_a_name(beer_hub: modelhub_sql.Hub, name: str) -> None:
    for by in (lambda: beer_hub.remove(name), lambda: beer_hub.explain(name, "good"), lambda: beer_hub.register("m", like=name)):
        refused(beer_hub, ModelNotFoundError, name[:100], by=by)


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    "name",
    [
        "DatasetError: boo", "OptionError: boo", "Invalid Input Error: OptionError: boo", "Could not set lock on file boo",
        "read-only mode", "Conflict on boo", "within a transaction", "Failed to commit", "being used by another process",
        "different configuration than existing connections", "Permission denied", "x\n\nOptionError: boo",
    ],
)  # fmt: skip
def test_the_kind_of_an_error_is_not_a_matter_of_names(beer_hub: modelhub_sql.Hub, name: str, tmp_path: Path) -> None:
    for by in (lambda: beer_hub.remove(name), lambda: beer_hub.explain(name, "good"), lambda: beer_hub.register("m", like=name)):
        refused(beer_hub, ModelNotFoundError, name.splitlines()[0], by=by)
    for by in (lambda: beer_hub.find_models(f"{name}.csv"), lambda: beer_hub.register("m", f"{name}.csv")):
        refused(beer_hub, DatasetError, name.splitlines()[0], by=by)
    refused(beer_hub, DatasetError, name.splitlines()[0], by=lambda: beer_hub.register("m", "good", exclude=[name]))
    unknown: Any = name
    refused(beer_hub, OptionError, name.splitlines()[0], by=lambda: beer_hub.find_models("good", rank_by=unknown))
    path = tmp_path / name.replace("\n", " ")
    path.write_bytes(bytes(8) + b"DUCK" + bytes(4_000))
    with pytest.raises(HubFormatError, match="is not a hub"):
        modelhub_sql.connect(path)


def test_an_error_of_duckdb_is_told_by_its_class_and_beginning() -> None:
    kinds: list[tuple[duckdb.Error, type[Exception]]] = [
        (duckdb.InvalidInputException("Invalid Input Error: OptionError: x"), OptionError),
        (duckdb.InvalidInputException("Invalid Input Error: HubFormatError: x"), HubFormatError),
        (duckdb.InvalidInputException("Invalid Input Error: said OptionError: x"), duckdb.InvalidInputException),
        (duckdb.BinderException("Binder Error: OptionError: x"), duckdb.BinderException),
        (duckdb.IOException('IO Error: Could not set lock on file "x"'), modelhub_sql.HubLockedError),
        (duckdb.IOException('IO Error: Cannot open file "Could not set lock on file "'), duckdb.IOException),
        (duckdb.TransactionException("TransactionContext Error: Conflict on update!"), modelhub_sql.HubBusyError),
        (duckdb.CatalogException("Catalog Error: Conflict on update!"), duckdb.CatalogException),
        (
            duckdb.ConstraintException('Constraint Error: Duplicate key "dataset_id: 3" violates primary key constraint.'),
            modelhub_sql.HubBusyError,
        ),
        (
            duckdb.ConstraintException('Constraint Error: Duplicate key "id: Failed to commit" violates primary key constraint.'),
            duckdb.ConstraintException,
        ),
        (
            duckdb.InvalidInputException(
                'Invalid Input Error: Cannot execute statement of type "INSERT" on database "a" which is attached in read-only mode!'
            ),
            modelhub_sql.HubReadOnlyError,
        ),
        (duckdb.InvalidInputException("Invalid Input Error: read-only mode"), duckdb.InvalidInputException),
        (duckdb.OutOfMemoryException("Out of Memory Error: x"), OutOfMemoryError),
        (duckdb.IOException("IO Error: Out of Memory Error: x"), duckdb.IOException),
    ]
    for error, kind in kinds:
        assert type(translated(error)) is kind, error


OUT_OF_RANGE: list[tuple[str, Any]] = [
    ("min_overlap", -0.1), ("min_overlap", 1.1), ("min_overlap", math.nan), ("min_overlap", "much"),
    ("min_jaccard", -1), ("min_jaccard", 2), ("min_jaccard", math.nan), ("min_jaccard", "much"),
    ("max_js", 0), ("max_js", -0.1), ("max_js", 0.7), ("max_js", math.nan), ("max_js", "automatic"), ("max_js", [0.1]),
    ("min_adaptivity", -1), ("min_adaptivity", math.nan), ("min_adaptivity", "much"),
    ("max_divergence", -1), ("max_divergence", math.nan), ("max_divergence", "much"),
    ("all_models", "maybe"), ("top", 0), ("sample_space", "euclidean"), ("sample_space", 1), ("rank_by", "price"), ("search", "luck"),
]  # fmt: skip


@pytest.mark.one_in(3)
@pytest.mark.parametrize(("option", "value"), OUT_OF_RANGE)
def test_an_option_out_of_range_is_named_with_its_bound(beer_hub: modelhub_sql.Hub, option: str, value: Any) -> None:
    said = str(value[0]) if isinstance(value, list) else str(value)
    refused(beer_hub, OptionError, option, said, by=lambda: beer_hub.find_models("good", **{option: value}))


def test_an_option_that_does_not_exist_is_named(beer_hub: modelhub_sql.Hub) -> None:
    wrong: Any = dict(min_jacard=0.5)
    for verb in (beer_hub.find_models, beer_hub.steps):
        with pytest.raises(TypeError, match="'min_jacard'"):
            verb("good", **wrong)


@pytest.mark.parametrize("verb", ["find_models", "explain"])
def test_exclude_of_a_target_is_checked(beer_hub: modelhub_sql.Hub, verb: str) -> None:
    call = getattr(beer_hub, verb)
    before = () if verb == "find_models" else ("beer",)
    refused(beer_hub, OptionError, "['a']", by=lambda: call(*before, "good", exclude="a"))
    refused(beer_hub, DatasetError, "colour", by=lambda: call(*before, "good", exclude=["colour"]))
    refused(beer_hub, DatasetError, "excluded", by=lambda: call(*before, "good", exclude=["a", "b"]))


def written(folder: Path, text: str) -> Path:
    path = folder / "manifest.csv"
    path.write_text(text, encoding="utf-8")
    return path


MANIFESTS = {
    "an unknown column": ("name,dataset,colour\nm,good,red\n", "colour"),
    "no names": ("dataset\ngood\n", "name"),
    "metadata that is no JSON": ("name,dataset,metadata\nm,good,{oops\n", "metadata"),
    "an accuracy that is no number": ("name,dataset,accuracy\nm,good,high\n", "high"),
}


@pytest.mark.parametrize("case", MANIFESTS)
def test_what_is_wrong_in_a_manifest_is_named(beer_hub: modelhub_sql.Hub, tmp_path: Path, case: str) -> None:
    text, said = MANIFESTS[case]
    before = contents(beer_hub)
    with pytest.raises(HubError, match=said):
        beer_hub.register_many(written(tmp_path, text))
    assert contents(beer_hub) == before


@pytest.mark.parametrize("models", [7, ["beer"], MISSING], ids=["a number", "a list of names", "a missing file"])
def test_what_is_no_list_of_models_is_refused(beer_hub: modelhub_sql.Hub, models: Any) -> None:
    before = contents(beer_hub)
    with pytest.raises(HubError):
        beer_hub.register_many(models)
    assert contents(beer_hub) == before


# -- hubs ---------------------------------------------------------------------------------


@pytest.fixture
def hub_path(tmp_path: Path) -> Path:
    path = tmp_path / "hub.duckdb"
    modelhub_sql.connect(path, partition_size=100).close()
    return path


def test_a_hub_that_is_not_there_is_not_made_for_reading(tmp_path: Path) -> None:
    with pytest.raises(HubNotFoundError, match=r"none\.duckdb"):
        modelhub_sql.connect(tmp_path / "none.duckdb", read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_a_hub_is_not_made_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(HubNotFoundError, match="folder"):
        modelhub_sql.connect(tmp_path / "folder" / "hub.duckdb")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_that_is_no_database_is_no_hub(tmp_path: Path, read_only: bool) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("these are notes, and more than a few bytes of them\n" * 200, encoding="utf-8")
    with pytest.raises(HubFormatError, match=r"notes\.txt"):
        modelhub_sql.connect(path, read_only=read_only)
    assert path.read_text(encoding="utf-8").startswith("these are notes")


@pytest.mark.parametrize("read_only", [False, True])
def test_a_database_that_is_no_hub_is_told_from_one_and_left_alone(tmp_path: Path, read_only: bool) -> None:
    path = tmp_path / "sales.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("CREATE TABLE sales AS SELECT 1 AS amount")
    with pytest.raises(HubFormatError, match=r"sales\.duckdb.*not a hub"):
        modelhub_sql.connect(path, read_only=read_only)
    with duckdb.connect(str(path), read_only=True) as con:
        assert con.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [("sales",)]
        assert con.execute("SELECT count(*) FROM duckdb_functions() WHERE function_name = 'find_models'").fetchall() == [(0,)]


@pytest.mark.parametrize("read_only", [False, True])
def test_a_hub_of_a_newer_format_is_refused_with_what_to_do(hub_path: Path, read_only: bool) -> None:
    with duckdb.connect(str(hub_path)) as con:
        con.execute("CREATE TABLE newer AS SELECT * REPLACE (format_version + 1 AS format_version), 1 AS more FROM _hub.format")
        con.execute("DROP TABLE _hub.format; CREATE TABLE _hub.format AS FROM newer; DROP TABLE newer")
    with pytest.raises(HubFormatError, match=r"hub\.duckdb has format \d+, newer .*upgrade modelhub-sql"):
        modelhub_sql.connect(hub_path, read_only=read_only)
    with duckdb.connect(str(hub_path)) as con, pytest.raises(HubFormatError, match="upgrade modelhub-sql"):
        modelhub_sql.load(con)


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DROP TABLE _hub.verbs", "verbs is not a table"),
        ("DROP TABLE _hub.verbs; CREATE VIEW _hub.verbs AS SELECT '' AS verb, '' AS script", "verbs is not a table"),
        ("ALTER TABLE _hub.verbs ADD COLUMN more INTEGER", "the table verbs has other columns"),
        ("ALTER TABLE _hub.models ALTER COLUMN task SET DEFAULT 'x'", "models.task is computed by the file"),
        ("CREATE INDEX mine ON _hub.models (task)", "constraints or indexes of its own"),
        ("DROP TABLE _hub.format; CREATE VIEW _hub.format AS SELECT 1 AS format_version", "its format is a view"),
        ("DROP TABLE _hub.format", "it lacks the hub's tables"),
    ],
)
def test_tables_that_are_not_those_of_this_version_are_refused(hub_path: Path, change: str, said: str) -> None:
    with duckdb.connect(str(hub_path)) as con:
        con.execute(change)
    for read_only in (True, False):
        with pytest.raises(HubFormatError, match=said):
            modelhub_sql.connect(hub_path, read_only=read_only)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", ['a"b', "mod'el", "ümlaut", "modelhub_logic", "memory", "main", "a;b"])
def test_a_hub_may_be_called_as_a_file_may(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.duckdb"
    with modelhub_sql.connect(path, partition_size=100) as hub:
        hub.register("beer", data("beer"), exclude=["label", "split"])
    with modelhub_sql.connect(path, read_only=True) as hub:
        assert hub.find_models(data("beer"), exclude=["label", "split"]).select("model").fetchall() == [("beer",)]
        assert hub.sql("SELECT model FROM models").fetchall() == [("beer",)]


def test_load_needs_a_hub() -> None:
    with duckdb.connect() as con, pytest.raises(HubFormatError):
        modelhub_sql.load(con)


def test_a_setting_of_a_hub_is_fixed(hub_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"partition_size = 100.*7"):
        modelhub_sql.connect(hub_path, partition_size=7)
    modelhub_sql.connect(hub_path, partition_size=100).close()


WRONG_SETTINGS: list[tuple[str, Any]] = [
    ("partition_size", 0), ("partition_size", -5), ("partition_size", 2.5), ("partition_size", True), ("partition_size", "many"),
    ("partition_size", 2**32), ("replicas", 2**16), ("minhash_bands", 2**16), ("most_bins", 0), ("most_bins", 10**6), ("sample_rows", 0), ("text_bins", 10**6), ("replicas", 0), ("minhash_bands", 0), ("jslsh_rows", 0),
    ("jslsh_width", 0), ("jslsh_width", -1), ("jslsh_width", math.nan), ("recall", 0), ("recall", 1), ("recall", math.nan),
    ("seed", -1), ("seed", 2**32), ("seed", "lucky"), ("salt", 5), ("salt_fingerprint", "ab"), ("partitioning", "sorted"),
    ("number_binning", "fixed"),
    ("min_overlap", 2), ("min_jaccard", -1), ("max_js", 0), ("max_js", 1), ("max_js", "auto?"), ("min_adaptivity", -1),
    ("auto_models", 0), ("auto_quantile", 1), ("max_candidates", 0), ("sample_space", "x"), ("rank_by", "x"), ("search", "x"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG_SETTINGS)
def test_a_setting_out_of_range_is_named_and_makes_no_hub(tmp_path: Path, name: str, value: Any) -> None:
    path = tmp_path / "hub.duckdb"
    with pytest.raises(SettingsError) as caught:
        modelhub_sql.connect(path, **{name: value})
    assert name.removesuffix("_low").removesuffix("_high") in str(caught.value) or "bins" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_series_is_a_dataset_or_refused_by_its_name(hub: modelhub_sql.Hub) -> None:
    series = pd.Series(range(200))
    for verb in (lambda: hub.register("m", series), lambda: hub.find_models(series)):
        try:
            verb()
        except DatasetError as error:
            # DuckDB cannot read it up to 2.0.0.
            if "Series" not in str(error):
                raise
    assert hub.models().select("rows").fetchall() in ([], [(200,)])


def test_a_uri_may_be_a_path(hub: modelhub_sql.Hub) -> None:
    hub.register("m", data("beer"), uri=Path("weights.bin"))
    assert hub.models().select("uri").fetchall() == [("weights.bin",)]


def test_a_hub_that_could_not_be_made_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(modelhub_sql.opening, "create", interrupted)
    with pytest.raises(KeyboardInterrupt):
        modelhub_sql.connect(tmp_path / "hub.duckdb")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def of_somebody_else() -> Iterator[Path]:
    """A folder that this process may read and not write, with a hub, a hub that it may not read, and an empty file."""
    folder = Path(tempfile.mkdtemp())
    modelhub_sql.connect(folder / "hub.duckdb").close()
    shutil.copy(folder / "hub.duckdb", folder / "secret.duckdb")
    (folder / "empty.duckdb").touch()
    modes = {"hub.duckdb": 0o444, "secret.duckdb": 0o000, "empty.duckdb": 0o444, ".": 0o555}
    for name, mode in modes.items():
        (folder / name).chmod(mode)
    user = os.geteuid()
    if user == 0:
        # For whom no mode is in the way.
        os.seteuid(65534)
    try:
        yield folder
    finally:
        os.seteuid(user)
        folder.chmod(0o755)
        shutil.rmtree(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="modes of files are those of Unix")
def test_a_hub_of_somebody_else_may_be_searched_and_says_what_may_not(of_somebody_else: Path) -> None:
    with modelhub_sql.connect(of_somebody_else / "hub.duckdb", read_only=True) as hub:
        assert hub.models().fetchall() == []
    with pytest.raises(HubAccessError, match="read_only=True"):
        modelhub_sql.connect(of_somebody_else / "hub.duckdb")
    with pytest.raises(HubAccessError, match="Permission denied"):
        modelhub_sql.connect(of_somebody_else / "secret.duckdb", read_only=True)
    for name in ("empty.duckdb", "new.duckdb"):
        with pytest.raises(HubAccessError, match=name):
            modelhub_sql.connect(of_somebody_else / name)


def test_a_path_that_no_file_can_have_is_refused() -> None:
    with pytest.raises(HubAccessError, match="can't be opened"):
        modelhub_sql.connect("x" * 300)
    with pytest.raises(OptionError, match="a hub is a file, named by its path"):
        modelhub_sql.connect("a\0b")


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", ["Features", "models", "list_models", "verbs"])
@pytest.mark.parametrize("made", ["TABLE {} AS SELECT 1 AS x", "VIEW {} AS SELECT 1 AS x"])
def test_a_temporary_table_that_hides_one_of_the_hub_changes_nothing(hub: modelhub_sql.Hub, name: str, made: str) -> None:
    hub.register("leg1", data("leg1"), exclude=["activity"])
    expected = hub.find_models(data("leg1"), exclude=["activity"]).fetchall()
    hub.con.execute("CREATE TEMP " + made.format(name))
    assert hub.find_models(data("leg1"), exclude=["activity"]).fetchall() == expected
    assert hub.models().select("model").fetchall() == [("leg1",)]
    # The name is the user's.
    assert hub.con.execute(f"FROM {name}").fetchall() == [(1,)]
    hub.remove("leg1")
    assert hub.models().fetchall() == []


def test_a_temporary_table_may_be_called_as_one_of_the_user(hub: modelhub_sql.Hub) -> None:
    hub.con.execute("ATTACH ':memory:' AS other; CREATE TABLE other.features (x INTEGER); CREATE TABLE mine AS SELECT 1 AS x")
    hub.con.execute("CREATE TEMP TABLE mine AS SELECT range AS x FROM range(300)")
    hub.register("m", "mine")
    assert hub.find_models("mine").select("model").fetchall() == [("m",)]
    # As DuckDB takes the name: what is temporary comes first.
    assert hub.models().select("rows").fetchall() == [(300,)]


def test_a_table_of_the_user_is_none_of_the_steps_of_registering(hub: modelhub_sql.Hub) -> None:
    steps = ("modelhub_sketch", "target_sketch", "options", "searched", "found_model")
    for step in steps:
        hub.con.execute(f"CREATE TEMP TABLE {step} AS SELECT 1 AS x")
    hub.con.execute("SET VARIABLE model = 'mine'; SET VARIABLE accuracy = 7")
    hub.register("beer", data("beer"))
    assert hub.find_models(data("beer")).select("model, source_accuracy").fetchall() == [("beer", None)]
    for step in steps:
        assert hub.con.execute(f"FROM {step}").fetchall() == [(1,)]
    assert hub.con.execute("SELECT getvariable('model'), getvariable('accuracy')").fetchall() == [("mine", 7)]


def test_a_version_that_is_not_there_is_told_those_that_are(hub: modelhub_sql.Hub) -> None:
    for version in ("1", "2"):
        hub.register("beer", data("beer"), version=version)
    hub.register("ale", like="beer")
    with pytest.raises(ModelNotFoundError, match=r"beer, version 7; its versions are '2', '1'"):
        hub.remove("beer", version="7")


def test_a_setting_that_must_have_a_value_is_not_none() -> None:
    made = modelhub_sql.Settings()
    for name in modelhub_sql.Settings.names():
        given: dict[str, Any] = {name: None}
        if getattr(made, name) is None:
            modelhub_sql.Settings(**given)
        else:
            with pytest.raises(SettingsError, match=f"{name} must be given or left out, got None"):
                modelhub_sql.Settings(**given)


def test_a_setting_that_does_not_exist_is_named_with_those_that_do() -> None:
    with pytest.raises(SettingsError, match=r"'partition_sise'.*partition_size"):
        modelhub_sql.connect(partition_sise=7)


def test_a_reader_is_told_that_the_hub_was_opened_for_reading(hub_path: Path) -> None:
    with modelhub_sql.connect(hub_path) as hub:
        hub.register("beer", data("beer"))
    with modelhub_sql.connect(hub_path, read_only=True) as hub:
        changes: list[Callable[[], object]] = [lambda: hub.register("m", data("adult")), lambda: hub.remove("beer")]
        for change in changes:
            with pytest.raises(HubError, match=r"read.only") as caught:
                change()
            assert not isinstance(caught.value, DatasetError), "the dataset is not to blame"


# -- the same refusals in SQL alone ----------------------------------------------------------


@pytest.mark.one_in(6)
@pytest.mark.parametrize(("option", "value"), [pair for pair in OUT_OF_RANGE if not isinstance(pair[1], list)])
def test_sql_alone_refuses_the_same_options(stock: duckdb.DuckDBPyConnection, option: str, value: Any) -> None:
    stock.execute("SET VARIABLE given = ?", [value])
    stock.execute("CREATE TEMP TABLE target AS SELECT i AS a FROM range(100) AS r(i)")
    with pytest.raises(duckdb.Error, match=f"OptionError: {option}"):
        stock.execute(f"FROM find_models('target', {option} := getvariable('given'))").fetchall()


def test_sql_alone_refuses_an_unknown_model(stock: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.Error, match="ModelNotFoundError: no model is called nobody"):
        stock.execute("FROM explain_features('nobody', ?)", [data("torso1")]).fetchall()


# -- no error at all -------------------------------------------------------------------------


def test_a_target_that_shares_nothing_has_no_rows_and_no_error(beer_hub: modelhub_sql.Hub, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger.parquet"
    pq.write_table(pa.table({"when": pa.array(range(18_000, 18_100), pa.date32())}), stranger)
    assert beer_hub.find_models(stranger).fetchall() == []
    assert beer_hub.find_models(stranger, rank_by="js", search="lsh", sample_space="flattened").fetchall() == []


def test_a_hub_without_models_finds_none(hub: modelhub_sql.Hub) -> None:
    assert hub.find_models(data("beer")).fetchall() == []
    assert hub.models().fetchall() == []


def test_a_dataset_that_memory_does_not_suffice_for_is_refused(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({f"c{i}": np.random.default_rng(i).normal(size=200_000) for i in range(10)}), tmp_path / "wide.parquet"
    )
    with modelhub_sql.connect(tmp_path / "hub.duckdb") as hub:
        hub.register("beer", data("beer"), exclude=["label"])
        hub.con.execute("SET memory_limit = '12MB'")
        refused(
            hub,
            OutOfMemoryError,
            "memory_limit",
            "wide.parquet",
            "Raise it",
            by=lambda: hub.register("m", str(tmp_path / "wide.parquet")),
        )
        hub.con.execute("SET memory_limit = '1GB'")
        hub.register("m", str(tmp_path / "wide.parquet"))
        assert len(hub.models()) == 2


def test_a_folder_for_temporary_files_that_can_not_be_made_is_called_so() -> None:
    with modelhub_sql.connect() as hub:
        hub.register("beer", data("beer"), exclude=["label"])
        hub.con.execute("SET temp_directory = '/dev/null/x'; SET memory_limit = '60MB'; SET threads = 1")
        hub.con.execute(
            "CREATE TEMP VIEW much AS SELECT i, hash(i) % 1000 AS a, 'w' || (i % 5000) AS t FROM range(700000) AS r(i)"
        )
        refused(hub, TemporaryFilesError, "SET temp_directory", by=lambda: hub.register("m", "much"))


def test_a_duckdb_that_is_too_old_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duckdb, "__version__", "1.4.5")
    for opening in (lambda: modelhub_sql.connect(tmp_path / "hub.duckdb"), lambda: modelhub_sql.load(duckdb.connect())):
        with pytest.raises(ExtraError, match=r"needs DuckDB 1\.5 or later, and 1\.4\.5 is installed"):
            opening()
    assert list(tmp_path.iterdir()) == []
