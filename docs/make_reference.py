"""Write docs/reference.md from the SQL files, the settings and the command line's own help.

python docs/make_reference.py          writes it
python docs/make_reference.py --check  exits 1 when it is stale
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

import modelhub_sql
from modelhub_sql import generated, logic, sql
from modelhub_sql.cli import main as cli
from modelhub_sql.udfs import relations as numpy_relations

PAGE = Path(__file__).parent / "reference.md"
#: What stands between the steps of a folder: the first number, and what begins there.
PARTS = {
    "sketch": {10: "Rows", 20: "Elements", 40: "Histograms and signatures", 60: "Spread", 70: "The sketch"},
    "search": {
        10: "Features of one name",
        30: "Features of other names",
        42: "Datasets that share features",
        50: "Whole datasets",
        60: "The threshold t",
        70: "Partitions",
        90: "Answers",
    },
    "pairs": {10: "All datasets against all"},
}


def reference() -> str:
    """The page: what users call, settings, commands, and what is behind them."""
    return "\n".join(["# Reference", "", "Made by `docs/make_reference.py`; `FROM help` says the first part.", "", *_parts()])


def _parts() -> Iterator[str]:
    yield from _public()
    yield from _settings()
    yield from _commands()
    yield from _steps()
    yield from _macros()
    yield from _tables()


def _public() -> Iterator[str]:
    yield from ("## What you call", "", "In SQL, in any client. `forms` and `nested` are for the package.", "")
    with modelhub_sql.connect() as hub:
        rows = hub.con.execute("FROM help").fetchall()
    calls = {each.name: each.call for each in logic.public()}
    yield from _table(
        ("call", "a row is", "example"),
        ((f"`{calls.get(name, name)}`", what_a_row_is, f"`{example}`") for name, what_a_row_is, example in rows),
    )


def _settings() -> Iterator[str]:
    values = modelhub_sql.Settings().row()
    yield from ("## Settings of a hub", "", "Given when the hub is made; they decide its sketches and never change.", "")
    yield from _table(
        ("setting", "default", "what it is"),
        ((f"`{name}`", _value(values[name]), meaning) for name, (_, meaning) in generated.FORMAT.items()),
    )
    yield from ("### Defaults of searching", "", "What a search does unless it is told otherwise; changed by the verb `set`.", "")
    yield from _table(
        ("setting", "default", "what it is"),
        ((f"`{name}`", _value(values[name]), meaning) for name, meaning in generated.DEFAULTS.items()),
    )


def _commands() -> Iterator[str]:
    yield from ("## Commands", "")
    for name, command in cli.commands.items():
        context = click.Context(command, info_name=f"modelhub {name}", max_content_width=100)
        yield from ("```text", command.get_help(context), "```", "")


def _steps() -> Iterator[str]:
    yield from ("# Behind it", "", "Nothing from here on is called by users, and it may change with each version.", "")
    for folder, title in {
        "sketch": "From a dataset to its sketch",
        "search": "From a target to the answer",
        "pairs": "From a hub to its pairs",
    }.items():
        yield from (
            f"## {title}: `sql/{folder}`",
            "",
            "A relation a file, in this order. *numpy*: in Python computed by a function.",
            "",
        )
        numbers = _numbers(folder)
        parts = PARTS[folder]
        for first, last in zip(parts, [*list(parts)[1:], 100], strict=True):
            yield from (f"### {parts[first]}", "")
            yield from _table(
                ("relation", "a row is"),
                (
                    (f"`{name}`", step.comment + (" · *numpy*" if name in numpy_relations() else ""))
                    for name, step in logic.relations(folder).items()
                    if first <= numbers[name] < last
                ),
            )


def _numbers(folder: str) -> dict[str, int]:
    files = Path(sql.__file__).parent.joinpath(folder).glob("*.sql")
    return {file.stem.lstrip("0123456789_"): int(file.stem.split("_")[0]) for file in files}


def _macros() -> Iterator[str]:
    yield from ("## Macros and views of `_logic`, by file of `sql/values`", "")
    for name, text in sql.scripts("values").items():
        heading = text.splitlines()[0].removeprefix("-- ")
        yield from (f"### {name}", "", heading, "")
        comments = dict(re.findall(r"COMMENT ON (?:MACRO TABLE|MACRO|VIEW) _logic\.(\w+) IS\s+'((?:[^']|'')*)'", text))
        calls = re.findall(r"^CREATE (MACRO|VIEW) _logic\.(\w+)(?:\((.*?)\))? AS", text, re.MULTILINE | re.DOTALL)
        yield from _table(
            ("call", "what it is"),
            (
                (
                    f"`{macro}({' '.join(parameters.split())})`" if kind == "MACRO" else f"`{macro}`",
                    comments[macro].replace("''", "'"),
                )
                for kind, macro, parameters in calls
            ),
        )


def _tables() -> Iterator[str]:
    yield from ("## Tables of `_hub`", "")
    text = sql.scripts("format")["tables"]
    columns: dict[str, list[tuple[str, str]]] = {}
    for table, column, comment in re.findall(r"COMMENT ON COLUMN _hub\.(\w+)\.\"?(\w+)\"? IS\s+'((?:[^']|'')*)'", text):
        columns.setdefault(table, []).append((f"`{column}`", comment.replace("''", "'")))
    for table, comment in re.findall(r"COMMENT ON TABLE _hub\.(\w+) IS\s+'((?:[^']|'')*)'", text):
        if table != "defaults":
            yield from (f"### {table}", "", comment.replace("''", "'"), "")
            yield from _table(("column", "what it is"), columns[table])


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""


def _value(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else "" if value in (None, "") else str(value)


def main() -> None:
    page = reference()
    if "--check" in sys.argv:
        if PAGE.read_text(encoding="utf-8") != page:
            sys.exit("docs/reference.md is stale: run python docs/make_reference.py")
    else:
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
