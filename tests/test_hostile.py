"""A hub of a stranger: whatever its file holds, nothing of it runs; it answers as a good hub does, or is refused by its name."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import data

import modelhub_sql
from modelhub_sql import HubError, HubFormatError

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

# Few features, so that many searches take little time.
EXCLUDE = {
    "beer": ["label", "split", "left_beer_name", "left_brew_factory_name", "right_beer_name", "right_brew_factory_name"],
    "fodors_zagats": ["label", "split", "left_name", "left_addr", "left_phone", "right_name", "right_addr", "right_phone"],
}
MAX_JS = 0.5
# Seconds for all verbs on one hub, of which a good one needs two.
LIMIT = 30

#: What the hub's file is called, and its catalog where it is opened.
FILE = "of_a_stranger"

#: What is said or stored where something of a hub ran. No statement below has these texts in it, only what it makes of its parts.
MARKS = ("it ran", "hunter2", "HOME=")


# -- a scene: the hub, and what an attack is after ------------------------------------------


@dataclass(frozen=True)
class Scene:
    """A hub to change, and around it what must not be read, written or changed."""

    folder: Path

    @property
    def hub(self) -> Path:
        return self.folder / f"{FILE}.duckdb"

    @property
    def other(self) -> Path:
        """A hub of the user."""
        return self.folder / "other.duckdb"

    @property
    def loot(self) -> Path:
        """A folder that stays empty."""
        return self.folder / "loot"

    def filled(self, statement: str) -> str:
        """A statement with the places of this scene."""
        # A glob: the name of the secret file is a secret, too.
        places = {"secret": self.folder / "*.txt", "loot": self.loot, "other": self.other, "beer": data("beer")}
        for name, place in places.items():
            statement = statement.replace(f"{{{name}}}", str(place))
        return statement

    @contextmanager
    def beside(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection with the file beside it, of which nothing is called unless its name is given in full."""
        with duckdb.connect() as con:
            con.execute(f"ATTACH '{self.hub}' AS {FILE}")
            yield con

    def tables(self) -> dict[str, int]:
        """The tables of the hub's file and, of those that are none of the hub's own, how many rows they have."""
        with self.beside() as con:
            names = con.execute(f"SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = '{FILE}'").fetchall()
            return {
                f"{schema}.{table}": -1 if schema == "_hub" else len(con.execute(f'FROM {FILE}."{schema}"."{table}"').fetchall())
                for schema, table in sorted(names)
            }

    def sketch(self) -> list[Any]:
        """What is stored of datasets."""
        with self.beside() as con:
            return [con.execute(f"FROM {FILE}._hub.{name} ORDER BY ALL").fetchall() for name in ("features", "partition_counts")]


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A hub with two models, which nobody has changed."""
    scene = Scene(tmp_path_factory.mktemp("good"))
    with modelhub_sql.connect(scene.hub, partition_size=100) as hub:
        for name, exclude in EXCLUDE.items():
            hub.register(name, data(name), exclude=exclude, accuracy=0.9, task="matching", uri=f"models/{name}")
    return scene


@pytest.fixture(scope="session")
def good_answers(good: Scene, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the verbs say of it, and what is stored when they have changed it."""
    scene = Scene(tmp_path_factory.mktemp("answers"))
    shutil.copy(good.hub, scene.hub)
    return {**said(scene.hub, [*VERBS], read_only=False), "stored": scene.sketch()}


@pytest.fixture
def scene(good: Scene, tmp_path: Path) -> Scene:
    """A copy of the good hub to change, with a secret file and another hub beside it."""
    made = Scene(tmp_path)
    (tmp_path / "hunter2.txt").write_text("password=hunter2")
    made.loot.mkdir()
    shutil.copy(good.hub, made.hub)
    shutil.copy(good.hub, made.other)
    return made


# -- the verbs -------------------------------------------------------------------------------


def target(name: str = "beer") -> dict[str, Any]:
    return {"target": data(name), "exclude": EXCLUDE[name]}


def listed(hub: modelhub_sql.Hub) -> list[Any]:
    rows: list[Any] = hub.models().select("* EXCLUDE registered_at").fetchall()
    return rows


def found(hub: modelhub_sql.Hub) -> list[Any]:
    columns = "model, adaptivity, * EXCLUDE (model, adaptivity)"
    rows: list[Any] = hub.find_models(**target(), max_js=MAX_JS).select(columns).fetchall()
    return rows


def first(hub: modelhub_sql.Hub) -> str:
    listed = hub.models().select("model").fetchall()
    return str(listed[0][0]) if listed else "beer"


def registered(hub: modelhub_sql.Hub) -> list[Any]:
    hub.register("mine", data("beer"), exclude=EXCLUDE["beer"][:4])
    return listed(hub)


def removed(hub: modelhub_sql.Hub) -> list[Any]:
    hub.remove(first(hub))
    return listed(hub)


