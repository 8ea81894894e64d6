"""Models and sketches from hub to hub: a sketch out of one as a file, models of another one copied with their sketches."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from modelhub_sql.datasets import fetched
from modelhub_sql.errors import HubFormatError, ModelNotFoundError, OptionError, translated
from modelhub_sql.merging import stored_sketch
from modelhub_sql.result import Result, Sketch

if TYPE_CHECKING:
    from modelhub_sql.hub import Hub

__all__ = ["exported", "import_hub"]

_KEY = ("model", "version")


def exported(hub: Hub, name: str, version: str | None) -> Sketch:
    """The sketch of a model's dataset. Raises ModelNotFoundError."""
    from modelhub_sql.engine import check_model

    check_model(name, version)
    try:
        ((dataset_id,),) = hub._own.execute(f"SELECT {hub._place.logic}._logic.dataset_of(?, ?)", [name, version]).fetchall()
        return Sketch(hub._con, stored_sketch(hub, dataset_id))
    except duckdb.Error as error:
        raise translated(error, hub=hub.path) from error


def import_hub(hub: Hub, path: str | os.PathLike[str], models: Sequence[str], replace: bool, dry_run: bool) -> Result:
    """Copy models of another hub; a row for each: what was done with it, and why. In the caller's transaction."""
    from modelhub_sql.hub import Hub as Opened

    source = os.fspath(path)
    if os.path.exists(hub.path) and os.path.exists(source) and os.path.samefile(source, hub.path):
        raise OptionError(f"{source} is the hub itself")
    with Opened(source, read_only=True, _numpy=False) as other:
        if _fingerprint(other) != _fingerprint(hub):
            raise HubFormatError(
                f"{other.path} has another format, seed or salt than this hub: sketches of the two can't be compared. "
                "Register the data itself, or make a hub with the settings of the other"
            )
        there, here = _models(other), _models(hub)
        if models:
            chosen = {key: row for key, row in there.items() if any(_is_meant(key[0], pattern) for pattern in models)}
            if missing := [each for each in models if not any(_is_meant(model, each) for model, _ in there)]:
                raise ModelNotFoundError(
                    f"{other.path} has no model {missing[0]}; it has {', '.join(sorted({m for m, _ in there}))[:600]}"
                )
            there = chosen
        actions = [(*key, *_action(row, here.get(key), hub, other, replace)) for key, row in there.items()]
        taken = [(model, version) for model, version, action, _ in actions if action in ("new", "replaced")]
        if taken and not dry_run:
            _copy(hub, other, {key: there[key] for key in taken})
        measured = _outcomes(
            hub, other, {(model, version) for model, version, action, _ in actions if action != "clash"}, dry_run
        )
    columns = ("model", "version", "action", "why")
    result = Result(hub.con, pa.table({name: [row[place] for row in actions] for place, name in enumerate(columns)}))
    clashes = sum(action == "clash" for _, _, action, _ in actions)
    result.summary = (
        f"{'would take' if dry_run else 'took'} {len(taken)} of {len(actions)} models"
        + (f" and {measured} outcomes" if measured else "")
        + (f"; {clashes} have names that are taken here (replace takes them)" if clashes else "")
    )
    return result


def _is_meant(model: str, pattern: str) -> bool:
    return model == pattern or fnmatchcase(model, pattern)


def _fingerprint(hub: Hub) -> Any:
    return hub._own.execute(f"SELECT {hub._place.logic}._format.fingerprint()").fetchall()


