"""The programs of examples/trust, a slice of each: they end with exit code 1 where something is wrong."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent.parent / "examples" / "trust"


def run(program: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, PROGRAMS / program, *arguments], capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def test_what_is_made_up_is_answered_or_refused() -> None:
    assert "12 cases, 0 wrong" in run("fuzz.py", "12", "--seed", "5")


@pytest.mark.long
def test_much_that_is_made_up_is_answered_or_refused() -> None:
    assert "300 cases, 0 wrong" in run("fuzz.py", "300", "--seed", "6")


@pytest.mark.long
def test_a_killed_process_loses_nothing() -> None:
    writes = ["--writes", "2"] if shutil.which("gcc") else ["--writes", "0"]
    assert " 0 lost" in run("kills.py", "--times", "1", *writes, "--changes", "init", "append", "swap", "compact", "rescue")


@pytest.mark.long
def test_a_damaged_hub_says_so() -> None:
    assert " 0 wrong" in run("damage.py", "40", "--seed", "2")


def test_attacks_read_no_row_where_there_is_something_against_them() -> None:
    assert "0 wrong" in run("attacks.py", "torso1")


@pytest.mark.long
def test_attacks_read_no_word_where_the_salt_is_kept() -> None:
    assert "0 wrong" in run("attacks.py")
