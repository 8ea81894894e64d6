"""The logic of a hub: the SQL files put together, for a hub's file or for a catalog beside it.

The same text serves both. In a file, ``_hub`` (tables), ``_format`` (its format as constants) and ``_logic`` are schemas
beside ``main``. In Python they are reached by their catalogs: the tables of the file, and the package's own logic in an
in-memory database, so that nothing that a file says is ever run.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from modelhub_sql import sql

__all__ = [
    "Place", "Relation", "digest", "install", "install_macros", "placed", "public", "relations", "script_of", "statements",
    "steps", "stored", "storing", "verbs", "with_forms",
]  # fmt: skip

_MARKER = re.compile(r"/\* (\w+)/ \*/\n(.*?)(?=;\n|\Z)", re.DOTALL)
_PART = re.compile(r"/\* storing/(\w+) \*/")
_AGAIN = re.compile(r"^-- again: (\w+), of (.*)$", re.MULTILINE)
#: A call of one of DuckDB's functions (or a text, left as it is). Qualified, no macro of the user's has its name.
_CALL = re.compile(r"'(?:[^']|'')*'|(?<![\w.\"])([a-z_][a-z_0-9]*)\(")
#: What looks like such a call, but is grammar or the columns of an alias.
_GRAMMAR = frozenset(("coalesce", "unnest", "query_table", "listed", "r"))
#: A relation that a numpy function makes of others.
_COMPUTED = re.compile(r",\n(?P<name>\w+) AS \(\n    FROM (?P<function>modelhub_\w+)\((?P<tables>[\w, ]+)\)\n\)")
#: So many relations are in one WITH, and the next ones in a WITH inside: DuckDB 1.4 copies each of a WITH for each of it.
_GROUP = 4
#: A choice between relations by the forms of columns.
_OF_FORM = re.compile(
    r"query_table\(\s*CASE WHEN forms IS NULL OR list_contains\(forms::VARCHAR\[\], '(?P<form>\w+)'\)"
    r" THEN '(?P<of>\w+)' ELSE '(?P<none>\w+)' END\s*\)"
)
_COMMENT = re.compile(r"^ *COMMENT ON [^']* IS\s+'(?:[^']|'')*';", re.MULTILINE)
_SCHEMA = re.compile(r"(?<![\w.\"])(_hub|_format|_logic)\.")


class Place(NamedTuple):
    """Catalogs of the tables and of the logic, as they are written in SQL; empty: the file that the text is stored in."""

    tables: str = ""
    logic: str = ""


class Computed(NamedTuple):
    """What a numpy function makes of relations on the way. tables: a SELECT for each. rest: one that reads what it made, as
    modelhub_computed."""

    function: str
    tables: tuple[str, ...]
    rest: str


@dataclass(frozen=True)
class Relation:
    """A step of the way. comment: what a row is. query: a SELECT over relations before it. inlined: not kept.

    computed: the same in parts, where a numpy function makes it.
    """

    name: str
    comment: str
    query: str
    inlined: bool
    computed: Computed | None = None


@cache
def relations(folder: str, numpy: bool = False) -> Mapping[str, Relation]:
    """The relations of a folder of ``sql/``, in order; numpy: with those that Python functions compute faster."""
    texts = sql.scripts(folder)
    if numpy:
        from modelhub_sql.udfs import relations as numpy_relations  # numpy takes a third of a second

        texts = {name: numpy_relations().get(name, text) for name, text in texts.items()}
    return {name: _relation(name, text, texts) for name, text in texts.items()}


def _relation(name: str, text: str, texts: Mapping[str, str]) -> Relation:
    query = text
    if again := _AGAIN.search(text):
        # The same SELECT over other relations.
        query = texts[again[1]]
        for pair in again[2].split(", "):
            new, _, old = pair.partition(" instead of ")
            query = re.sub(rf"\b{old}\b", new, query)
    head = text.splitlines()[0].removeprefix("-- ")
    query = _bare(query)
    return Relation(name, head, _in_one_plan(query), "\n-- inlined:" in text, _computed(query))


def _in_one_plan(query: str) -> str:
    def listed(made: re.Match[str]) -> str:
        lists = ", ".join(f"(SELECT list(r) FROM {table} AS r)" for table in made["tables"].split(", "))
        return f",\n{made['name']} AS (\n    SELECT unnest({made['function']}({lists}), max_depth := 2)\n)"

    return _COMPUTED.sub(listed, query)


def _computed(query: str) -> Computed | None:
    if (made := _COMPUTED.search(query)) is None:
        return None
    before, after = query[: made.start()], query[made.end() :]
    tables = (f"{before}\nFROM {table}" for table in made["tables"].split(", "))
    return Computed(made["function"], tuple(tables), f"WITH {made['name']} AS (FROM temp.main.modelhub_computed){after}")


def _bare(text: str) -> str:
    # Comments are lost in a stored macro anyway.
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--")).strip()


def needed(available: Mapping[str, Relation], query: str, given: Collection[str] = ()) -> list[Relation]:
    """The relations that a query reads, and those that these read, in order; without those that are given."""
    wanted = _names(query)
    found = []
    for relation in reversed(list(available.values())):
        if relation.name in wanted and relation.name not in given:
            found.append(relation)
            wanted |= _names(relation.query)
    return found[::-1]


@cache
def _names(query: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", query))


def _expanded(text: str, numpy: bool) -> str:
    """A text with each marker ``/* folder/ */`` replaced by the relations that the query after it reads."""

    def chain(marker: re.Match[str]) -> str:
        chosen = needed(relations(marker[1], numpy), marker[2])
        steps = [f"{step.name} AS {'NOT ' if step.inlined else ''}MATERIALIZED (\n{step.query}\n)" for step in chosen]
        groups = [",\n".join(steps[first : first + _GROUP]) for first in range(0, len(steps), _GROUP)]
        return "\nFROM (\nWITH\n".join(groups) + f"\n{marker[2]}" + "\n)" * (len(groups) - 1)

    return _MARKER.sub(chain, text)


def placed(text: str, place: Place) -> str:
    """A text whose schemas are those of the catalogs of a place."""

    def qualified(schema: re.Match[str]) -> str:
        catalog = place.tables if schema[1] == "_hub" else place.logic
        return f"{catalog}.{schema[0]}" if catalog else schema[0]

    return _SCHEMA.sub(qualified, text)


class Public(NamedTuple):
    """What users call. call: how. kind: MACRO TABLE or VIEW. comment: what a row is.

    required: parameters without a default. optional: those that have one, each with it.
    """

    name: str
    kind: str
    call: str
    comment: str
    example: str
    required: tuple[str, ...] = ()
    optional: tuple[tuple[str, str], ...] = ()


@cache
def public() -> tuple[Public, ...]:
    """What users call, in the order in which they meet it."""
    found = []
    for name, text in sql.scripts("public").items():
        comment, example = (line.partition("-- ")[2] for line in text.splitlines()[:2])
        is_view = f"CREATE VIEW {name} " in text
        described = re.search(r"^CREATE MACRO \w+\((.*?)\)\s+AS TABLE", text, re.DOTALL | re.MULTILINE)
        assert is_view or described is not None, name
        parameters = described[1] if described is not None else ""
        declared = [part.strip().partition(" := ") for part in parameters.split(",") if part.strip()]
        declared = [part for part in declared if part[0] not in ("forms", "nested")]
        call = name if is_view else f"{name}({', '.join(parameter for parameter, *_ in declared)})"
        required = tuple(parameter for parameter, has_default, _ in declared if not has_default)
        optional = tuple((parameter, default) for parameter, has_default, default in declared if has_default)
        kind = "VIEW" if is_view else "MACRO TABLE"
        found.append(Public(name, kind, call, comment, example.removeprefix("example: "), required, optional))
    return tuple(found)


def statements(numpy: bool = False) -> str:
    """All objects of the schema _logic and of main, for hubs of any format row: CREATE and COMMENT ON statements."""
    return _internal(numpy) + "\n" + _macros(numpy)


@cache
def _internal(numpy: bool) -> str:
    """The schema _logic, and the views of main that only look at tables."""
    texts = [_expanded(text, numpy) for text in sql.scripts("values").values()]
    return "\n".join([*texts, *_called(numpy, computed=False), _settings_view(), _help_view()])


@cache
def _macros(numpy: bool) -> str:
    """The macros of main, and views that compute, which are most of the text."""
    return "\n".join(_called(numpy, computed=True))


def _called(numpy: bool, computed: bool) -> list[str]:
    texts = []
    for (name, text), described in zip(sql.scripts("public").items(), public(), strict=True):
        assert name == described.name
        kind = described.kind
        if (kind == "MACRO TABLE" or _MARKER.search(text) is not None) == computed:
            body = _bare(_expanded(text, numpy)).replace(f"CREATE {kind.split()[0]} ", "CREATE OR REPLACE ", 1)
            body = body.replace("CREATE OR REPLACE ", f"CREATE OR REPLACE {kind.split()[0]} main.", 1)
            texts.append(f"{body};\nCOMMENT ON {kind} main.{name} IS {_literal(described.comment)};\n")
    return texts


def digest(constants: str) -> str:
    """SHA-256 of the logic that a file carries; constants: of its schema _format."""
    return hashlib.sha256((constants + statements() + "".join(verbs().values())).encode()).hexdigest()


def _by_duckdb(text: str) -> str:
    """A text whose functions are DuckDB's own, whatever temporary macros there are when it runs."""

    def qualified(call: re.Match[str]) -> str:
        return call[0] if call[1] is None or call[1] in _GRAMMAR else f"system.main.{call[0]}"

    return _CALL.sub(qualified, text)


