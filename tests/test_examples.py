"""The short programs of examples/registries run from end to end on the data of the repository, and find what they must."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROGRAMS = {
    "outcomes": ([], "points of accuracy here, on the average of"),
    "fitted": (["skops"], "torso1"),
    "hugging_face": (["yaml"], "1 left out, 2 registered"),
    "mlflow_registry": (["mlflow", "sqlalchemy"], "torso1 1 is best on 50 labelled rows"),
    "agent": (["mcp"], "no_such.parquet does not exist"),
}


@pytest.mark.long
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_runs_and_finds(name: str, tmp_path: Path) -> None:
    needed, said = PROGRAMS[name]
    for module in needed:
        pytest.importorskip(module)
    program = ROOT / "examples" / "registries" / f"{name}.py"
    ran = subprocess.run(
        [sys.executable, str(program)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert said in ran.stdout
    # Nothing is left where it is run.
    assert not list(tmp_path.iterdir())
