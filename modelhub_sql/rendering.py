"""Rows for people and for programs: a table that fits the window, Markdown, CSV, JSON."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

import click

from modelhub_sql.visible import visible

__all__ = ["DISTANCES", "bar", "cell", "fitting", "print_result", "print_sentence", "tracked"]

Item = TypeVar("Item")

#: Columns of sentences: broken between words, and never narrower than this.
_SENTENCES = ("reason", "other_reason", "dropped", "finding", "what_a_row_is", "summary", "warning", "meaning", "what")
_SENTENCE_WIDTH = 20
#: Drawn as bars.
DISTANCES = ("distance", "other_distance")
_BAR_WIDTH = 6
#: Of a pipe: nobody's window.
_NO_WINDOW = 160


def tracked(items: Sequence[Item], what: str, progress: bool) -> Iterable[Item]:
    """The items; progress: with a bar on stderr that says how many of them are done."""
    if not progress:
        return items
    from rich.console import Console
    from rich.progress import track

    return track(items, what, console=Console(stderr=True))


def print_result(
    result: Any, form: str | None, columns: Sequence[str] | None = None, limit: int | None = None, *, empty: str
) -> None:
    """Print an answer in the form that was asked for (``declared.output_options``): json, csv, markdown, or a table.

    result: rows with ``columns`` and ``fetchall``; None: nothing to print. columns: those of a table, what people decide by
    first. limit: at most so many rows. empty: what is said on stderr where a table would have no row.
    """
    if result is None:
        return
    context = click.get_current_context(silent=True)
    asked = context.meta if context else {}
    chosen, wide = asked.get("modelhub.columns"), asked.get("modelhub.wide", False)
    if unknown := [name for name in chosen or () if name not in result.columns]:
        raise click.UsageError(f"there is no column {unknown[0]}; there are {', '.join(map(visible, result.columns))}")
    names = list(chosen or (result.columns if wide or form in ("json", "csv") else columns or result.columns))
    names = [name for name in names if name in result.columns]
    places = [result.columns.index(name) for name in names]
    rows = [[row[place] for place in places] for row in result.fetchall()[:limit]]
    if form == "json":
        objects = [dict(zip(names, map(_finite, row), strict=True)) for row in rows]
        click.echo(json.dumps(objects, default=str, indent=2))
    elif form == "csv":
        import csv

        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)
    elif not rows:
        click.echo(empty, err=True)
    elif form == "markdown":
        _print_markdown(names, rows)
    else:
        whole = wide or chosen is not None
        # What no row has takes no room.
        told = [place for place in range(len(names)) if whole or any(row[place] not in (None, "") for row in rows)]
        _print_table([names[place] for place in told], [[row[place] for place in told] for row in rows], whole=whole)


def print_sentence(text: str | None, *, err: bool = False, indent: str = "") -> None:
    """Print a sentence on stdout or stderr; in a window its lines end between words, and those after the first are indented."""
    shown = visible(text or "")
    if (sys.stderr if err else sys.stdout).isatty():
        width = shutil.get_terminal_size().columns
        lines = textwrap.wrap(shown, max(20, width), subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
        shown = "\n".join(lines) or shown
    click.echo(shown, err=err)


def _print_markdown(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(" ".join(text.replace("\\", "\\\\").replace("|", "\\|").split()) for text in cells) + " |"

    click.echo(line([visible(column) for column in columns]))
    click.echo("|" + "---|" * len(columns))
    for row in rows:
        click.echo(line([visible(cell(value)) for value in row]))


def _print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, whole: bool) -> None:
    # A sixth of a second, for people only.
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else _NO_WINDOW)
    names = [visible(column) for column in columns]
    shown = [[visible(_drawn(column, value)) for column, value in zip(columns, row, strict=True)] for row in rows]
    room = len(columns) if whole else fitting(names, shown, console.width)
    if whole:
        # As wide as need be: no cell is broken.
        console.width = max(console.width, sum(2 + _longest(names[place], shown, place) for place in range(room)))
    # A column takes its longest cell and two blanks.
    table = Table(box=box.SIMPLE, show_edge=False, padding=(0, 1, 0, 0))
    for column in columns[:room]:
        table.add_column(visible(column), overflow="fold", no_wrap=column not in _SENTENCES or whole)
    for cells in shown:
        table.add_row(*cells[:room])
    console.print(table)
    if room < len(columns):
        left = ", ".join(names[room:])
        print_sentence(f"without {left}, for which the window is too narrow: --wide prints all, --columns chooses", err=True)


def cell(value: Any) -> str:
    """A value as people read it: numbers with four digits, times to the minute, nothing for a missing one."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(cell, value))
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def bar(share: float, width: int = _BAR_WIDTH) -> str:
    """A share in [0, 1] as a bar of so many characters, in eighths of one."""
    eighths = round(min(1.0, max(0.0, share)) * width * 8)
    return ("█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8]).rstrip()


def _drawn(column: str, value: Any) -> str:
    if column in DISTANCES and isinstance(value, float) and _shows_bars():
        return f"{cell(round(value, 4)):<6} {bar(value)}".rstrip()
    return cell(value)


def _shows_bars() -> bool:
    try:
        "█▏".encode(sys.stdout.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def _longest(name: str, rows: Sequence[Sequence[str]], place: int) -> int:
    return max(len(name), *(len(row[place]) for row in rows))


def fitting(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> int:
    """How many columns, from the left, a window of so many characters has room for, so that no cell is broken; at least one.

    columns: names. rows: the cells as they are printed. Two blanks stand after a cell. A column of sentences is
    broken between words.
    """
    taken = 0
    for place, column in enumerate(columns):
        needed = _longest(column, rows, place)
        if column in _SENTENCES:
            word = max((len(word) for row in rows for word in row[place].split()), default=0)
            needed = min(needed, max(len(column), word, _SENTENCE_WIDTH))
        taken += 2 + needed
        if taken > width and place:
            return place
    return len(columns)


def _finite(value: Any) -> Any:
    # JSON has no NaN and no infinity.
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    if isinstance(value, (list, tuple)):
        return [_finite(element) for element in value]
    if isinstance(value, dict):
        return {key: _finite(element) for key, element in value.items()}
    return value