def install(place: Place, numpy: bool = False) -> str:
    """The schema _logic, made anew, and what users call, in a catalog that has the schema _format already.

    In a catalog beside the file without what is said of the objects, and without the macros of main (``install_macros``):
    both take longer than all else.
    """
    schema = f"{place.logic}._logic" if place.logic else "_logic"
    body = _in_main(_internal(numpy), place) if place.logic else _by_duckdb(statements(numpy))
    return f"DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema};\n{placed(body, place)}"


def install_macros(place: Place, numpy: bool = False) -> str:
    """The macros that users call, in a catalog beside the file that has all else."""
    return placed(_in_main(_macros(numpy), place), place)


def _in_main(text: str, place: Place) -> str:
    return re.sub(r"(?<![\w.\"])main\.(?=\w+)", f"{place.logic}.main.", without_comments(text))


def without_comments(text: str) -> str:
    """A text without its COMMENT ON statements."""
    return _COMMENT.sub("", text)


def stored(version: str, constants: str) -> str:
    """The statements that leave a copy of the logic in a file that has the tables, in place of the copy that is there.

    version: of this package. constants: of the file's schema _format.
    """
    rows = ", ".join(f"({_literal(name)}, {_literal(text)})" for name, text in verbs().items())
    return (
        f"DROP SCHEMA IF EXISTS _format CASCADE;\nCREATE SCHEMA _format;\n{constants}\n{install(Place())}\n"
        "DELETE FROM _hub.logic;\nDELETE FROM _hub.verbs;\n"
        f"INSERT INTO _hub.logic VALUES ({_literal(version)}, {_literal(digest(constants))});\n"
        f"INSERT INTO _hub.verbs VALUES {rows};\n"
    )


