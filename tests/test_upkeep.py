"""A hub's file looked after: verify, rescue, backup, compact; and processes that share it."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from click.testing import CliRunner
from conftest import data, whole

import modelhub_sql
from modelhub_sql import journal, opening, upkeep
from modelhub_sql.cli import main
from modelhub_sql.errors import translated
from modelhub_sql.file import File

#: What damages the dataset 2 alone.
DAMAGE = {
    "a count of a partition": "UPDATE _hub.partition_counts SET frequent = list_transform(frequent, lambda n: n + 1) "
    "WHERE dataset_id = 2 AND feature_id = 1 AND partition_id = 0",
    "a feature lost": "DELETE FROM _hub.features WHERE dataset_id = 2 AND feature_id = 2",
    "fewer counts": "UPDATE _hub.features SET counts = counts[:1] WHERE dataset_id = 2 AND feature_id = 1",
    "fewer hashes": "UPDATE _hub.features SET minhash = minhash[:3] WHERE dataset_id = 2 AND feature_id = 1",
    "another format": "UPDATE _hub.datasets SET fingerprint = 'x' WHERE dataset_id = 2",
    "no dataset": "DELETE FROM _hub.datasets WHERE dataset_id = 2",
}


@pytest.fixture
def path(sensor_hub_path: str, tmp_path: Path) -> Path:
    """A hub that may be changed."""
    return Path(shutil.copy(sensor_hub_path, tmp_path / "hub.duckdb"))


def run(*arguments: str, code: int = 0) -> Any:
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code == code, result.output
    return result


def found(path: Path) -> list[upkeep.Fault]:
    with modelhub_sql.connect(path, read_only=True) as hub:
        return upkeep.faults(hub)


def test_verify_says_of_each_damage_which_dataset_has_it(path: Path) -> None:
    assert found(path) == []
    good = path.read_bytes()
    for what, statement in DAMAGE.items():
        path.write_bytes(good)
        with duckdb.connect(str(path)) as con:
            con.execute(statement)
        assert {fault.dataset_id for fault in found(path)} == {2}, what
    assert "not whole" in run("verify", str(path), code=1).stderr


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE _hub.verbs SET script = script || ' ' WHERE verb = 'register'", "script of the verb register"),
        ("DELETE FROM _hub.verbs", "script of the verb set"),
        ("DROP VIEW main.list_models", "list_models is missing"),
        ("DROP MACRO TABLE main.find_models", "find_models is missing"),
        ("INSERT INTO _hub.logic FROM _hub.logic", "there are 2 versions"),
    ],
)
def test_verify_looks_at_the_logic_that_the_file_carries(path: Path, statement: str, said: str) -> None:
    with duckdb.connect(str(path)) as con:
        con.execute(statement)
    assert any(said in fault.fault for fault in found(path))
    run("compact", str(path))
    assert found(path) == []
    # That of another version is not known.
    with duckdb.connect(str(path)) as con:
        con.execute("UPDATE _hub.logic SET digest = 'another'; DELETE FROM _hub.verbs WHERE verb = 'set'")
    assert found(path) == []


def test_rescue_takes_over_all_but_the_damaged_dataset(path: Path) -> None:
    before = whole(path)
    with duckdb.connect(str(path)) as con:
        con.execute(DAMAGE["a count of a partition"])
    damaged = path.read_bytes()
    new = path.with_name("new.duckdb")
    assert "5 models, 1 datasets lost" in run("rescue", str(path), "-o", str(new)).stderr
    assert path.read_bytes() == damaged
    assert found(new) == []
    after = whole(new)
    place = {"models": 2, "datasets": 0, "features": 0, "partition_counts": 0}
    for table, column in place.items():
        assert after[table] == [row for row in before[table] if row[column] != 2], table
    assert after["format"] == before["format"]
    assert after["defaults"] == before["defaults"]
    assert "already" in run("rescue", str(path), "-o", str(new), code=1).stderr


def test_rescue_reads_a_file_of_which_the_older_header_is_torn(path: Path) -> None:
    before = whole(path)
    content = bytearray(path.read_bytes())
    header = journal.newest(bytes(content[: journal.HEADERS]))
    assert header is not None
    at = (3 - header.slot) * 4096
    content[at : at + 4096] = bytes(100) + content[at + 100 : at + 4096] if any(content[at : at + 100]) else b"x" * 4096
    path.write_bytes(content)
    with pytest.raises(modelhub_sql.HubDamagedError, match="rescue"):
        modelhub_sql.connect(path, read_only=True)
    new = path.with_name("new.duckdb")
    assert upkeep.rescue(str(path), str(new)) == upkeep.Rescued(6, [], True)
    assert whole(new)["features"] == before["features"]


def torn(path: Path, table: str) -> None:
    """Change a bit of each block of a table."""
    with duckdb.connect(str(path), read_only=True) as con:
        blocks = con.execute(f"SELECT block_id FROM pragma_storage_info('_hub.{table}') WHERE block_id >= 0").fetchall()
    content = bytearray(path.read_bytes())
    header = journal.newest(bytes(content[: journal.HEADERS]))
    assert header is not None
    for (block,) in set(blocks):
        at = journal.HEADERS + block * header.block_size
        content[at + 99] ^= 1
        assert not journal.is_sound(bytes(content[at : at + header.block_size]))
    path.write_bytes(content)


@pytest.mark.parametrize("table", ["format", "defaults", "minhash_functions", "logic"])
def test_rescue_does_without_what_is_known_anyway(path: Path, table: str) -> None:
    with modelhub_sql.connect(path) as hub:
        hub.set(auto_models=7)
    before = whole(path)
    torn(path, table)
    new = path.with_name("new.duckdb")
    said = run("rescue", str(path), "-o", str(new)).stderr
    assert "6 models, 0 datasets lost" in said
    assert found(new) == []
    # All else is as it was.
    assert ("modelhub set" in said) == (table == "defaults")
    assert {name for name, rows in whole(new).items() if rows != before[name]} == ({table} & {"defaults"})


def test_rescue_leaves_a_default_that_no_hub_is_opened_with(path: Path) -> None:
    before = whole(path)
    with duckdb.connect(str(path)) as con:
        con.execute("UPDATE _hub.defaults SET auto_models = 0")
    with pytest.raises(modelhub_sql.HubFormatError, match=r"auto_models must be above 0.*modelhub rescue"):
        modelhub_sql.connect(path)
    new = path.with_name("new.duckdb")
    assert "modelhub set" in run("rescue", str(path), "-o", str(new)).stderr
    assert found(new) == []
    assert whole(new) == before


def test_sketches_whose_models_are_torn_are_kept_under_the_name_of_the_dataset(path: Path) -> None:
    before = whole(path)
    torn(path, "models")
    new = path.with_name("new.duckdb")
    said = run("rescue", str(path), "-o", str(new)).stderr
    datasets = sorted(row[:2] for row in before["datasets"])
    assert f"the models of the datasets {', '.join(str(number) for number, _ in datasets)}: one stands for them" in said
    assert found(new) == []
    after = whole(new)
    assert after["features"] == before["features"]
    assert after["partition_counts"] == before["partition_counts"]
    assert sorted((row[2], row[0]) for row in after["models"]) == datasets


def test_a_hub_of_large_datasets_of_which_some_partitions_are_kept_is_whole(tmp_path: Path) -> None:
    path, numbers = tmp_path / "hub.duckdb", list(range(995))
    with modelhub_sql.connect(path, partition_size=10, max_partitions=30) as hub:
        hub.register("m", pa.table({"x": [i % 7 for i in numbers], "t": [f"w{i % 5}" for i in numbers]}))
    assert found(path) == []
    upkeep.backup(str(path), str(tmp_path / "copy.duckdb"))
    assert upkeep.rescue(str(path), str(tmp_path / "saved.duckdb")) == upkeep.Rescued(1, [], True)
    with duckdb.connect(str(path)) as con:
        con.execute("UPDATE _hub.partition_counts SET frequent = list_transform(frequent, lambda n: n + 1000), rare = []")
    assert {fault.dataset_id for fault in found(path)} == {1}


def test_rescue_says_which_models_lack_their_dataset(path: Path) -> None:
    with duckdb.connect(str(path)) as con:
        con.execute("DELETE FROM _hub.datasets WHERE dataset_id = 2")
    rescued = upkeep.rescue(str(path), str(path.with_name("new.duckdb")))
    assert [number for number, _ in rescued.lost] == [2]


def test_a_backup_overwrites_no_file_that_came_meanwhile(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = path.with_name("copy.duckdb")
    monkeypatch.setattr(upkeep, "_check_copy", lambda *_: output.write_text("x"))
    with pytest.raises(modelhub_sql.OptionError, match="by now"):
        upkeep.backup(str(path), str(output))
    assert output.read_text() == "x"
    assert not list(path.parent.glob("*.new-*"))


def test_a_change_that_is_made_is_not_refused_for_its_checkpoint(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: File) -> None:
        raise duckdb.IOException("No space left on device")

    monkeypatch.setattr(File, "keep_log_small", full)
    with modelhub_sql.connect(path) as hub:
        hub.register("new", like="beer")
        assert len(hub.models()) == 7


def test_a_file_that_takes_the_name_meanwhile_is_the_one_that_is_held(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Path(shutil.copy(path, path.with_name("other.duckdb")))
    connected = opening._connected

    def late(name: str, *arguments: Any, **named: Any) -> duckdb.DuckDBPyConnection:
        if other.exists():
            other.replace(path)
        return connected(name, *arguments, **named)

    monkeypatch.setattr(opening, "_connected", late)
    with modelhub_sql.connect(path) as hub:
        assert hub._file is not None
        assert hub._file.held.is_at(str(path))


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("IO Error: Could not write file \"t.tmp\": No space left on device", modelhub_sql.DiskFullError),
        ("Out of Memory Error: failed to offload data block (1 KiB/1 KiB used). This limit was set by 'max_temp_directory_size'",
         modelhub_sql.HubError),
    ],
)  # fmt: skip
def test_a_full_disk_has_its_name(message: str, error: type[Exception]) -> None:
    assert isinstance(translated(duckdb.IOException(message), hub="hub.duckdb"), error)


def test_a_backup_of_an_open_hub_has_all_that_is_committed(path: Path) -> None:
    copy = path.with_name("copy.duckdb")
    with modelhub_sql.connect(path) as hub:
        hub.register("new", like="beer")
        run("backup", str(path), "-o", str(copy))
        hub.register("later", like="beer")
        with pytest.raises(modelhub_sql.OptionError, match="already"):
            hub.backup(copy)
    assert len(whole(copy)["models"]) == 7
    assert not [file for file in path.parent.iterdir() if file.name not in (path.name, copy.name)]
    # DuckDB still holds its lock of the original while it is copied: see Held.
    assert "no hub" in run("backup", str(path.with_name("none")), "-o", str(copy) + "2", code=1).stderr


def test_a_backup_takes_the_place_of_an_earlier_one_only_when_it_is_whole(path: Path) -> None:
    copy = path.with_name("copy.duckdb")
    run("backup", str(path), "-o", str(copy), "--replace")
    with modelhub_sql.connect(path) as hub:
        hub.register("new", like="beer")
        assert hub.backup(copy, replace=True) == copy.stat().st_size
    assert len(whole(copy)["models"]) == 7
    good = copy.read_bytes()
    torn(path, "features")
    for refused, why in (
        ([str(path), "-o", str(copy), "--replace"], "damaged"),
        ([str(copy), "-o", str(copy), "--replace"], "is the hub itself"),
        ([str(copy), "-o", data("beer"), "--replace"], "not a hub"),
    ):
        assert why in run("backup", *refused, code=1).stderr
    journal.log_of(str(copy)).write_bytes(b"x")
    other = shutil.copy(copy, path.with_name("other.duckdb"))
    assert "copy.duckdb.wal is beside it" in run("backup", str(other), "-o", str(copy), "--replace", code=1).stderr
    assert copy.read_bytes() == good
    assert not list(path.parent.glob("*.new-*"))


def test_compact_leaves_the_same_hub_in_a_smaller_file(path: Path) -> None:
    with modelhub_sql.connect(path) as hub:
        for round_ in range(3):
            hub.register("torso1", data(("torso2", "leg1", "torso1")[round_]), exclude=["activity"], replace=True)
        hub.set(min_overlap=0.25)
    before, size = whole(path), path.stat().st_size
    # What a killed process has left is no part of it.
    (path.parent / f"{path.name}.compact-0123abcd").write_bytes(path.read_bytes()[:5000])
    run("compact", str(path))
    assert not list(path.parent.glob("*.compact-*"))
    after = whole(path)
    for table in ("models", "datasets", "features", "partition_counts", "defaults", "format"):
        assert after[table] == before[table], table
    assert path.stat().st_size < size
    assert found(path) == []


def test_what_is_no_part_of_a_hub_is_not_lost_without_a_word(path: Path) -> None:
    with duckdb.connect(str(path)) as con:
        con.execute(
            'CREATE TABLE main.notes AS SELECT 1 AS a; CREATE SCHEMA mine; CREATE VIEW mine."my\x1b view" AS SELECT 1 AS a'
        )
        con.execute("CREATE MACRO main.twice(x) AS 2 * x; CREATE SEQUENCE main.numbers; CREATE TYPE main.mood AS ENUM ('so')")
    before = whole(path)
    said = run("compact", str(path), code=1).stderr
    for name in (
        "table main.notes",
        "view mine.my",
        "macro main.twice",
        "sequence main.numbers",
        "type main.mood",
        "--drop-others",
    ):
        assert name in said
    assert "\x1b" not in said
    assert whole(path) == before
    assert "table main.notes" in run("rescue", str(path), "-o", str(path) + ".new").stderr
    run("compact", str(path), "--drop-others")
    before.pop("notes")
    assert whole(path) == before


HOLD = """
import sys, modelhub_sql
hub = modelhub_sql.connect(sys.argv[1])
print("open", flush=True)
sys.stdin.readline()
hub.close()
"""


@contextmanager
def another_that_has_open(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has a hub open, until it is told a line."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process


def test_a_hub_in_use_is_waited_for_and_keeps_its_lock_whatever_else_the_process_opens(path: Path) -> None:
    with modelhub_sql.connect(path) as hub:
        # Another look at the file by the same process would lose DuckDB's lock, if it closed it.
        modelhub_sql.connect(path).close()
        code = f"import modelhub_sql; modelhub_sql.connect({str(path)!r})"
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "HubLockedError" in ran.stderr
        hub.models()
    with another_that_has_open(path) as process:
        with pytest.raises(modelhub_sql.HubLockedError):
            modelhub_sql.connect(path, wait=0.2)
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
        modelhub_sql.connect(path, wait=60).close()


@pytest.mark.skipif(not journal.MENDS, reason="no journal")
def test_a_hub_that_another_process_has_open_is_not_mended(path: Path) -> None:
    before = path.read_bytes()
    with another_that_has_open(path) as process:
        # As if that process were in the midst of a checkpoint: what it has saved is not put back under its hands.
        headers = path.read_bytes()[: journal.HEADERS]
        header = journal.newest(headers)
        assert header is not None
        held = journal.Held(str(path))
        journal._save(journal.journal_of(str(path)), held, [0])
        held.close()
        saved = journal.journal_of(str(path)).read_bytes()
        with pytest.raises(modelhub_sql.HubLockedError):
            modelhub_sql.connect(path)
        journal.mend(str(path))
        assert journal.journal_of(str(path)).read_bytes() == saved
        assert path.read_bytes() == before
        process.kill()
        process.wait()
    # Nobody has it open any more: mended, and the same hub.
    torn = bytearray(before)
    torn[journal.HEADERS : journal.HEADERS + 4096] = bytes(4096)
    path.write_bytes(torn)
    journal.mend(str(path))
    assert path.read_bytes() == before
    assert not journal.journal_of(str(path)).exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_is_told_and_harms_nothing(path: Path) -> None:
    before = whole(path)
    code = f"""
