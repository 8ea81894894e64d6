"""What the SQL of the hub claims holds three ways: SQL alone, with the numpy functions, in the stock shell.

A claim is a row (sentence, whether it holds) of a query in ``claims/``: a file for each of ``sql/values``, one for ``sql/public``.
"""

from __future__ import annotations

import csv
import subprocess
from pathlib import Path

import duckdb
import pytest
from conftest import stock_shell

import modelhub_sql
from modelhub_sql import sql

HERE = Path(__file__).parent
FILES = sorted(HERE.joinpath("claims").glob("*.sql"))

Claims = list[tuple[str, bool]]


def claims_of(con: duckdb.DuckDBPyConnection, file: Path) -> Claims:
    found: Claims = []
    con.execute("SET file_search_path = ?", [str(HERE)])
    for statement in con.extract_statements(file.read_text(encoding="utf-8")):
        is_claim = statement.type == duckdb.StatementType.SELECT
        rows = con.execute(statement).fetchall()
        if is_claim:
            assert rows, f"no claim is made by {statement.query}"
            found += rows
    return found


def assert_all_hold(claims: Claims) -> None:
    assert claims
    assert [claim for claim, holds in claims if holds is not True] == []


def test_every_file_of_values_has_its_claims() -> None:
    assert [file.stem for file in FILES] == sorted([*sql.scripts("values"), "public"])


@pytest.mark.one_in(2)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_claims_hold_in_sql_alone(stock: duckdb.DuckDBPyConnection, file: Path) -> None:
    assert_all_hold(claims_of(stock, file))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_claims_hold_with_the_numpy_functions(sensor_hub: modelhub_sql.Hub, file: Path) -> None:
    assert_all_hold(claims_of(sensor_hub.con, file))


@pytest.mark.one_in(3)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_claims_hold_in_the_stock_shell(sensor_hub_path: str, file: Path) -> None:
    run = subprocess.run(
        [stock_shell(), "-csv", "-noheader", "-bail", "-readonly", sensor_hub_path],
        input=file.read_text(encoding="utf-8"),
        cwd=HERE,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    claims = [(claim, holds == "true") for claim, holds in csv.reader(run.stdout.splitlines())]
    assert_all_hold(claims)
    statements = duckdb.extract_statements(file.read_text(encoding="utf-8"))
    assert len(claims) >= sum(statement.type == duckdb.StatementType.SELECT for statement in statements)
