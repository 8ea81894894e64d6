"""What a session sets (order, NULLs, collation, threads ...) changes no answer and no sketch, in SQL alone and in Python."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import modelhub_sql
from modelhub_sql import logic

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

#: Sessions, of a few settings each, because a search takes a while.
SETTINGS: dict[str, dict[str, Any]] = {
    "order": {"default_order": "DESC", "default_null_order": "NULLS_FIRST"},
    "collation": {"default_collation": "NOCASE"},
    "one thread": {"threads": 1, "default_null_order": "NULLS_FIRST_ON_ASC_LAST_ON_DESC", "TimeZone": "Asia/Tokyo"},
    "four threads": {"threads": 4, "integer_division": "true", "old_implicit_casting": "true"},
}

#: Model, version, and number of the table or model of the same data. Ties, and names that differ in case only.
MODELS = [("b", "", 1), ("A", "", 2), ("B", "", 3), ("a", "", "A"), ("a", "V", "b"), ("a", "v", "B")]
WORDS = ["Ale", "ale", "ALE", "Stout", "Straße", "STRASSE", "", "Éa", "éa", None, "x y", "X Y"]


def table(seed: int) -> pa.Table:
    """Numbers that lie a little higher with every seed, words of all cases, NULLs, a struct, a list and times."""
    random = np.random.default_rng(seed)
    rows = 400
    return pa.table(
        {
            "n": random.normal(seed / 4, 1, rows),
            "Words": [WORDS[i] for i in random.integers(0, len(WORDS), rows)],
            "few": [None if i % 3 else float(i) for i in range(rows)],
            "s": [{"X": float(x), "Ä": "yes" if x > 0 else "Yes"} for x in random.normal(0, 1, rows)],
            "l": [[int(x), int(x) + 1] for x in random.integers(0, 9, rows)],
            "t": pa.array(random.integers(0, 10**9, rows), pa.timestamp("s")),
        }
    )


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables, and a hub file with all models."""
    made = tmp_path_factory.mktemp("settings")
    for seed in range(4):
        pq.write_table(table(seed), made / f"{seed}.parquet")
    with modelhub_sql.connect(made / "empty.duckdb", partition_size=100):
        pass
    shutil.copy(made / "empty.duckdb", made / "hub.duckdb")
    register_in_python(made, "hub.duckdb", {})
    return made


def set_all(con: duckdb.DuckDBPyConnection, settings: dict[str, Any]) -> None:
    for name, value in settings.items():
        con.execute(f"SET {name} = '{value}'")


