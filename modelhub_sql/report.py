"""A report on a target: the answer, its reasons and pictures as one HTML file that opens without a network. Extra ``plots``."""

from __future__ import annotations

import base64
import datetime
import os
import shlex
import warnings
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from modelhub_sql import plots, writing
from modelhub_sql.arguments import described
from modelhub_sql.datasets import is_local_file
from modelhub_sql.errors import HubError, OptionError
from modelhub_sql.extras import extra
from modelhub_sql.visible import visible

if TYPE_CHECKING:
    from modelhub_sql.hub import Hub

__all__ = ["page", "write"]

#: Models that are explained; models that are not listed but named.
EXPLAINED, DROPPED = 5, 50

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2129; --soft: #5b6470; --line: #d9dde3; --ground: #ffffff; --panel: #f6f7f9; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaed; --soft: #a7afba; --line: #3a4049; --ground: #16191d; --panel: #1f2329; }
}
body { font: 16px/1.5 system-ui, "DejaVu Sans", sans-serif; color: var(--ink); background: var(--ground); margin: 0 auto;
  padding: 2rem 1.5rem 4rem; max-width: 68rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.2rem; margin: 2.5rem 0 .6rem; }
.sentence { font-size: 1.15rem; margin: .6rem 0 .3rem; } .soft { color: var(--soft); }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th { text-align: left; font-weight: 600; color: var(--soft); }
th, td { padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top;
  overflow-wrap: break-word; }
.wide { overflow-x: auto; }
th.n, td.n { text-align: right; font-variant-numeric: tabular-nums; overflow-wrap: normal; white-space: nowrap; }
.verdict { white-space: nowrap; }
.dot { display: inline-block; width: .65em; height: .65em; border-radius: 50%; margin-right: .45em; }
figure { margin: .8rem 0; overflow-x: auto; } img { max-width: 100%; height: auto; }
@media (max-width: 34rem) { body { padding: 1rem; } figure img { max-width: none; } }
pre { background: var(--panel); padding: .7rem .9rem; border-radius: 6px; overflow-x: auto; font-size: .88rem; }
summary { cursor: pointer; color: var(--soft); } li { margin: .15rem 0; }
h1, h2, .sentence, li { overflow-wrap: anywhere; }
"""


def write(hub: Hub, target: Any, path: str, *, exclude: Sequence[str] = (), **options: Any) -> str:
    """Write the report to a file ending in .html; returns its path.

    target, exclude, options: as of ``find_models``. A file that is there already is replaced when the new one is whole.
    Raises OptionError, and what ``find_models`` raises.
    """
    written = os.fspath(path)
    if not written.lower().endswith((".html", ".htm")):
        raise OptionError(f"a report is a .html file, got {written!r}")
    text = page(hub, target, exclude=exclude, **options)
    with writing.whole(written, "the report", OptionError) as beside, open(beside, "w", encoding="utf-8") as file:
        file.write(text)
    return written


def page(hub: Hub, target: Any, *, exclude: Sequence[str] = (), **options: Any) -> str:
    """The report as HTML; arguments as of ``write``."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = hub.find_models(target, exclude=exclude, **(options | {"details": True}))
    read = options.get("read")
    given = {name: value for name, value in options.items() if name not in ("read", "details") and value not in (None, False)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        judged = hub._search("judged_model", target, exclude=exclude, options=given, read=read).dicts()
        sketch = hub.sketch(target, exclude=exclude, read=read)
    name = target if isinstance(target, (str, os.PathLike)) else "the target"
    rows = found.dicts()
    parts = [
        _head(hub, name, found.summary, sketch, judged),
        _ranking(found, rows),
        *(_why(hub, target, row, exclude, options) for row in rows[:EXPLAINED]),
        _why_not([row for row in judged if row["dropped"] is not None]),
        _left_out(exclude, sketch.skipped, [str(each.message) for each in said]),
        _how_to_try(hub, target, exclude, options, rows[:EXPLAINED]),
    ]
    title = escape(visible(f"Which model fits {os.path.basename(str(name))}?"))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # Names come from data and hubs: whatever they hold, nothing is run and nothing is fetched.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n"
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(parts)
        + "\n</main>\n</body>\n</html>\n"
    )