import os, warnings
warnings.simplefilter("ignore")
import modelhub_sql
hub = modelhub_sql.connect({str(path)!r})
child = os.fork()
if child == 0:
    for use in (lambda: hub.models(), lambda: hub.remove("beer"), lambda: modelhub_sql.connect({str(path)!r})):
        try:
            use()
        except modelhub_sql.HubForkedError as error:
            assert "spawn" in str(error)
        else:
            os._exit(3)
    hub.close()
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), len(hub.models()))
hub.close()
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (ran.stdout, ran.stderr) == ("0 6\n", "")
    assert whole(path) == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_named_pipe_is_no_hub_and_no_dataset(path: Path) -> None:
    pipe = path.with_name("pipe.csv")
    os.mkfifo(pipe)
    for read_only in (True, False):
        with pytest.raises(modelhub_sql.HubFormatError, match="named pipe"):
            modelhub_sql.connect(pipe, read_only=read_only)
    with modelhub_sql.connect(path, read_only=True) as hub, pytest.raises(modelhub_sql.DatasetError, match="pipe"):
        hub.find_models(pipe)


@pytest.mark.long
def test_a_changed_bit_never_gives_another_answer_without_a_word(path: Path) -> None:
    good = path.read_bytes()
    rng = random.Random(24)

    def answer() -> Any:
        with modelhub_sql.connect(path, read_only=True) as hub:
            return hub.find_models(data("leg2"), exclude=["activity"]).select("model, distance").fetchall()

    expected = answer()
    for _ in range(300):
        content = bytearray(good)
        content[rng.randrange(len(good))] ^= 1 << rng.randrange(8)
        path.write_bytes(content)
        try:
            said = answer()
        except modelhub_sql.HubFormatError as error:
            said = expected if str(path) in str(error) else str(error)
        assert said == expected


