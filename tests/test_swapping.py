"""A hub that is swapped in: readers go on, other writers are refused, an error changes nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import modelhub_sql
from modelhub_sql.cli import main

ROWS = {"x": [float(i % 7) for i in range(60)]}


def models(path: str) -> list[str]:
    with modelhub_sql.connect(path, read_only=True) as hub:
        return [row[0] for row in hub.models().fetchall()]


def test_readers_go_on_while_a_hub_is_changed_and_meet_the_new_one_then(hub: modelhub_sql.Hub) -> None:
    hub.register("old", ROWS)
    path = hub.path
    hub.close()
    Path(path).chmod(0o640)
    with modelhub_sql.connect(path, read_only=True) as reader:
        with modelhub_sql.connect(path, swap=True) as changed:
            assert changed.path == path
            changed.register("new", ROWS)
            assert models(path) == ["old"]
            with pytest.raises(modelhub_sql.HubLockedError, match="is being changed in this process already"):
                modelhub_sql.connect(path, swap=True)
            code = "import sys, modelhub_sql; modelhub_sql.connect(sys.argv[1], swap=len(sys.argv) > 2)"
            for more in ([], ["swap"]):
                run = subprocess.run(
                    [sys.executable, "-c", code, path, *more], capture_output=True, encoding="utf-8", check=False
                )
                assert "HubLockedError" in run.stderr
        assert [row[0] for row in reader.models().fetchall()] == ["old"]
    assert models(path) == ["new", "old"]
    assert list(Path(path).parent.iterdir()) == [Path(path)]
    assert Path(path).stat().st_mode & 0o777 == 0o640
    with modelhub_sql.connect(path) as plain:
        assert plain.verify().fetchall() == []


def test_a_change_that_fails_or_is_killed_swaps_nothing(hub: modelhub_sql.Hub) -> None:
    hub.register("old", ROWS)
    path = hub.path
    hub.close()
    with pytest.raises(ZeroDivisionError), modelhub_sql.connect(path, swap=True) as changed:
        print(changed.remove("old"), 1 / 0)
    assert models(path) == ["old"]
    assert list(Path(path).parent.iterdir()) == [Path(path)]
    code = (
        "import os, sys, modelhub_sql; h = modelhub_sql.connect(sys.argv[1], swap=True); h.remove('old'); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, path], check=False).returncode == -signal.SIGKILL
    assert models(path) == ["old"]
    result = CliRunner().invoke(main, ["--swap", "remove", path, "old"])
    assert result.exit_code == 0, result.output
    assert models(path) == []
    # Nor is the copy of the killed process left.
    assert list(Path(path).parent.iterdir()) == [Path(path)]