def verbs() -> Mapping[str, str]:
    """The script of each verb, to run in any client."""
    return {name: script_of(name) for name in (*sql.scripts("verbs"), "steps")}


@cache
def script_of(verb: str) -> str:
    """The script of one verb."""
    return _by_duckdb(_steps_script() if verb == "steps" else _put_together(verb, sql.scripts("verbs")[verb]))


@cache
def variables(verb: str) -> tuple[str, ...]:
    """The variables that a verb's script is told by, which it resets: those that it reads and does not set."""
    script = sql.scripts("verbs")[verb]
    read = dict.fromkeys(re.findall(r"(?:text_variable|getvariable)\('(\w+)'\)", script))
    return tuple(name for name in read if f"SET VARIABLE {name} =" not in script)


def _put_together(verb: str, script: str) -> str:
    resets = "\n".join(f"RESET VARIABLE {name};" for name in variables(verb))
    stored = _PART.sub(lambda part: sql.scripts("storing")[part[1]].strip(), script.replace("/* resets */", resets))
    return _expanded(stored, numpy=False)


def steps(query: str, given: Iterable[str], numpy: bool = False) -> list[Relation]:
    """The relations of the search that a query reads, one after the other; given: those that are there already."""
    return needed(relations("search", numpy), query, tuple(given))