# -- parts -----------------------------------------------------------------------------------


def _head(hub: Hub, name: Any, summary: str | None, sketch: Any, judged: Sequence[Mapping[str, Any]]) -> str:
    from modelhub_sql import __version__

    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    what = (
        f"{sketch.rows:,} rows, {len(sketch.features)} features against {len(judged)} models of {os.path.basename(hub.path)}. "
        f"Made {today} with modelhub-sql {__version__} from sketches: no row of any data is in this file."
    )
    return (
        f"<h1>Which model fits {_text(os.path.basename(str(name)))}?</h1>\n"
        f'<p class="sentence">{_text(summary)}</p>\n<p class="soft">{_text(what)}</p>'
    )


def _ranking(found: Any, rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return "<h2>Ranking</h2>\n<p>No model is listed.</p>"
    body = [
        (
            row["rank"], row["model"], row["version"], _verdict(row["verdict"]), _number(row["distance"]),
            _number(row["expected_distance"]), f"{row['overlap']:.0%}", _number(row["source_accuracy"]),
            f"{row['source_rows']:,}", row["uri"],
        )
        for row in rows
    ]  # fmt: skip
    head = ("rank", "model", "version", "verdict", "distance", "by chance", "overlap", "accuracy", "rows", "where it is")
    return (
        "<h2>Ranking</h2>\n"
        + _table(head, body, numbers={0, 4, 5, 6, 7, 8})
        + '\n<p class="soft">Distance: 0 is the same, 1 has nothing in common. By chance: the distance to expect between two '
        "samples of one distribution. Overlap: the share of the target's features that the model has.</p>\n"
        + _picture(found, "Distance and verdict of each model")
    )


def _why(hub: Hub, target: Any, row: Mapping[str, Any], exclude: Sequence[str], options: Mapping[str, Any]) -> str:
    version = row["version"]
    whole, by_part = (
        {name: value for name, value in options.items() if name in described(verb) and name != "details"}
        for verb in (type(hub).explain, type(hub).explain_partitions)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        why = hub.explain(row["model"], target, version=version, exclude=exclude, **whole)
        parts = hub.explain_partitions(row["model"], target, version=version, exclude=exclude, **by_part).dicts()
    covered = sum(part["matches"] > 0 for part in parts)
    label = row["model"] + (f" {version}" if version else "")
    body = [
        (
            each["target_feature"], each["source_feature"], _number(each["distance"]), each["target_range"], each["source_range"],
            each["reason"],
        )
        for each in sorted(why.dicts(), key=lambda each: -1 if each["distance"] is None else -each["distance"])
    ]  # fmt: skip
    said = f"{covered} of {len(parts)} partitions of the target are covered by its data." if parts else ""
    features = _table(("feature", "there", "distance", "here", "there", "why"), body, numbers={2})
    return (
        f"<h2>{row['rank']}. {_text(label)}: {_text(row['verdict'])}, distance {row['distance']:.2f}</h2>\n<p>{_text(said)}</p>\n"
        f"{_picture(why, f'The target over {label}, feature by feature')}\n"
        f"<details><summary>All features</summary>\n{features}\n</details>"
    )


def _why_not(dropped: Sequence[Mapping[str, Any]]) -> str:
    if not dropped:
        return ""
    near = sorted(dropped, key=lambda row: (row["distance"] is None, row["distance"] or 0))
    body = [(row["model"], row["version"], _number(row["distance"]), row["dropped"]) for row in near[:DROPPED]]
    more = f'\n<p class="soft">and {len(near) - DROPPED:,} more.</p>' if len(near) > DROPPED else ""
    return "<h2>Not listed</h2>\n" + _table(("model", "version", "distance", "why"), body, numbers={2}) + more


def _left_out(exclude: Sequence[str], skipped: Sequence[str], said: Iterable[str]) -> str:
    lines = [f"{column}: left out on request" for column in exclude] + [*skipped] + [*said]
    if not lines:
        return "<h2>What was left out</h2>\n<p>Nothing: each column was compared.</p>"
    return "<h2>What was left out</h2>\n<ul>\n" + "\n".join(f"<li>{_text(line)}</li>" for line in lines) + "\n</ul>"


def _how_to_try(
    hub: Hub, target: Any, exclude: Sequence[str], options: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> str:
    # A command finds files only.
    if not rows or hub.path == ":memory:" or not isinstance(target, (str, os.PathLike)) or not is_local_file(os.fspath(target)):
        return ""
    excluded = "".join(f" --exclude {shlex.quote(each)}" for each in exclude)
    read = "".join(f" --read {shlex.quote(f'{key}={value}')}" for key, value in (options.get("read") or {}).items())
    called = f"{shlex.quote(hub.path)} {shlex.quote(os.fspath(target))}{excluded}{read}"
    given = {name: value for name, value in options.items() if name != "read" and value not in (None, False)}
    again = called + "".join(
        f" --{name.replace('_', '-')}" + ("" if value is True else f" {shlex.quote(str(value))}") for name, value in given.items()
    )
    models = "".join(f"<li>{_text(' '.join(filter(None, (row['model'], row['version'], row['uri']))))}</li>\n" for row in rows)
    return (
        "<h2>Try the first of them</h2>\n<p>A distance is a guess; 50 labelled rows of the target are a test. These are loaded, "
        "run on such rows and measured, where the column LABEL is what they predict:</p>\n"
        f"<pre>{_text(f'modelhub try {called} --label LABEL')}</pre>\n<ol>\n{models}</ol>\n"
        f"<p>The ranking again, in a terminal:</p>\n<pre>{_text(f'modelhub find {again}')}</pre>"
    )


# -- how -------------------------------------------------------------------------------------


class _Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def _text(value: Any) -> str:
    if isinstance(value, _Html):
        return value
    # Line ends are the report's own; what a name holds beside is shown.
    return "" if value is None else "\n".join(escape(visible(line)) for line in str(value).split("\n"))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _verdict(verdict: str) -> _Html:
    return _Html(
        f'<span class="verdict"><span class="dot" style="background:{plots.VERDICTS[verdict]}"></span>{escape(verdict)}</span>'
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]], numbers: set[int]) -> str:
    """A table without the columns that no row has a value of. numbers: places of the columns of numbers."""
    every = [[_text(value) for value in row] for row in rows]
    places = [place for place in range(len(head)) if any(row[place] for row in every)]

    def cells(tag: str, row: Sequence[str]) -> str:
        return "".join(f"<{tag}{' class=n' if place in numbers else ''}>{row[place]}</{tag}>" for place in places)

    body = "\n".join(f"<tr>{cells('td', row)}</tr>" for row in every)
    return f'<div class="wide"><table>\n<thead><tr>{cells("th", head)}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>'


def _picture(result: Any, alt: str) -> str:
    """An answer's picture, for a light and for a dark page."""
    light, dark = (_svg(result.plot(dark=each)) for each in (False, True))
    return (
        f'<figure><picture><source media="(prefers-color-scheme: dark)" srcset="{dark}">'
        f'<img src="{light}" alt="{escape(visible(alt), quote=True)}"></picture></figure>'
    )


def _svg(chart: Any) -> str:
    vl_convert = extra("vl_convert", "plots")
    try:
        svg = vl_convert.vegalite_to_svg(chart.to_dict(), allowed_base_urls=[])
    except ValueError as error:
        raise HubError(f"a picture could not be drawn: {error}") from error
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
