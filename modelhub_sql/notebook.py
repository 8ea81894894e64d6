"""What a notebook shows of an answer or a hub: HTML that follows the notebook's colours, every name escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from modelhub_sql.rendering import DISTANCES, cell, fitting
from modelhub_sql.visible import visible

__all__ = ["page"]

#: Rows that are shown; more are counted.
_MOST_ROWS = 50
#: Characters that a page of 1,280 pixels has room for; columns for which there is none are named.
_WIDTH = 150
#: Drawn as bars, or told above the table.
_NOT_SHOWN = ("bar", "other_bar", "summary")


def page(columns: Sequence[str], rows: Iterable[Sequence[Any]], said: str | None = None) -> str:
    """A sentence and a table. columns: names. rows: tuples of values. said: the sentence, if there is one."""
    every = list(rows)
    # What no row has takes no room.
    told = [
        place
        for place, column in enumerate(columns)
        if column not in _NOT_SHOWN and (not every or any(row[place] not in (None, "", []) for row in every))
    ]
    cells = [[_cut(cell(row[place])) for place in told] for row in every[:_MOST_ROWS]]
    places = told[: fitting([columns[place] for place in told], cells, _WIDTH)]
    head = "".join(f'<th style="text-align:left">{_text(columns[place])}</th>' for place in places)
    body = "".join(
        "<tr>" + "".join(_cell(columns[place], row[place]) for place in places) + "</tr>" for row in every[:_MOST_ROWS]
    )
    more = f"<p>and {len(every) - _MOST_ROWS} more rows</p>" if len(every) > _MOST_ROWS else ""
    if len(places) < len(told):
        more += (
            f"<p>not shown: {_text(', '.join(columns[place] for place in told[len(places) :]))} (<code>.df()</code> has all)</p>"
        )
    sentence = f"<p>{_text(said)}</p>" if said else ""
    return f"{sentence}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _cell(column: str, value: Any) -> str:
    if column in DISTANCES and isinstance(value, float):
        width = round(100 * min(1.0, max(0.0, value)))
        drawn = f'<div aria-hidden="true" style="height:3px;background:currentColor;opacity:.6;width:{width}%"></div>'
        return f'<td style="text-align:left;min-width:5em">{_text(cell(value))}{drawn}</td>'
    align = "right" if isinstance(value, (int, float)) and not isinstance(value, bool) else "left"
    return f'<td style="text-align:{align}">{_text(_cut(cell(value)))}</td>'


def _text(text: str) -> str:
    return escape(visible(text))


def _cut(text: str, most: int = 300) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