VERBS: dict[str, Callable[[modelhub_sql.Hub], Any]] = {
    "list": listed,
    "find": found,
    "explain": lambda hub: hub.explain(first(hub), **target()).fetchall(),
    "explain_partitions": lambda hub: hub.explain_partitions(first(hub), **target(), max_js=MAX_JS).fetchall(),
    "list in SQL": lambda hub: hub.sql("SELECT * EXCLUDE registered_at FROM list_models").fetchall(),
    "explain in SQL": lambda hub: hub.sql("FROM explain_features('beer', ?, exclude := ?)", [*target().values()]).fetchall(),
    "register": registered,
    "remove": removed,
}
#: The verbs without those in SQL, those of who only searches, and of who only changes.
MOST = tuple(verb for verb in VERBS if "SQL" not in verb)
FINDING = ("list", "find")
SEARCHING = (*FINDING, "explain")
CHANGING = ("register", "remove")


def rounded(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [rounded(part) for part in value]
    return round(value, 9) if isinstance(value, float) else value


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Stops what takes longer."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"not done in {seconds} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def said(path: Path, verbs: Sequence[str], *, read_only: bool) -> dict[str, Any]:
    """What each verb answers or raises; only ``open`` where the hub can't be opened."""
    answers: dict[str, Any] = {}
    with limited(LIMIT):
        try:
            hub = modelhub_sql.connect(path, read_only=read_only)
        except Exception as error:
            return {"open": error}
        with hub:
            for verb in verbs:
                try:
                    answers[verb] = rounded(VERBS[verb](hub))
                except Exception as error:
                    answers[verb] = error
    return answers


# -- the attacks ------------------------------------------------------------------------------

Change = Callable[[duckdb.DuckDBPyConnection, Scene], None]

FAILS = "error('it ' || 'ran')"
READS = "(SELECT content FROM read_text('{secret}'))"
LISTS = "(SELECT string_agg(file, ',') FROM glob('{secret}'))"
ENVIRONMENT = "(SELECT content::VARCHAR FROM read_blob('/proc/self/environ'))"
LOGS = "(SELECT count(*) FROM enable_logging(level := 'info', storage := 'file', storage_path := '{loot}/log'))"
PROFILES = "(SELECT count(*) FROM enable_profiling(format := 'json', save_location := '{loot}/profile.json'))"
NETWORK = "(SELECT content FROM read_text('http://127.0.0.1:9/' || target::VARCHAR))"
ENDLESS = "(SELECT max(hash(a.range * b.range)) FROM range(3000000) AS a, range(3000000) AS b)"

CALLS = {
    "find_models": "find_models('{beer}')",
    "explain_features": "explain_features('beer', '{beer}')",
    "explain_partitions": "explain_partitions('beer', '{beer}')",
    "sketch": "sketch('{beer}')",
    "list_models": "list_models",
    "help": "help",
}


def instead_of(name: str, expression: str) -> Change:
    """What users call, with the same parameters and columns; each text is what the expression says."""

    def change(con: duckdb.DuckDBPyConnection, scene: Scene) -> None:
        columns = con.execute(scene.filled(f"DESCRIBE FROM {CALLS[name]}")).fetchall()
        words = f"concat('it ', 'ran: ', {expression})"
        values = [f'{words if type_ == "VARCHAR" else "NULL"}::{type_} AS "{column}"' for column, type_, *_ in columns]
        if not any(words in value for value in values):
            values[0] = f'error({words})::{columns[0][1]} AS "{columns[0][0]}"'
        query = f"SELECT {', '.join(values)}"
        macro = con.execute(
            "SELECT parameters FROM duckdb_functions() WHERE schema_name = 'main' AND NOT internal AND function_name = ?", [name]
        ).fetchall()
        if macro:
            needed = CALLS[name].count("'") // 2
            parameters = [f'"{p}"' if place < needed else f'"{p}" := NULL' for place, p in enumerate(macro[0][0])]
            statement = f"CREATE OR REPLACE MACRO main.{name}({', '.join(parameters)}) AS TABLE {query}"
        else:
            statement = f"CREATE OR REPLACE VIEW main.{name} AS {query}"
        con.execute(scene.filled(statement))

    return change


def remade(table: str, old: str, new: str, *leaving: str) -> Change:
    """A base table with something else in its definition, and the same rows but for some columns."""

    def change(con: duckdb.DuckDBPyConnection, scene: Scene) -> None:
        ((definition,),) = con.execute(
            "SELECT sql FROM duckdb_tables() WHERE schema_name = '_hub' AND table_name = ?", [table]
        ).fetchall()
        assert definition.count(old) == 1, f"{old} is not in {definition}"
        con.execute(f"CREATE TABLE main.kept AS FROM _hub.{table}; DROP TABLE _hub.{table}")
        con.execute(scene.filled(definition.replace(old, new)))
        exclude = f"EXCLUDE ({', '.join(leaving)})" if leaving else ""
        con.execute(f"INSERT INTO _hub.{table} BY NAME SELECT * {exclude} FROM main.kept; DROP TABLE main.kept")

    return change


def view_in_place_of(table: str) -> Change:
    """A view of that name, with the same columns and no rows, which shows a secret."""

    def change(con: duckdb.DuckDBPyConnection, scene: Scene) -> None:
        con.execute(f"CREATE TABLE _hub.kept AS FROM _hub.{table}; DROP TABLE _hub.{table}")
        shown = f"{READS} = 'nothing' OR error('it ' || 'ran: ' || {READS})"
        con.execute(scene.filled(f"CREATE VIEW _hub.{table} AS FROM _hub.kept WHERE {shown}"))

    return change


def shadowing(schema: str, names: tuple[str, ...]) -> list[str]:
    """Macros of those names in that schema, for up to four arguments."""
    # A body without any function, which could be one of those.
    bodies = ", ".join(f"({given}) AS {READS}" for given in ("", "a", "a, b", "a, b, c", "a, b, c, d"))
    return [f'CREATE OR REPLACE MACRO {schema}."{name}" {bodies}' for name in names]


def tables_shadowing(schema: str, names: tuple[str, ...]) -> list[str]:
    rows = f"AS TABLE (SELECT {FAILS} AS a)"
    return [f'CREATE OR REPLACE MACRO {schema}."{name}" () {rows}, (x) {rows}, (x, y) {rows}' for name in names]


def every_macro(schema: str, expression: str) -> Change:
    """All macros of a schema with something else in them."""

    def change(con: duckdb.DuckDBPyConnection, scene: Scene) -> None:
        macros = con.execute(
            "SELECT DISTINCT function_name, function_type, parameters FROM duckdb_functions() WHERE schema_name = ? AND NOT internal",
            [schema],
        ).fetchall()
        assert macros
        for name, type_, parameters in macros:
            quoted = ", ".join(f'"{parameter}"' for parameter in parameters)
            body = f"TABLE SELECT {expression} AS a" if type_ == "table_macro" else expression
            con.execute(scene.filled(f'CREATE OR REPLACE MACRO {schema}."{name}"({quoted}) AS {body}'))

    return change


def every_view(expression: str) -> Change:
    """All views with something else in them."""

    def change(con: duckdb.DuckDBPyConnection, scene: Scene) -> None:
        for (name,) in con.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal AND schema_name = 'main'").fetchall():
            con.execute(scene.filled(f'CREATE OR REPLACE VIEW main."{name}" AS SELECT {expression} AS model'))

    return change


def scripts(*more: str) -> list[str | Change]:
    """The scripts that the file carries, with more before and after."""
    added = "".join(f"{statement};\n" for statement in more)
    return [f"UPDATE _hub.verbs SET script = $${added}$$ || script || $$;{added}$$"]


def settings(value: str, *chosen: str) -> Change:
    """Another value of settings of the hub: of those named, or all of a type. A check that holds one to its value is changed, too."""

    def change(con: duckdb.DuckDBPyConnection, scene: Scene) -> None:
        new = scene.filled(value)
        for table in ("format", "defaults"):
            ((definition,),) = con.execute(
                "SELECT sql FROM duckdb_tables() WHERE schema_name = '_hub' AND table_name = ?", [table]
            ).fetchall()
            columns = [
                column for column, type_, *_ in con.execute(f"DESCRIBE _hub.{table}").fetchall()
                if column in chosen or (type_ in chosen and column != "format_version")
            ]  # fmt: skip
            for column in columns:
                held = rf"\({column} IS NOT DISTINCT FROM (?:[^()']|'[^']*'|\([^()]*\))*\)"
                definition = re.sub(held, f"({column} IS NOT DISTINCT FROM {new})", definition)
            con.execute(f"CREATE TABLE main.kept AS FROM _hub.{table}; DROP TABLE _hub.{table}")
            con.execute(definition)
            replaced = ", ".join(f"{new} AS {column}" for column in columns)
            con.execute(f"INSERT INTO _hub.{table} SELECT * {f'REPLACE ({replaced})' if columns else ''} FROM main.kept")
            con.execute("DROP TABLE main.kept")

    return change


def triggers(action: str, *events: str) -> Change:
    """A trigger on every table that changes, whose action calls the file what it is called where it is opened."""

    def change(con: duckdb.DuckDBPyConnection, scene: Scene) -> None:
        # A file of a storage version that has triggers.
        newer = scene.folder / "newer.duckdb"
        try:
            con.execute(f"ATTACH '{newer}' AS newer (STORAGE_VERSION 'v2.0.0'); COPY FROM DATABASE {FILE} TO newer")
        except duckdb.Error:
            pytest.skip("this DuckDB has no triggers")
        con.execute(f"USE memory; DETACH {FILE}; DETACH newer")
        shutil.move(newer, scene.hub)
        con.execute(f"ATTACH '{scene.hub}' AS {FILE}; USE {FILE}; CREATE TABLE main.caught (what VARCHAR)")
        for table in ("datasets", "models", "features", "partition_counts"):
            for event in events or ("INSERT", "UPDATE", "DELETE"):
                con.execute(
                    scene.filled(
                        f"CREATE TRIGGER on_{event}_of_{table} AFTER {event} ON _hub.{table} FOR EACH STATEMENT {action}"
                    )
                )

    return change


BUILT_IN = (
    "abs", "array_to_string", "avg", "ceil", "coalesce", "concat", "contains", "count", "current_database", "current_schema",
    "current_setting", "date_part", "epoch_us", "error", "exp", "first", "flatten", "floor", "getvariable", "greatest", "hash",
    "if", "ifnull", "isfinite", "isnan", "jaro_winkler_similarity", "least", "left", "len", "length", "list", "list_contains",
    "list_distinct", "list_filter", "list_inner_product", "list_position", "list_sort", "list_transform", "list_value", "ln",
    "lower", "make_timestamp", "max", "max_by", "md5", "md5_number", "min", "mod", "now", "nullif", "pi", "quote_ident", "regexp_extract",
    "regexp_matches", "regexp_replace", "regexp_split_to_array", "replace", "round", "row", "row_number", "sha1", "sha256", "split_part",
    "sqrt", "starts_with", "string_agg", "string_split", "strlen", "struct_pack", "sum", "trim", "typeof", "unnest", "upper", "words",
    "+", "-", "*", "/", "%", "||", "<<", "|", "//", "~~", "=", "<>", ">=", "count_star", "array_extract", "array_slice", "list_slice",
    "list_extract", "struct_extract", "regexp_full_match", "any_value", "arg_max", "bool_or", "gcd", "list_min", "sinh", "asinh", "quoted_path", "modelhub_elements", "modelhub_histograms", "modelhub_minhash",
    "modelhub_matches", "modelhub_jslsh",
)  # fmt: skip
BUILT_IN_TABLES = (
    "duckdb_tables", "duckdb_views", "duckdb_functions", "duckdb_columns", "duckdb_schemas", "duckdb_databases", "duckdb_constraints",
    "duckdb_indexes", "duckdb_settings", "duckdb_triggers", "duckdb_types", "duckdb_variables", "glob", "parquet_scan", "pragma_table_info",
    "query", "query_table", "range", "generate_series", "read_csv", "read_json", "read_parquet", "read_text", "seq_scan", "unnest",
)  # fmt: skip
BUILT_IN_VIEWS = (
    "duckdb_tables", "duckdb_views", "duckdb_columns", "duckdb_schemas", "duckdb_constraints", "duckdb_indexes", "duckdb_settings",
    "sqlite_master", "pragma_database_list", "tables", "columns", "pg_class",
)  # fmt: skip


class Outcome(Enum):
    SAME = "it answers as the good hub does"
    REFUSED = "it is refused when it is opened: it is no hub"
    EITHER = "one of the two"
    SAFE = "its rows say something else, and so may its answers; an error is one of a hub, and names the file"


SAME, REFUSED, EITHER, SAFE = Outcome
IN_ALL = ("main", "_logic", "_format", "_hub")

#: Name, what is changed in the file, what comes of it, and the verbs that are tried where not all are.
ATTACKS: list[tuple[Any, ...]] = [
    # What users call.
    ("what users call reads, lists, logs and profiles", [
        instead_of("find_models", READS), instead_of("explain_features", LISTS), instead_of("explain_partitions", ENVIRONMENT),
        instead_of("sketch", LOGS), instead_of("list_models", PROFILES), instead_of("help", READS),
    ], SAME, tuple(VERBS)),
    ("find_models goes to the network, all views read a file", [instead_of("find_models", NETWORK), every_view(READS)], SAME, FINDING),
    ("all is endless", [
        *(instead_of(name, ENDLESS) for name in ("find_models", "explain_features", "list_models")),
        every_macro("_logic", ENDLESS), every_macro("_format", ENDLESS),
    ], SAME, SEARCHING),
    # What is behind it.
    ("all macros fail", [every_macro(schema, FAILS) for schema in IN_ALL[:3]], SAME),
    ("no logic at all", ["DROP SCHEMA _logic CASCADE; DROP SCHEMA _format CASCADE"], SAME, SEARCHING),
    ("a digest of other logic", [f"UPDATE _hub.logic SET version = '999', digest = $${FAILS}$$"], SAME, CHANGING),
    (
        "macros of main are called like functions, and a digest of other logic",
        [*shadowing("main", BUILT_IN), "UPDATE _hub.logic SET version = '999', digest = 'other'"], SAME, CHANGING,
    ),
    ("macros of main are called like functions", [*shadowing("main", BUILT_IN)], SAME),
    ("macros of other schemas are called like functions", [each for schema in IN_ALL[1:] for each in shadowing(schema, BUILT_IN)], SAME, (*FINDING, "register")),
    ("macros of main are called like table functions", [*tables_shadowing("main", BUILT_IN_TABLES)], SAME),
    ("macros and views of other schemas are called like table functions and views", [
        *(each for schema in IN_ALL[1:] for each in tables_shadowing(schema, BUILT_IN_TABLES)),
        *(f'CREATE VIEW {schema}."{name}" AS SELECT {FAILS} AS table_name' for schema in IN_ALL for name in BUILT_IN_VIEWS),
    ], SAME, SEARCHING),
    ("schemas are called like catalogs", [
        f'CREATE SCHEMA {FILE}."{schema}"; CREATE VIEW {FILE}."{schema}".{name} AS SELECT {FAILS} AS model'
        for schema, name in [("hub", "models"), ("memory", "models"), ("temp", "list_models"), ("system", "main"), ("pg_temp", "models"), (FILE, "_hub"), ("modelhub_logic", "list_models")]
    ], SAME),
    # Scripts.
    ("scripts write a file, and are endless", scripts("COPY (SELECT 'echo') TO '{loot}/bashrc' (FORMAT csv, HEADER false)", f"SELECT {ENDLESS}"), SAME, CHANGING),
    ("scripts empty another hub and this one", scripts("ATTACH '{other}' AS victim; DELETE FROM victim._hub.models; DELETE FROM _hub.models"), SAME, CHANGING),
    ("scripts load an extension", scripts("LOAD '{loot}/evil.duckdb_extension'"), SAME, CHANGING),
    ("scripts keep the rows", scripts(f"COMMIT; CREATE TABLE {FILE}.main.stolen AS FROM '{{beer}}'; BEGIN"), SAME, CHANGING),
    ("no scripts", ["DELETE FROM _hub.verbs"], SAME, CHANGING),
    ("a view of scripts", [view_in_place_of("verbs")], EITHER, CHANGING),
    # What is no table.
    *((f"a view in place of {table}", [view_in_place_of(table)], REFUSED) for table in (
        "format", "defaults", "datasets", "models", "features", "partition_counts", "minhash_functions",
    )),
    ("no table of models", ["DROP TABLE _hub.models"], REFUSED),
    ("the tables are in main", ["DROP VIEW main.models; CREATE TABLE main.models AS FROM _hub.models; DROP TABLE _hub.models"], REFUSED),
    # What a table does of its own.
    (
        "a generated column calls a macro",
        ["CREATE MACRO main.told(x) AS concat('it ', 'ran ', x)", remade("models", "task VARCHAR", "task VARCHAR AS (told(model))", "task")],
        REFUSED,
    ),
    ("a generated column fails", [remade("features", "mean DOUBLE", f"mean DOUBLE AS (CASE WHEN dataset_id > 2 THEN {FAILS} END::DOUBLE)", "mean")], REFUSED),
    ("one more generated column", [remade("features", "mean DOUBLE", "mean DOUBLE, more VARCHAR AS (upper(feature))")], REFUSED),
    (
        "a default calls a macro",
        [f"CREATE MACRO main.fails() AS {FAILS}", remade("models", "task VARCHAR", "task VARCHAR DEFAULT (fails())")],
        REFUSED,
    ),
    (
        "one more column, whose default fails",
        ["ALTER TABLE _hub.models ADD COLUMN more VARCHAR", f"ALTER TABLE _hub.models ALTER more SET DEFAULT {FAILS}"],
        REFUSED,
    ),
    (
        "a default that counts",
        ["CREATE SEQUENCE main.counter", remade("datasets", "spread DOUBLE", "more BIGINT DEFAULT (nextval('main.counter')), spread DOUBLE")],
        REFUSED,
    ),
    (
        "a check calls a macro",
        [
            f"CREATE MACRO main.checked(x) AS CASE x WHEN 'mine' THEN {FAILS} ELSE x END",
            remade("models", "task VARCHAR", "task VARCHAR, CHECK (checked(model) IS NOT NULL)"),
        ],
        REFUSED,
    ),
    ("a check fails", [remade("features", "mean DOUBLE", f"mean DOUBLE, CHECK (CASE WHEN dataset_id > 2 THEN {FAILS} ELSE '' END = '')")], REFUSED),
    (
        "an index on an expression",
        ["CREATE INDEX i ON _hub.models ((CASE WHEN model = 'mine' THEN 'it ' || 'ran' ELSE '1' END::INTEGER))"],
        REFUSED,
    ),
    ("an index that lets only one in", ["CREATE UNIQUE INDEX i ON _hub.datasets ((least(dataset_id, 2)))"], EITHER, CHANGING),
    ("an index", ["CREATE INDEX i ON _hub.features (kind)"], EITHER, CHANGING),
    (
        "a table that holds on to others",
        ["CREATE TABLE _hub.holding (dataset_id UINTEGER REFERENCES _hub.datasets (dataset_id)); INSERT INTO _hub.holding VALUES (1)"],
        EITHER,
        CHANGING,
    ),
    ("triggers keep a secret", [triggers(f"INSERT INTO {FILE}.main.caught SELECT {READS}")], REFUSED, CHANGING),
    ("triggers log to a file", [triggers(f"INSERT INTO {FILE}.main.caught SELECT {LOGS}::VARCHAR", "INSERT")], REFUSED, CHANGING),
    ("triggers fail", [triggers(f"INSERT INTO {FILE}.main.caught SELECT {FAILS}", "INSERT")], REFUSED, CHANGING),
    # Columns.
    ("texts that are blobs", [remade("models", "framework VARCHAR", "framework BLOB")], REFUSED),
    ("numbers that are text", [remade("datasets", "partitions UINTEGER", "partitions VARCHAR")], REFUSED),
    ("lists that are text", [remade("features", "counts UBIGINT[]", "counts VARCHAR")], REFUSED),
    ("counts that are fractions", [remade("partition_counts", "frequent UINTEGER[]", "frequent DOUBLE[]")], REFUSED),
    (
        "a type of the file's own",
        ["CREATE TYPE main.kind AS ENUM ('number', 'text', 'time')", remade("features", "kind VARCHAR", "kind main.kind")],
        REFUSED,
    ),
    ("a column is missing", [remade("features", "mean DOUBLE, ", "", "mean")], REFUSED),
    ("one more column", [remade("models", "task VARCHAR", "task VARCHAR, more VARCHAR")], EITHER),
    ("columns in another order", [remade("models", "uri VARCHAR, metadata VARCHAR", "metadata VARCHAR, uri VARCHAR")], EITHER),
    # Settings.
    ("a salt that is SQL", [settings("$$'||(SELECT 'it '||'ran')||error('it '||'ran')||'$$", "salt_fingerprint")], SAFE, (*SEARCHING, "register")),
    ("a salt that ends a statement", [settings("$$'); COPY (SELECT 1) TO '{loot}/salt'; --$$", "salt_fingerprint")], SAFE, FINDING),
    ("a partitioning that is SQL", [settings("$$'||error('it '||'ran')||'$$", "partitioning")], SAFE),
    ("partitions of no rows", [settings("0", "partition_size")], SAFE),
    ("a format of zeroes", [settings("0", "UINTEGER", "USMALLINT")], SAFE),
    ("a format of the greatest numbers", [settings("4294967295", "UINTEGER")], SAFE),
    ("a format that takes long", [settings("4294967295", "replicas", "text_bins", "partition_size")], SAFE),
    ("a format of the future", [settings("60000", "format_version")], REFUSED),
    ("thresholds that are no numbers", [settings("'NaN'::DOUBLE", "DOUBLE")], SAFE, FINDING),
    ("an endless JS-LSH", [settings("4294967295", "jslsh_bands", "jslsh_rows"), settings("'lsh'", "search")], SAFE, FINDING),
    ("a search that is SQL", [settings(f"$${FAILS}$$", "search", "rank_by", "sample_space")], SAFE, FINDING),
    ("two rows of defaults", ["INSERT INTO _hub.defaults FROM _hub.defaults"], SAFE, FINDING),
    ("no defaults", ["DELETE FROM _hub.defaults"], SAFE, FINDING),
    (
        "two formats",
        ["CREATE TABLE main.kept AS FROM _hub.format; DROP TABLE _hub.format", "CREATE TABLE _hub.format AS FROM main.kept UNION ALL FROM main.kept"],
        SAFE,
    ),
    ("no format", ["DELETE FROM _hub.format"], REFUSED),
    ("no MinHash functions", ["DELETE FROM _hub.minhash_functions"], SAFE),
    # Rows.
    (
        "rows without end",
        ["UPDATE _hub.datasets SET partitions = 4294967295, rows = 18446744073709551615, spread = 'NaN'", "UPDATE _hub.features SET mean = 'inf', spread = 'NaN', elements = 4294967295, \"values\" = 18446744073709551615, counts = list_transform(counts, lambda n: 18446744073709551615)"],
        SAFE,
        FINDING,
    ),
    ("bins that are NULL", ["UPDATE _hub.features SET bins = list_transform(bins, lambda b: NULL), minhash = [NULL]"], SAFE, FINDING),
    ("short signatures", ["UPDATE _hub.features SET minhash = minhash[:3]"], SAFE, FINDING),
    ("a feature twice", ["INSERT INTO _hub.features FROM _hub.features; INSERT INTO _hub.partition_counts FROM _hub.partition_counts"], SAFE, FINDING),
    ("long histograms", ["UPDATE _hub.partition_counts SET frequent = list_resize(frequent || rare, 5000, 4294967295)"], SAFE, FINDING),
    ("histograms of NULL", ["UPDATE _hub.partition_counts SET frequent = list_transform(frequent, lambda n: NULL)"], SAFE, FINDING),
    ("partitions that there are none of", ["UPDATE _hub.partition_counts SET partition_id = 4294967295 - partition_id"], SAFE, FINDING),
    ("a dataset that is not there", ["UPDATE _hub.models SET dataset_id = 4294967295"], SAFE, SEARCHING),
    ("no further dataset", ["INSERT INTO _hub.datasets SELECT * REPLACE (4294967295 AS dataset_id) FROM _hub.datasets LIMIT 1"], SAFE, CHANGING),
    ("a time without end", ["UPDATE _hub.models SET registered_at = 'infinity', metadata = '{oops', source_accuracy = 'NaN'"], SAFE, ("list", *CHANGING)),
    (
        "SQL in all texts",
        [
            f"UPDATE _hub.models SET task = $$'||{FAILS}||'$$, uri = $$'); {FAILS} --$$",
            f"UPDATE _hub.datasets SET dataset = $$'||{FAILS}||'$$, source = '{{secret}}', excluded = [$$\"; {FAILS}$$]",
            f"UPDATE _hub.features SET feature = $$'||{FAILS}||'\"); {FAILS} --$$ || feature, kind = CASE kind WHEN 'text' THEN $${FAILS}$$ ELSE kind END",
            f"INSERT INTO _hub.outcomes SELECT 'beer', '', $$'||{FAILS}||'{{secret}}$$ || i, i, 'far', 'nan', -1, 'accuracy', 'inf', 0, 'nan', now() FROM range(9) AS r(i)",
            f"INSERT INTO _hub.outcomes VALUES ('beer', '', '', 1, $${FAILS}$$, 1, 1, $${FAILS}$$, 1, 1, 1, now())",
        ],
        SAFE,
        SEARCHING,
    ),
]  # fmt: skip


def attack(name: str) -> tuple[list[str | Change], Outcome, tuple[str, ...]]:
    """What is changed, what comes of it, and the verbs to try."""
    ((statements, outcome, *verbs),) = (row for known, *row in ATTACKS if known == name)
    return statements, outcome, verbs[0] if verbs else MOST


def attacked(scene: Scene, statements: Sequence[str | Change]) -> None:
    """Change the file."""
    with scene.beside() as con:
        con.execute(f"USE {FILE}")
        for statement in statements:
            if isinstance(statement, str):
                con.execute(scene.filled(statement))
            else:
                statement(con, scene)


def what_ran(scene: Scene, answers: dict[str, Any]) -> list[str]:
    """What is seen of statements of the file: in answers and messages, in the folder, in another hub."""
    seen = [f"{verb} says {mark!r}" for verb, answer in answers.items() for mark in MARKS if mark in str(answer)]
    seen += [f"{path} was written" for path in scene.loot.iterdir()]
    return seen


def what_is_wrong(scene: Scene, outcome: Outcome, answers: dict[str, Any], good_answers: dict[str, Any]) -> list[str]:
    wrong = []
    for verb, answer in answers.items():
        short = f"{verb}: {type(answer).__name__}: {answer!s:.300}"
        if isinstance(answer, HubError):
            if outcome is SAME:
                wrong.append(short)
            elif scene.hub.name not in str(answer):
                wrong.append(f"does not name the file: {short}")
            elif outcome is REFUSED and not (verb == "open" and isinstance(answer, HubFormatError)):
                wrong.append(f"should be a HubFormatError when it is opened: {short}")
        elif isinstance(answer, Exception):
            wrong.append(f"is no HubError: {short}")
        elif outcome is REFUSED:
            wrong.append(f"is not refused: {verb}")
        elif outcome is not SAFE and answer != good_answers[verb]:
            wrong.append(f"should be as of the good hub: {short}")
    return wrong


def test_a_good_hub_answers(good_answers: dict[str, Any]) -> None:
    assert set(good_answers) == {*VERBS, "stored"}
    assert [verb for verb, answer in good_answers.items() if isinstance(answer, Exception) or not answer] == []
    assert [row[0] for row in good_answers["list"]] == ["beer", "fodors_zagats"]
    assert [row[0] for row in good_answers["register"]] == ["beer", "fodors_zagats", "mine"]
    assert [row[0] for row in good_answers["remove"]] == ["fodors_zagats", "mine"]


@pytest.mark.parametrize(
    ("name", "queries"),
    [
        ("what users call reads, lists, logs and profiles", {
            "FROM find_models('{beer}')": "hunter2", "FROM explain_features('beer', '{beer}')": "hunter2",
            # DuckDB 1.5 reads nothing of a file that says it has no size.
            "FROM explain_partitions('beer', '{beer}')": "" if duckdb.__version__.startswith("1.") else "HOME=",
            "FROM sketch('{beer}')": "written to log",
            "FROM list_models": "written to profile.json",
        }),
        ("macros of main are called like functions", {"SELECT lower('A')": "hunter2"}),
        ("macros of main are called like table functions", {"FROM duckdb_tables()": "it ran"}),
        ("a view in place of models", {"FROM _hub.models": "it ran"}),
        ("a default calls a macro", {
            "INSERT INTO _hub.models (model, version, dataset_id, registered_at) VALUES ('', '', 1, now())": "it ran",
        }),
        ("a check fails", {"INSERT INTO _hub.features SELECT * REPLACE (3 AS dataset_id) FROM _hub.features": "it ran"}),
        ("triggers keep a secret", {"DELETE FROM _hub.features; FROM main.caught": "hunter2"}),
    ],
)  # fmt: skip
def test_the_attacks_reach_who_runs_the_sql_of_the_file(scene: Scene, name: str, queries: dict[str, str]) -> None:
    attacked(scene, attack(name)[0])
    for query, evidence in queries.items():
        with scene.beside() as con:
            con.execute(f"USE {FILE}")
            try:
                answer = str(con.execute(scene.filled(query)).fetchall())
                con.execute("SELECT 1").fetchall()
            except duckdb.Error as error:
                answer = str(error)
        assert evidence in answer + "".join(f" written to {path.name}" for path in scene.loot.iterdir()), query


@pytest.mark.one_in(6)
@pytest.mark.parametrize("name", [name for name, *_ in ATTACKS])
def test_nothing_of_a_file_runs(scene: Scene, good_answers: dict[str, Any], name: str) -> None:
    statements, outcome, verbs = attack(name)
    attacked(scene, statements)
    tables, other = scene.tables(), scene.other.read_bytes()
    changing = any(verb in CHANGING for verb in verbs)
    # What is refused is refused to all.
    wrong = []
    for read_only in (True, False) if outcome is REFUSED or set(verbs) >= set(MOST) else (not changing,):
        # Nobody waits for all verbs twice.
        tried = verbs if changing != read_only else ("list",)
        answers = said(scene.hub, tried, read_only=read_only)
        wrong += what_ran(scene, answers) + what_is_wrong(scene, outcome, answers, good_answers)
    if scene.tables() != tables:
        wrong.append(f"there were {tables}, now there are {scene.tables()}")
    if outcome is SAME and set(CHANGING) <= set(verbs) and not wrong and scene.sketch() != good_answers["stored"]:
        wrong.append("the sketches stored are others")
    if scene.other.read_bytes() != other:
        wrong.append("another hub was changed")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("table", ["models", "features", "outcomes"])
def test_what_is_no_table_is_named(scene: Scene, table: str) -> None:
    attacked(scene, [view_in_place_of(table)])
    for read_only in (True, False):
        with pytest.raises(HubFormatError, match=rf"{FILE}\.duckdb.*{table}.*is not a table"):
            modelhub_sql.connect(scene.hub, read_only=read_only)


# -- names ------------------------------------------------------------------------------------

NAMES = {
    "SQL": "x'); COPY (SELECT 1) TO '{loot}/name'; --",
    "a call": "'||error('it '||'ran')||'",
    "a variable": "getvariable('model')",
    "a reader": "read_text('{secret}')",
    "quotes": "\"'`$$",
    "the bell and a title": "\x07\x1b]0;owned\x07\x1b[31mred\x1b[0m",
    "lines": "a\nb\r\nc\td",
    "markup": "[bold red]x[/bold red] [link=http://127.0.0.1:9]here[/link]",
    "right to left": "\u202egnp.exe",
    "much": "x" * 10_000,
    "none": "",
}


def test_a_name_of_a_model_is_only_text(scene: Scene, good_answers: dict[str, Any]) -> None:
    names = sorted(scene.filled(name) for name in NAMES.values())
    with scene.beside() as con:
        con.execute(f"UPDATE {FILE}._hub.models SET model = ? WHERE model = 'beer'", [names[0]])
        for name in names[1:]:
            copied = "SELECT * REPLACE (? AS model, ? AS task, ? AS uri, ? AS metadata)"
            con.execute(
                f"INSERT INTO {FILE}._hub.models {copied} FROM {FILE}._hub.models WHERE model = ?",
                [name, name, name, name, names[0]],
            )
    with modelhub_sql.connect(scene.hub) as hub:
        assert sorted(row[0] for row in listed(hub)) == sorted([*names, "fodors_zagats"])
        assert {row[0] for row in found(hub)} >= set(names)
        for case in ("SQL", "lines", "none"):
            explained = hub.explain(scene.filled(NAMES[case]), **target())
            assert rounded(explained.fetchall()) == good_answers["explain"]
        hub.register(names[1], like=names[2], version="2")
        for name in names:
            hub.remove(name)
        assert [row[0] for row in listed(hub)] == ["fodors_zagats"]
    assert list(scene.loot.iterdir()) == []


# -- the command -----------------------------------------------------------------------------


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "modelhub_sql", *arguments], capture_output=True, text=True, encoding="utf-8", timeout=2 * LIMIT
    )


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    "name", ["what users call reads, lists, logs and profiles", "all is endless", "a view in place of models"]
)
def test_the_command_finds_what_it_finds_in_a_good_hub(scene: Scene, good_answers: dict[str, Any], name: str) -> None:
    statements, outcome, _ = attack(name)
    attacked(scene, statements)
    excluded = [text for column in EXCLUDE["beer"] for text in ("--exclude", column)]
    done = command("find", str(scene.hub), data("beer"), "--json", "--max-js", str(MAX_JS), *excluded)
    assert [mark for mark in MARKS if mark in done.stdout + done.stderr] == []
    assert list(scene.loot.iterdir()) == []
    if outcome is REFUSED:
        assert (done.returncode, done.stdout) == (1, "")
        assert scene.hub.name in done.stderr
    else:
        assert done.returncode == 0, done.stderr
        ranked = [[row["model"], rounded(row["adaptivity"])] for row in json.loads(done.stdout)]
        assert ranked == [row[:2] for row in good_answers["find"]]


