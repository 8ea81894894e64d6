"""Write docs/reference.md from the hub's own catalog and the command line's own help.

python docs/make_reference.py          writes it
python docs/make_reference.py --check  exits 1 when it is stale
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

import modelhub_sql
from modelhub_sql.cli import main as cli

PAGE = Path(__file__).parent / "reference.md"
KINDS = {"table macro": "Table macros", "view": "Views", "table": "Tables", "macro": "Scalar macros"}


def reference() -> str:
    """The page: every object of a hub with what it is, every command with its help."""
    source = "Made from the hub's catalog (`FROM help`) and the commands' help by `docs/make_reference.py`."
    lines = ["# Reference", "", source, ""]
    with modelhub_sql.connect() as hub:
        for kind, title in KINDS.items():
            lines += [f"## {title}", "", "| name | what it is |", "|---|---|"]
            rows = hub.sql("SELECT name, parameters, comment FROM help WHERE kind = ?", [kind]).fetchall()
            for name, parameters, comment in rows:
                call = f"{name}({', '.join(parameters)})" if parameters is not None else name
                lines.append(f"| `{call}` | {comment.replace('|', chr(92) + '|')} |")
            lines.append("")
        lines += ["## Settings of a hub", "", "| setting | default | what it is |", "|---|---|---|"]
        settings = hub.sql(
            "SELECT column_name, comment FROM duckdb_columns() WHERE table_name = 'settings' ORDER BY column_index"
        ).fetchall()
        values = dict(zip(hub.sql("FROM settings").columns, hub.sql("FROM settings").fetchall()[0], strict=True))
        lines += [f"| `{name}` | {_value(values[name])} | {comment} |" for name, comment in settings]
    lines += ["", "## Commands", ""]
    for name, command in cli.commands.items():
        context = click.Context(command, info_name=f"modelhub {name}", max_content_width=100)
        lines += ["```text", command.get_help(context), "```", ""]
    return "\n".join(lines)


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
