"""What models did on targets, kept in the hub: recorded, listed, and what a verdict costs by that.

``sql/values/77_outcomes.sql`` says how much is enough, and how it is weighed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from modelhub_sql import logic
from modelhub_sql.datasets import said_of
from modelhub_sql.errors import HubReadOnlyError, OptionError

if TYPE_CHECKING:
    from modelhub_sql.hub import Hub, Metric
    from modelhub_sql.result import Result

__all__ = ["Outcome", "keep", "listed", "must_be_writable", "record", "target_of"]

_METRICS = ("accuracy", "f1", "r2")
#: Columns of modelhub_outcome, which sql/storing/50_outcomes.sql stores.
_TYPES = {
    "model": "VARCHAR", "version": "VARCHAR", "target": "VARCHAR", "target_rows": "UBIGINT", "verdict": "VARCHAR",
    "distance": "DOUBLE", "expected_distance": "DOUBLE", "metric": "VARCHAR", "score": "DOUBLE", "rows": "UBIGINT",
}  # fmt: skip


class Outcome(NamedTuple):
    """A measurement of a model. verdict, distance, expected_distance: as the search has them. rows: None where not said."""

    model: str
    version: str
    verdict: str | None
    distance: float | None
    expected_distance: float | None
    metric: str
    score: float
    rows: int | None


def record(
    hub: Hub,
    model: str,
    target: Any,
    score: float,
    *,
    metric: Metric,
    rows: int | None,
    version: str | None,
    exclude: Sequence[str],
    source: str | None,
    read: Mapping[str, Any] | None,
) -> None:
    """As ``Hub.record``."""
    from modelhub_sql.engine import plain

    value, counted = plain(score), plain(rows)
    if metric not in _METRICS:
        raise OptionError(f"metric must be one of {', '.join(_METRICS)}; got {metric!r:.200}")
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or value > 1 or (value < 0 and metric != "r2"):
        bounds = "of at most 1" if metric == "r2" else "in [0, 1]"
        raise OptionError(f"the score, a value of {metric}, must be a number {bounds}, got {score!r:.200}")
    is_count = isinstance(counted, (int, float)) and not isinstance(counted, bool) and counted >= 1 and counted == counted // 1
    if counted is not None and not is_count:
        raise OptionError(f"rows must be a whole number above 0, got {rows!r:.200}")
    must_be_writable(hub)
    with hub._lock:
        (judged,) = hub._search(
            "judged_model", target, exclude=exclude, options={}, explained=(model, version), read=read
        ).dicts()
        told = {name: judged[name] for name in ("model", "version", "verdict", "distance", "expected_distance")}
        measured = Outcome(**told, metric=metric, score=float(value), rows=None if counted is None else int(counted))
        keep(hub, [measured], *target_of(hub, source))


def must_be_writable(hub: Hub) -> None:
    """Refuse before anything is measured what could not be kept. Raises HubReadOnlyError."""
    if hub._read_only:
        raise HubReadOnlyError(f"{hub.path} was opened for reading only: an outcome is kept in it, so connect without read_only")


def target_of(hub: Hub, source: str | None = None) -> tuple[str, int]:
    """What is said of the target that was searched with last, and how many rows it has."""
    ((rows,),) = hub._own.execute("SELECT any_value(rows) FROM temp.main.target_sketch").fetchall()
    return said_of(hub._target_source) if source is None else source, int(rows)


def keep(hub: Hub, measured: Iterable[Outcome], target: str, target_rows: int) -> None:
    """Write outcomes of a target, each of another model, in one transaction. What was measured before gives way."""
    rows = [{**each._asdict(), "target": target, "target_rows": target_rows} for each in measured]
    if not rows:
        return
    columns = ", ".join(f"unnest(${name}::{type_}[]) AS {name}" for name, type_ in _TYPES.items())
    with hub._transaction():
        hub._own.execute(
            f"CREATE OR REPLACE TEMP TABLE modelhub_outcome AS SELECT {columns}",
            {name: [row[name] for row in rows] for name in _TYPES},
        )
        hub._own.execute(logic.placed(logic.storing("outcomes"), hub._place))
        hub._own.execute("DROP TABLE temp.main.modelhub_outcome")


def listed(hub: Hub) -> Result:
    """The outcomes, the latest first; the summary says what verdicts cost here."""
    tables = f"{hub._place.tables}._hub"
    result = hub._result(
        "SELECT model, version, target, target_rows, verdict, distance, metric, score, rows, source_accuracy, "
        "CASE WHEN metric = 'accuracy' THEN source_accuracy - score END AS lost, recorded_at "
        f"FROM {tables}.outcomes ORDER BY recorded_at DESC, model ASC, version ASC"
    )
    rows = hub._own.execute(
        "SELECT verdict, usual_loss, targets, measured_loss, expected_loss IS NOT NULL, enough FROM "
        f"{hub._place.logic}._logic.verdict_loss, (SELECT {hub._place.logic}._logic.enough_targets() AS enough)"
    ).fetchall()
    said = []
    for verdict, usual, targets, lost, is_enough, enough in rows:
        if targets and is_enough:
            said.append(f"{verdict} cost {100 * lost:.0f} points of accuracy on {targets} targets (elsewhere {100 * usual:.0f})")
        elif targets:
            said.append(f"{verdict}: {targets} of {enough} targets that it takes to say what it costs")
    result.summary = "; ".join(said) or "nothing was measured yet of models whose own accuracy is known"
    return result
