"""What of a dataset says nothing, before it is registered: columns that are left out, constants, and what looks like a label."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from modelhub_sql.result import Result
from modelhub_sql.visible import visible

if TYPE_CHECKING:
    from modelhub_sql.hub import Hub

__all__ = ["Finding", "as_result", "exclude_line", "findings"]


class Finding(NamedTuple):
    """column: of the dataset. finding: what it is. advice: leave it out (it is anyway, or should be), or look at it."""

    column: str
    finding: str
    advice: str


_REASONED = re.compile(r"^(.*) \((.*?)\)$", re.DOTALL)


def findings(hub: Hub, target: Any, exclude: Sequence[str], read: Mapping[str, Any] | None = None) -> list[Finding]:
    """What is to be said of the columns of a dataset; nothing is stored."""
    features, skipped = hub._looked_at(target, exclude, read)
    found = []
    for text in skipped:
        said = _REASONED.match(text)
        column, reason = said.groups() if said else (text, "")
        found.append(Finding(column, reason, "exclude"))
    labels = _labels(hub)
    for feature, kind, values, nulls, distincts in features:
        if distincts == 1 and not nulls:
            found.append(Finding(feature, "constant", "exclude"))
        elif feature.casefold() in labels:
            users, datasets = labels[feature.casefold()]
            found.append(Finding(feature, f"excluded from {users} of the hub's {datasets} datasets: a label?", "exclude"))
        elif nulls > 9 * values:
            found.append(Finding(feature, f"{kind}, nearly always missing", "look"))
    return found


def _labels(hub: Hub) -> dict[str, tuple[int, int]]:
    """Columns that most datasets of the hub excluded, in lower case."""
    rows = hub.sql(
        f"SELECT lower(name), count(*), (SELECT count(*) FROM {hub._place.tables}._hub.datasets) "
        f"FROM (SELECT DISTINCT dataset_id, unnest(excluded) AS name FROM {hub._place.tables}._hub.datasets) "
        "WHERE name IS NOT NULL GROUP BY lower(name)"
    ).fetchall()
    return {name: (users, datasets) for name, users, datasets in rows if 2 * users > datasets}


def exclude_line(found: Sequence[Finding]) -> str:
    """The options of the command that leave out what should be; empty where nothing should."""
    return " ".join(f"--exclude {shlex.quote(visible(each.column))}" for each in found if each.advice == "exclude")


def as_result(hub: Hub, found: Sequence[Finding]) -> Result:
    """The findings as rows; the summary says what to exclude."""
    columns = {name: pa.array([getattr(each, name) for each in found], pa.string()) for name in Finding._fields}
    result = Result(hub.con, pa.table(columns))
    names = [each.column for each in found if each.advice == "exclude"]
    result.summary = f"exclude={names}" if names else "nothing to exclude"
    return result