def test_the_command_does_not_run_the_scripts_of_a_file(scene: Scene) -> None:
    attacked(scene, scripts("COPY (SELECT 'echo') TO '{loot}/bashrc'", "CREATE TABLE main.stolen AS FROM '{beer}'"))
    tables = scene.tables()
    for arguments in (["register", str(scene.hub), "mine", data("beer")], ["remove", str(scene.hub), "beer"]):
        done = command(*arguments)
        assert done.returncode == 0, done.stderr
    assert list(scene.loot.iterdir()) == []
    assert scene.tables() == tables


def test_the_command_prints_no_control_characters_of_a_hub(scene: Scene) -> None:
    with scene.beside() as con:
        con.execute(f"UPDATE {FILE}._hub.models SET model = ? WHERE model = 'beer'", [NAMES["the bell and a title"]])
    done = command("list", str(scene.hub))
    assert done.returncode == 0, done.stderr
    assert "fodors_zagats" in done.stdout
    assert [sign for sign in done.stdout if ord(sign) < 32 and sign != "\n"] == []


# -- the file's own name ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["a'; COPY (SELECT 1) TO 'written'; --.duckdb", 'hub" $$ {x} %s.duckdb', "modelhub_logic.duckdb?x=1#y"],
)  # fmt: skip
def test_the_name_of_a_file_is_only_a_name(
    scene: Scene, good_answers: dict[str, Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.move(scene.hub, scene.loot / name)
    monkeypatch.chdir(scene.loot)
    with modelhub_sql.connect(name) as hub:
        assert rounded(listed(hub)) == good_answers["list"]
    assert [path.name for path in scene.loot.iterdir()] == [name]