def rounded(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [rounded(part) for part in value]
    return round(value, 9) if isinstance(value, float) else value


# -- what is stored ---------------------------------------------------------------------------


def register_in_python(folder: Path, hub_name: str, settings: dict[str, Any]) -> None:
    with modelhub_sql.connect(folder / hub_name) as hub:
        set_all(hub.con, settings)
        for model, version, data in MODELS:
            same: dict[str, Any] = {"like": data} if isinstance(data, str) else {"dataset": folder / f"{data}.parquet"}
            hub.register(model, version=version or None, **same)


def register_in_sql(folder: Path, hub_name: str, settings: dict[str, Any]) -> None:
    with duckdb.connect(str(folder / hub_name)) as con:
        set_all(con, settings)
        for model, version, data in MODELS:
            same = ("like_model", data) if isinstance(data, str) else ("dataset", str(folder / f"{data}.parquet"))
            for name, value in (("model", model), ("version", version), same):
                con.execute(f"SET VARIABLE {name} = ?", [value])
            con.execute(logic.verbs()["register"])


def stored(folder: Path, hub_name: str) -> dict[str, Any]:
    """All that is stored. A mean is a sum of many parts, whose order is not settled: it is rounded."""
    queries = {
        "models": "SELECT * EXCLUDE registered_at FROM _hub.models ORDER BY ALL",
        "datasets": "SELECT * EXCLUDE registered_at FROM _hub.datasets ORDER BY ALL",
        "features": "SELECT * FROM _hub.features ORDER BY dataset_id, feature_id",
        "histograms": "FROM _hub.partition_counts ORDER BY dataset_id, feature_id, partition_id",
    }
    with duckdb.connect(str(folder / hub_name), read_only=True) as con:
        return {name: rounded(con.execute(query).fetchall()) for name, query in queries.items()}


@pytest.mark.one_in(4)
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("register", [register_in_python, register_in_sql])
def test_no_setting_changes_what_is_stored(folder: Path, register: Any, setting: str) -> None:
    name = f"{register.__name__} {setting}.duckdb"
    shutil.copy(folder / "empty.duckdb", folder / name)
    register(folder, name, SETTINGS[setting])
    found, expected = stored(folder, name), stored(folder, "hub.duckdb")
    assert len(expected["models"]) == len(MODELS)
    for part in expected:
        assert found[part] == expected[part], part


# -- the answers ------------------------------------------------------------------------------


CALLS = {
    "by adaptivity": "FROM find_models('{target}', min_overlap := 0.1)",
    "by JS, lsh": "FROM find_models('{target}', search := 'lsh', rank_by := 'js')",
    "flattened": "FROM find_models('{target}', sample_space := 'flattened', max_js := 0.5)",
    "features of A": "FROM explain_features('A', '{target}')",
    "features of a": "FROM explain_features('a', '{target}')",
    "features of a v": "FROM explain_features('a', '{target}', version := 'v')",
    "partitions": "FROM explain_partitions('b', '{target}', min_overlap := 0)",
    "sketch": "FROM sketch('{target}', exclude := ['WORDS'])",
    "models": "SELECT * EXCLUDE registered_at FROM list_models",
}


def answers_in_sql(con: duckdb.DuckDBPyConnection, folder: Path, calls: Iterable[str] = tuple(CALLS)) -> dict[str, Any]:
    target = str(folder / "0.parquet")
    return {
        name: rounded(con.execute(call.replace("{target}", target)).fetchall()) for name, call in CALLS.items() if name in calls
    }


def answers_in_python(hub: modelhub_sql.Hub, folder: Path) -> dict[str, Any]:
    target = folder / "0.parquet"
    found = {
        "by adaptivity": hub.find_models(target, min_overlap=0.1),
        "by JS, lsh": hub.find_models(target, search="lsh", rank_by="js"),
        "flattened": hub.find_models(target, sample_space="flattened", max_js=0.5),
        "features of A": hub.explain("A", target),
        "features of a": hub.explain("a", target),
        "features of a v": hub.explain("a", target, version="v"),
        "partitions": hub.explain_partitions("b", target, min_overlap=0),
        "models": hub.models().select("* EXCLUDE registered_at"),
    }
    return {name: rounded(rows.fetchall()) for name, rows in found.items()}


@contextmanager
def plain(folder: Path, settings: dict[str, Any]) -> Iterator[duckdb.DuckDBPyConnection]:
    """The file in a connection of DuckDB's own."""
    with duckdb.connect(str(folder / "hub.duckdb"), read_only=True) as con:
        set_all(con, settings)
        yield con


@pytest.fixture(scope="session")
def expected(folder: Path) -> dict[str, Any]:
    """What a session without settings is answered."""
    with plain(folder, {}) as con:
        found = answers_in_sql(con, folder)
    assert [row[1] for row in found["by JS, lsh"]] == ["a", "b", "A", "a", "B", "a"]
    assert found["features of A"] != found["features of a"]
    assert all(found.values())
    return found


@pytest.mark.one_in(5)
@pytest.mark.parametrize("setting", SETTINGS)
def test_no_setting_changes_an_answer_in_sql_alone(folder: Path, expected: dict[str, Any], setting: str) -> None:
    with plain(folder, SETTINGS[setting]) as con:
        found = answers_in_sql(con, folder)
    for name, answer in found.items():
        assert answer == expected[name], name


@pytest.mark.one_in(2)
@pytest.mark.parametrize("setting", SETTINGS)
def test_no_setting_changes_an_answer_in_python(folder: Path, expected: dict[str, Any], setting: str) -> None:
    with modelhub_sql.connect(folder / "hub.duckdb", read_only=True) as hub:
        set_all(hub.con, SETTINGS[setting])
        found = answers_in_python(hub, folder)
        in_sql = answers_in_sql(hub.con, folder, ("flattened", "features of A", "models"))
    for name, answer in [*found.items(), *in_sql.items()]:
        assert answer == expected[name], name