@cache
def storing(part: str) -> str:
    """The statements of ``sql/storing`` that store one part of what is registered."""
    return _by_duckdb(_bare(sql.scripts("storing")[part]))


def with_forms(query: str, forms: Collection[str]) -> str:
    """A relation of ``sql/sketch`` with the parameter ``forms`` given, to be run by itself: it names nothing of other forms."""
    return _OF_FORM.sub(lambda choice: choice["of"] if choice["form"] in forms else choice["none"], query)


def step_statement(step: Relation) -> str:
    """The statement that leaves a relation to be looked at: a temporary table, or a view where it is not kept."""
    kind = "VIEW" if step.inlined else "TABLE"
    return f"CREATE OR REPLACE TEMP {kind} {step.name} AS\n{step.query}"


def _steps_script() -> str:
    head = [
        "-- find_models step by step: each relation is left as a temporary table (or view) to be looked at.",
        "-- Set the variables dataset and, if need be, exclude, and run this script; the last is found_model.",
        "CREATE OR REPLACE TEMP TABLE target_sketch AS FROM _logic.sketch(\n"
        "    _logic.text_variable('dataset'), exclude := coalesce(getvariable('exclude')::VARCHAR[], [])\n);",
        "CREATE OR REPLACE TEMP TABLE options AS FROM _logic.search_options(details := true);",
        "CREATE OR REPLACE TEMP TABLE searched AS SELECT model, version, dataset_id FROM _hub.models;",
    ]
    given = ("target_sketch", "options", "searched")
    body = [f"-- {step.comment}\n{step_statement(step)};" for step in steps("FROM found_model", given)]
    return "\n\n".join(["\n".join(head), *body, "FROM found_model;\n"])


def _settings_view() -> str:
    from modelhub_sql.generated import DEFAULTS, FORMAT

    rows = [
        f'SELECT {_literal(name)} AS setting, _format.{name}()::VARCHAR AS "value", true AS fixed, {_literal(meaning)} AS meaning'
        for name, (_, meaning) in FORMAT.items()
    ]
    rows += [
        f"SELECT {_literal(name)}, {name}::VARCHAR, false, {_literal(meaning)} FROM _hub.defaults"
        for name, meaning in DEFAULTS.items()
    ]  # fmt: skip
    said = "a setting of the hub: fixed, of the format of its sketches, or a default of searching"
    return (
        "CREATE OR REPLACE VIEW main.settings AS\n" + "\nUNION ALL\n".join(rows) + ";\n"
        f"COMMENT ON VIEW main.settings IS {_literal(said)};\n"
    )


def _help_view() -> str:
    used = Public(
        "USE hub", "", "", "first of all in an attached hub: its macros are looked up in the database that is used",
        "ATTACH 'hub.duckdb' AS hub (READ_ONLY); USE hub",
    )  # fmt: skip
    own = (
        Public(
            "settings",
            "VIEW",
            "settings",
            "a setting of the hub: fixed, of its format, or a default of searching",
            "FROM settings WHERE NOT fixed",
        ),
        Public("help", "VIEW", "help", "what users call: this list", "FROM help"),
    )
    rows = ",\n".join(
        f"({number}, {_literal(row.name)}, {_literal(row.comment)}, {_literal(row.example)})"
        for number, row in enumerate((used, *public(), *own))
    )
    note = _literal("what users call; in an attached hub USE it first, for its macros are looked up in the database that is used")
    return (
        f"CREATE OR REPLACE VIEW main.help AS\nSELECT name, what_a_row_is, example\n"
        f"FROM (VALUES\n{rows}\n) AS listed(number, name, what_a_row_is, example)\nORDER BY number ASC;\n"
        f"COMMENT ON VIEW main.help IS {note};\n"
    )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
