"""The logic that is kept for the next process is the logic, says nothing of a hub, and is done without where it can't be used."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import modelhub_sql
from modelhub_sql import kept_logic


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(kept_logic.FOLDER, str(tmp_path / "cache"))
    return tmp_path / "cache"


def logic_of(hub: modelhub_sql.Hub) -> tuple[list[Any], list[Any]]:
    """The macros and views beside the tables of a hub."""
    con = hub.con
    macros = con.execute(
        "SELECT schema_name, function_name, parameters, macro_definition FROM duckdb_functions() "
        "WHERE database_name = 'modelhub_logic' AND NOT internal ORDER BY ALL"
    ).fetchall()
    views = con.execute(
        "SELECT schema_name, view_name, sql FROM duckdb_views() WHERE database_name = 'modelhub_logic' AND NOT internal ORDER BY ALL"
    ).fetchall()
    return macros, views


def test_a_copy_is_what_is_parsed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings: Any = {"salt": "pepper", "seed": 7, "minhash_bands": 5}
    with modelhub_sql.connect(**settings) as made, modelhub_sql.connect(**settings) as copied:
        (file,) = folder.iterdir()
        monkeypatch.setenv(kept_logic.FOLDER, "")
        with modelhub_sql.connect(**settings) as parsed:
            macros, views = logic_of(parsed)
            assert len(macros) > 100
            assert logic_of(made) == logic_of(copied) == (macros, views)
    assert b"pepper" not in file.read_bytes()


def test_what_is_no_whole_file_is_made_anew(folder: Path) -> None:
    table = pa.table({"x": [float(each) for each in range(200)]})
    for content in (b"", b"no database", None):
        with modelhub_sql.connect() as hub:
            hub.register("m", table)
            assert [row["model"] for row in hub.find_models(table).dicts()] == ["m"]
        for file in folder.iterdir():
            if content is not None:
                file.write_bytes(content)
            else:
                assert file.stat().st_size > 100_000


@pytest.mark.skipif(sys.platform == "win32", reason="rights of POSIX")
def test_a_folder_that_others_may_write_to_is_not_used(folder: Path) -> None:
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    with modelhub_sql.connect() as hub:
        assert hub.sql("SELECT count(*) FROM models").fetchall() == [(0,)]
    assert list(folder.iterdir()) == []


def test_old_files_do_not_heap_up(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    for number in range(20):
        (folder / f"logic-{number}.duckdb").touch()
    modelhub_sql.connect().close()
    assert len(list(folder.iterdir())) == kept_logic._MOST_FILES


def test_a_package_with_another_file_keeps_another_logic(tmp_path: Path) -> None:
    for each in ("sql/search", "udfs/relations"):
        (tmp_path / each).mkdir(parents=True)
    files = [tmp_path / each for each in ("hub.py", "sql/search/10_options.sql", "udfs/minhash.py", "udfs/relations/pair.sql")]
    for file in files:
        file.write_text("1")
    known = {kept_logic._package.__wrapped__(tmp_path)}
    assert None not in known
    for file in files:
        file.write_text("22")
        known.add(kept_logic._package.__wrapped__(tmp_path))
        # Of the same size, at another time.
        os.utime(file, ns=(0, 0))
        known.add(kept_logic._package.__wrapped__(tmp_path))
    (tmp_path / "sql/search/20_more.sql").write_text("1")
    known.add(kept_logic._package.__wrapped__(tmp_path))
    assert len(known) == 2 + 2 * len(files)
    assert kept_logic._package.__wrapped__(tmp_path / "none") is None