def _models(hub: Hub) -> dict[tuple[str, str], dict[str, Any]]:
    """The models of a hub by name and version, in the order in which they were registered."""
    result = hub._own.execute(f"FROM {hub._place.tables}._hub.models ORDER BY registered_at ASC, model ASC, version ASC")
    columns = [column[0] for column in result.description or ()]
    rows = [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
    return {(row["model"], row["version"]): row for row in rows}


def _action(row: dict[str, Any], known: dict[str, Any] | None, hub: Hub, other: Hub, replace: bool) -> tuple[str, str]:
    if known is None:
        return "new", ""
    differing = [name for name in row if name not in ("dataset_id", "registered_at") and row[name] != known[name]]
    # What is computed of the counts may differ in its last digit.
    there, here = (
        stored_sketch(*each).drop_columns(["effective_bins", "mean", "spread", "dataset_spread"])
        for each in ((other, row["dataset_id"]), (hub, known["dataset_id"]))
    )
    if not there.equals(here):
        differing.append("sketch")
    if not differing:
        return "same", ""
    return ("replaced" if replace else "clash"), f"another {' and '.join(differing)}"


def _copy(hub: Hub, other: Hub, models: dict[tuple[str, str], dict[str, Any]]) -> None:
    own, tables = hub._own, f"{hub._place.tables}._hub"
    for model, version in models:
        if own.execute(f"FROM {tables}.models WHERE model = ? AND version = ?", [model, version]).fetchall():
            hub._run_verb("remove", model=model, version=version)
    numbers = sorted({row["dataset_id"] for row in models.values()})
    ((last,),) = own.execute(f"SELECT coalesce(max(dataset_id), 0) FROM {tables}.datasets").fetchall()
    renumbered = {number: last + place for place, number in enumerate(numbers, 1)}
    renumbering = pa.table({"old": pa.array(renumbered.keys(), pa.uint32()), "new": pa.array(renumbered.values(), pa.uint32())})
    own.register("modelhub_renumbering", renumbering)
    try:
        for table, order in (
            ("datasets", "dataset_id"), ("features", "dataset_id, feature_id"),
            ("partition_counts", "dataset_id, feature_id, partition_id"),
        ):  # fmt: skip
            columns = [name for (name, *_) in own.execute(f"DESCRIBE {tables}.{table}").fetchall()]
            listed = ", ".join(f'"{name}"' for name in columns)
            for some in (numbers[start : start + 100] for start in range(0, len(numbers), 100)):
                other._own.execute(
                    f"SELECT {listed} FROM {other._place.tables}._hub.{table} WHERE list_contains(?::UINTEGER[], dataset_id) "
                    f"ORDER BY {', '.join(each + ' ASC' for each in order.split(', '))}",
                    [some],
                )
                own.register("modelhub_copied", _arrow(other._own))
                own.execute(
                    f"INSERT INTO {tables}.{table} BY NAME SELECT c.* REPLACE (r.new AS dataset_id) "
                    "FROM modelhub_copied AS c JOIN modelhub_renumbering AS r ON r.old = c.dataset_id "
                    f"ORDER BY {', '.join('c.' + each + ' ASC' for each in order.split(', '))}"
                )
                own.unregister("modelhub_copied")
    finally:
        own.unregister("modelhub_renumbering")
    for row in models.values():
        # Later than any other, so that the latest version is known.
        values = {**row, "dataset_id": renumbered[row["dataset_id"]]}
        values.pop("registered_at")
        own.execute(
            f"INSERT INTO {tables}.models BY NAME SELECT {', '.join(f'${name} AS {name}' for name in values)}, "
            f"(SELECT greatest({hub._place.logic}._logic.utc_now(), max(registered_at) + INTERVAL 1 MICROSECOND) "
            f"FROM {tables}.models) AS registered_at",
            values,
        )


def _outcomes(hub: Hub, other: Hub, models: set[tuple[str, str]], dry_run: bool) -> int:
    """Copy what was measured of models, and is not here yet; returns how many outcomes that are."""
    own, tables = hub._own, f"{hub._place.tables}._hub"
    other._own.execute(f"FROM {other._place.tables}._hub.outcomes")
    found = _arrow(other._own)
    keys = [(model, version) in models for model, version in zip(*(found[name].to_pylist() for name in _KEY), strict=True)]
    own.register("modelhub_copied", found.filter(pa.array(keys, pa.bool_())))
    try:
        new = f"FROM modelhub_copied EXCEPT ALL FROM {tables}.outcomes"
        ((count,),) = own.execute(f"SELECT count(*) FROM ({new})").fetchall()
        if not dry_run:
            own.execute(f"INSERT INTO {tables}.outcomes BY NAME {new}")
    finally:
        own.unregister("modelhub_copied")
    return int(count)


def _arrow(con: duckdb.DuckDBPyConnection) -> Any:
    return fetched(con)