def test_privacy_names_the_row_that_is_alone_and_the_words_that_can_be_guessed(tmp_path: Path) -> None:
    path = tmp_path / "hub.duckdb"
    folder = tmp_path / "a folder of somebody's"
    folder.mkdir()
    file = folder / "patients.parquet"
    rows = "SELECT range % 40 + 20 AS age, ['flu', 'cold'][range % 2 + 1] AS diagnosis FROM range(101)"
    duckdb.sql(f"COPY ({rows}) TO '{str(file).replace(chr(39), chr(39) * 2)}'")
    with modelhub_sql.connect(path, partition_size=100) as hub:
        hub.register("m", file)
        hub.register("hidden", file, source="")
        hub.register("alone", {"age": [41], "diagnosis": ["flu"]})
        found = hub.privacy().dicts()
        sources = [source for (source,) in hub.sql("SELECT source FROM datasets ORDER BY dataset_id").fetchall()]
    assert sources[:2] == ["patients.parquet", ""]
    of_first = {(row["feature"], row["what"]): row["rows"] for row in found if row["dataset_id"] == 1}
    # The 101st row is among others, not alone in a partition.
    assert (None, "a small partition") not in of_first
    assert [row["rows"] for row in found if (row["dataset_id"], row["what"]) == (3, "a small partition")] == [1]
    assert of_first["diagnosis", "a closed list of words"] == 101
    assert {what for _, what in of_first} >= {"said in plain words"}
    assert "a small partition" in run("privacy", str(path), "--json").stdout
