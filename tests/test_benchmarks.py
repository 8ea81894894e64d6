"""The benchmarks run from end to end at tiny sizes. What they compare is checked in them; times never are."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from datasketch import MinHash

from modelhub_sql.udfs.minhash import signatures

ROOT = Path(__file__).parent.parent
BENCHMARKS = ROOT / "examples" / "benchmarks"

TINY = {
    "minhash": ["--sizes", "20x30", "3x500"],
    "sketching": [
        *("--shapes", "1200x3", "--memory-shape", "30000x2", "--memory-limit", "300"),
    ],
    "memory": ["--cells", "2000", "--columns", "4", "--rows", "2000", "--models", "4"],
    "closing": ["--models", "4"],
    "counting": ["--columns", "3", "--rows", "1200"],
    "search": ["--models", "20", "--targets", "10", "--queries", "1", "--query-partitions", "10"],
    "manifest": ["--datasets", "12", "--rows", "60"],
    "names": ["--models", "12", "--wide-models", "3", "--wide-features", "25"],
    "shared_hub": ["--models", "2", "--rows", "300", "--columns", "2", "--synced", "4", "--synced-rows", "300"],
    "registering": ["--datasets", "5", "--rows", "1200", "--columns", "5"],
}


def tables(page: str) -> list[list[list[str]]]:
    """The cells of each table of a Markdown page, without its head."""
    blocks = [block.splitlines() for block in page.split("\n\n") if block.startswith("|")]
    return [[[cell.strip() for cell in line.strip("|").split("|")] for line in block[2:]] for block in blocks]


@pytest.mark.long
@pytest.mark.parametrize("name", TINY)
def test_a_benchmark_runs_and_writes_what_it_prints(name: str, tmp_path: Path) -> None:
    call = [sys.executable, str(BENCHMARKS / f"{name}.py"), "--repeats", "1", "--results", str(tmp_path), *TINY[name]]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(call, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    page = tmp_path.joinpath(f"{name}.md").read_text(encoding="utf-8")
    assert page.strip() == done.stdout.strip()
    assert all(rows for rows in tables(page))
    # A contestant that failed stands in its table with what it raised.
    assert not re.search(r"\b\w+(Error|Exception)\b", page)
    if name == "sketching":
        *_, memory = tables(page)
        assert [row[-1] for row in memory] == ["yes"]
    if name == "search":
        *_, recalls = tables(page)
        # With as many candidates as models nothing is left out, so that the search is the exact one.
        assert {tuple(row[-4:]) for row in recalls if "auto" in row} == {("auto", "1.000", "1.000", "1.000")}


def test_every_benchmark_is_run_here_and_described() -> None:
    programs = {path.stem for path in BENCHMARKS.glob("*.py")} - {"measuring", "synthetic_hub"}
    page = ROOT.joinpath("docs", "performance.md").read_text(encoding="utf-8")
    assert programs == set(TINY)
    for program in programs:
        assert f"examples/benchmarks/{program}.py" in page, program


def test_the_minhash_contestants_are_given_the_same_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    minhash = importlib.import_module("minhash")
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**32, 50, dtype=np.uint32)
    theirs = MinHash(num_perm=64, seed=1, scheme="affine32", hashfunc=int)
    theirs.update_batch(hashes.tolist())
    a, b = (np.asarray(side, np.uint32) for side in theirs.permutations)
    ours = signatures(minhash.finalised(hashes), np.array([0, 50]), a, b)
    assert ours.tolist() == [theirs.hashvalues.tolist()]
