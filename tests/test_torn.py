"""A page that was half written loses nothing: of each kind of change, random parts of what a checkpoint writes are missing."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest
from conftest import data, whole

import modelhub_sql
from modelhub_sql import journal

PAGE = 4096
LABELS = ["label", "split"]


def replaced(hub: modelhub_sql.Hub) -> None:
    hub.register("beer", data("fodors_zagats"), exclude=LABELS, replace=True)


CHANGES: dict[str, Callable[[modelhub_sql.Hub], object]] = {
    "register": lambda hub: hub.register("new", data("fodors_zagats"), exclude=LABELS),
    "replace": replaced,
    "remove": lambda hub: hub.remove("beer"),
    "upgrade": lambda hub: hub.upgrade(),
}


class Interrupted(NamedTuple):
    """A hub before and after a checkpoint, and what lies beside it in the midst of one."""

    before: bytes
    after: bytes
    log: bytes
    journal: bytes

    def put(self, path: Path, content: bytes) -> None:
        path.write_bytes(content)
        journal.log_of(str(path)).write_bytes(self.log)
        journal.journal_of(str(path)).write_bytes(self.journal)

    def torn(self, rng: random.Random, unit: int, *, header: bool) -> bytes:
        """The file with some of the new pages only; header: the new header too, half of it."""
        content = bytearray(self.before.ljust(len(self.after), b"\0"))
        share = rng.random()
        for at in range(journal.HEADERS, len(self.after), unit):
            if header or rng.random() < share:
                content[at : at + unit] = self.after[at : at + unit]
        if header:
            slot = next(s for s in (1, 2) if self.before[s * PAGE : s * PAGE + PAGE] != self.after[s * PAGE : s * PAGE + PAGE])
            # What follows is as it was: the size of blocks and the like.
            cut = rng.choice([8, 16, 20])
            content[slot * PAGE : slot * PAGE + cut] = self.after[slot * PAGE : slot * PAGE + cut]
        return bytes(content)


def interrupted(path: Path, change: str, monkeypatch: pytest.MonkeyPatch) -> Interrupted:
    """Makes the change to the hub at the path, and keeps what was there in the midst of its checkpoint."""
    kept: list[bytes] = []
    forget = journal._forget

    def keep(file: Path) -> None:
        kept.append(file.read_bytes())
        forget(file)

    if change == "upgrade":
        with duckdb.connect(str(path)) as con:
            con.execute("DROP SCHEMA _format CASCADE; UPDATE _hub.logic SET digest = 'another'")
    with monkeypatch.context() as patched:
        patched.setattr(journal, "_forget", keep)
        before = path.read_bytes()
        hub = modelhub_sql.connect(path)
        CHANGES[change](hub)
        assert path.read_bytes() == before, "a change goes to the log"
        log = journal.log_of(str(path)).read_bytes()
        hub.close()
    assert not journal.log_of(str(path)).exists()
    (saved,) = kept
    return Interrupted(before, path.read_bytes(), log, saved)


@pytest.mark.parametrize(
    "change", ["register", *(pytest.param(change, marks=pytest.mark.long) for change in CHANGES if change != "register")]
)
def test_a_change_is_there_whatever_part_of_its_checkpoint_was_written(
    sensor_hub_path: str, tmp_path: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copy(sensor_hub_path, tmp_path / "hub.duckdb"))
    states = interrupted(path, change, monkeypatch)
    changed = whole(path)
    rng = random.Random(change)
    for trial in range(6):
        states.put(path, states.torn(rng, rng.choice([512, PAGE, 65536]), header=trial % 2 == 0))
        modelhub_sql.connect(path, read_only=True).close()
        assert not journal.journal_of(str(path)).exists()
        assert whole(path) == changed
    with modelhub_sql.connect(path) as hub:
        hub.register("after", like="torso1")
    assert len(whole(path)["models"]) == len(changed["models"]) + 1


def test_without_its_journal_a_torn_hub_would_be_lost(
    sensor_hub_path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copy(sensor_hub_path, tmp_path / "hub.duckdb"))
    states = interrupted(path, "register", monkeypatch)
    states.put(path, states.torn(random.Random(1), PAGE, header=True))
    journal.journal_of(str(path)).unlink()
    with pytest.raises(modelhub_sql.HubDamagedError, match="rescue"):
        modelhub_sql.connect(path, read_only=True)


def test_a_journal_of_a_checkpoint_that_was_done_or_of_another_file_is_not_used(
    sensor_hub_path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copy(sensor_hub_path, tmp_path / "hub.duckdb"))
    states = interrupted(path, "remove", monkeypatch)
    other = tmp_path / "other.duckdb"
    with modelhub_sql.connect(other) as hub:
        hub.register("other", data("beer"), exclude=LABELS)
    for content in (states.after, other.read_bytes()):
        path.write_bytes(content)
        journal.journal_of(str(path)).write_bytes(states.journal)
        modelhub_sql.connect(path, read_only=True).close()
        assert path.read_bytes() == content
    # Half of a journal: the checkpoint had not begun.
    path.write_bytes(states.before)
    journal.journal_of(str(path)).write_bytes(states.journal[:-100])
    modelhub_sql.connect(path, read_only=True).close()
    assert path.read_bytes() == states.before


def test_the_log_of_another_hub_or_of_an_older_state_is_refused(
    sensor_hub_path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copy(sensor_hub_path, tmp_path / "hub.duckdb"))
    states = interrupted(path, "register", monkeypatch)
    other = tmp_path / "other.duckdb"
    modelhub_sql.connect(other).close()
    for content in (other.read_bytes(), states.after):
        path.write_bytes(content)
        journal.log_of(str(path)).write_bytes(states.log)
        for read_only in (True, False):
            with pytest.raises(modelhub_sql.HubLogError, match=r"hub\.duckdb\.wal.*(remove|move)"):
                modelhub_sql.connect(path, read_only=read_only)
        assert path.read_bytes() == content
    path.unlink()
    with pytest.raises(modelhub_sql.HubLogError, match=r"hub\.duckdb\.wal"):
        modelhub_sql.connect(path)
