"""Keeping a hub: what is known of a model changed, models removed by a pattern, a hub brought in line with a manifest."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import timezone
from types import NoneType
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from modelhub_sql import datasets
from modelhub_sql.arguments import check_text
from modelhub_sql.errors import HubError, ModelNotFoundError, OptionError, translated
from modelhub_sql.registering import Registering, manifest_of
from modelhub_sql.result import Result

if TYPE_CHECKING:
    from modelhub_sql.engine import Engine
    from modelhub_sql.hub import Hub

__all__ = ["alias", "datasets_of", "matching", "replacing_metadata", "shown", "sync", "update"]

#: What is known of a model beside its data: argument of register -> column.
_KNOWN = {
    "accuracy": "source_accuracy", "accuracy_rows": "accuracy_rows", "task": "task", "framework": "framework", "uri": "uri",
    "metadata": "metadata",
}  # fmt: skip


def update(hub: Hub, name: str, version: str | None, given: Mapping[str, Any]) -> None:
    """Change what is known of a model. In the caller's transaction. Raises ModelNotFoundError and OptionError."""
    from modelhub_sql.engine import as_json, check_model, plain

    check_model(name, version)
    values = {_KNOWN[each]: plain(value) for each, value in given.items() if value is not None}
    if not values:
        raise OptionError(f"nothing is given to change of {name}: {', '.join(_KNOWN)}")
    accuracy, counted = values.get("source_accuracy"), values.get("accuracy_rows")
    if accuracy is not None and not (isinstance(accuracy, (int, float)) and 0 <= accuracy <= 1):
        raise OptionError(f"the accuracy must be a number in [0, 1], got {accuracy!r}")
    if counted is not None and not (
        isinstance(counted, (int, float)) and math.isfinite(counted) and 0 < counted < 2**63 and counted == int(counted)
    ):
        raise OptionError(f"accuracy_rows must be a whole number above 0, got {counted!r}")
    for each in ("task", "framework", "uri"):
        check_text(each, values.get(each))
    if isinstance(values.get("uri"), os.PathLike):
        values["uri"] = os.fspath(values["uri"])
    own, place = hub._own, hub._place
    try:
        # All its columns: the last of them refuses what is not there.
        ((model, latest, _),) = own.execute(f"FROM {place.logic}._logic.explained(?, ?)", [name, version]).fetchall()
        if "metadata" in values:
            told = "SELECT metadata FROM {}._hub.models WHERE model = ? AND version = ?"
            ((stored,),) = own.execute(told.format(place.tables), [model, latest]).fetchall()
            values["metadata"] = as_json(_with_aliases(values["metadata"], stored))
        assigned = ", ".join(f"{column} = ${column}" for column in values)
        own.execute(
            f"UPDATE {place.tables}._hub.models SET {assigned} WHERE model = $model AND version = $version",
            {**values, "model": model, "version": latest},
        )
    except duckdb.Error as error:
        raise translated(error) from error


def alias(hub: Hub, name: str, called: str, version: str | None, remove: bool) -> str | None:
    """Give an alias to a version of a model, which no other version of it has then, or take it away; returns the version.

    In the caller's transaction. Raises ModelNotFoundError and OptionError.
    """
    if not isinstance(called, str) or not re.fullmatch(r"\w[\w.-]{0,99}", called):
        raise OptionError(f"an alias is a word of letters, digits, _, - and ., got {called!r:.200}")
    own, place = hub._own, hub._place
    models = f"{place.tables}._hub.models"
    try:
        ((model, latest, _),) = own.execute(f"FROM {place.logic}._logic.explained(?, ?)", [name, version]).fetchall()
        stored = own.execute(f"SELECT version, metadata FROM {models} WHERE model = ?", [model]).fetchall()
        holders = [each for each, metadata in stored if called in _aliases(metadata)]
        if remove and not holders:
            raise OptionError(f"no version of {model} has the alias {called}")
        for each, metadata in stored:
            has = _aliases(metadata)
            wanted = [other for other in has if other != called] + ([called] if not remove and each == latest else [])
            if sorted(wanted) == sorted(has):
                continue
            known = _object(metadata)
            if known is None:
                raise OptionError(f"the metadata of {model} {each} is no JSON object, which could have aliases")
            told = {key: value for key, value in known.items() if key != "aliases"} | ({"aliases": wanted} if wanted else {})
            own.execute(
                f"UPDATE {models} SET metadata = ? WHERE model = ? AND version = ?",
                [json.dumps(told) if told else None, model, each],
            )
    except duckdb.Error as error:
        raise translated(error) from error
    return None if remove else str(latest)


def replacing_metadata(hub: Engine, name: str, version: str | None, metadata: Any) -> Any:
    """Metadata of a version of a model that may be there already."""
    found = hub._own.execute(
        f"SELECT metadata FROM {hub._place.tables}._hub.models WHERE model = ? AND version = ?", [name, version or ""]
    ).fetchall()
    return _with_aliases(metadata, found[0][0]) if found else metadata


def _with_aliases(metadata: Any, stored: str | None) -> Any:
    """Metadata that take the place of what is stored: the aliases stay, unless the new says its own."""
    has = _aliases(stored)
    if not has or not isinstance(metadata, (Mapping, NoneType)) or "aliases" in (metadata or {}):
        return metadata
    return {**(metadata or {}), "aliases": has}


def _aliases(metadata: str | None) -> list[str]:
    found = (_object(metadata) or {}).get("aliases")
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def _object(metadata: str | None) -> dict[str, Any] | None:
    try:
        known = json.loads(metadata or "{}")
    except ValueError:
        return None
    return known if isinstance(known, dict) else None


def matching(hub: Hub, name: str, version: str | None) -> list[tuple[str, str]]:
    """The models (and versions) that a name or a pattern means. Raises ModelNotFoundError."""
    from modelhub_sql.engine import check_model

    check_model(name, version)
    tables, logic = f"{hub._place.tables}._hub", f"{hub._place.logic}._logic"
    try:
        found = hub._own.execute(
            f"""
            SELECT model, version FROM {tables}.models
            WHERE (model = $name OR ({logic}.is_pattern($name) AND model GLOB $name
                AND NOT EXISTS (FROM {tables}.models AS m WHERE m.model = $name)))
                AND {logic}.is_version(version, metadata, $version)
            ORDER BY model ASC, version ASC
            """,
            {"name": name, "version": version},
        ).fetchall()
        if not found:
            ((message,),) = hub._own.execute(f"SELECT {logic}.unknown_model(?, ?)", [name, version]).fetchall()
            raise ModelNotFoundError(message.removeprefix("ModelNotFoundError: "))
    except duckdb.Error as error:
        raise translated(error) from error
    return found


def shown(hub: Hub, name: str, version: str | None) -> Result:
    """The features of a model's dataset; the summary says what is known of the model."""
    from modelhub_sql.engine import check_model

    check_model(name, version)
    own, place = hub._own, hub._place
    tables = f"{place.tables}._hub"
    try:
        ((model, latest, dataset_id),) = own.execute(f"FROM {place.logic}._logic.explained(?, ?)", [name, version]).fetchall()
        ((rows, source, excluded, skipped, accuracy, task, framework, uri, metadata),) = own.execute(
            f"SELECT rows, source, excluded, skipped, source_accuracy, task, framework, uri, metadata FROM {tables}.models "
            f"JOIN {tables}.datasets USING (dataset_id) WHERE model = ? AND version = ?",
            [model, latest],
        ).fetchall()
        result = hub._result(
            f'SELECT feature, kind, "values", nulls, distincts, mean, len(bins) AS bins, spread FROM {tables}.features '
            f"WHERE dataset_id = {int(dataset_id)} ORDER BY feature_id ASC"
        )
    except duckdb.Error as error:
        raise translated(error, hub=hub.path) from error
    told = {
        "accuracy": accuracy, "task": task, "framework": framework, "uri": uri, "excluded": _listed(excluded),
        "skipped": ", ".join(skipped), "aliases": ", ".join(_aliases(metadata)),
    }  # fmt: skip
    result.summary = f"{model}{f', version {latest}' if latest else ''}: {rows} rows of {source}" + "".join(
        f"; {what} {value}" for what, value in told.items() if value not in (None, "")
    )
    return result


def datasets_of(hub: Hub) -> Result:
    """The datasets of a hub and the models that were trained on them."""
    tables = f"{hub._place.tables}._hub"
    try:
        return hub._result(
            f"""
            SELECT d.dataset_id, d.dataset, d.rows, d.partitions, f.features, m.models, d.source, d.excluded, d.registered_at
            FROM {tables}.datasets AS d
            LEFT JOIN (SELECT dataset_id, count(*) AS features FROM {tables}.features GROUP BY dataset_id) AS f USING (dataset_id)
            LEFT JOIN (SELECT dataset_id, list(model || CASE WHEN version = '' THEN '' ELSE ' ' || version END
                ORDER BY model ASC, version ASC) AS models FROM {tables}.models GROUP BY dataset_id) AS m USING (dataset_id)
            ORDER BY d.dataset_id ASC
            """
        )
    except duckdb.Error as error:
        raise translated(error, hub=hub.path) from error


def sync(hub: Hub, models: Any, defaults: Mapping[str, Any], remove: bool, dry_run: bool, progress: bool) -> Result:
    """Bring the hub in line with a manifest; a row for each model: what was done, and why."""
    # What is of a dataset is nothing to who shares that of another.
    shared = {name: value for name, value in defaults.items() if name not in ("exclude", "hide_excluded")}
    rows = [_in_numbers({**(defaults if row.get("like") is None else shared), **row}) for row in manifest_of(hub, models)]
    known = _registered(hub)
    registering = Registering(hub, numbered=False)
    plan: list[tuple[str, str, str, str]] = []
    errors: dict[int, str] = {}
    seen: set[tuple[str, str]] = set()
    sketched: set[str] = set()
    to_check: list[tuple[int, dict[str, Any]]] = []
    for number, row in enumerate(rows, 1):
        check_text(f"model {number}: name", row["name"])
        check_text(f"model {number}: version", row.get("version"))
        key = (str(row["name"]), str(row.get("version") or ""))
        if key in seen:
            errors[number] = "is in the manifest twice"
            continue
        seen.add(key)
        try:
            action, why = _action(row, known.get(key), known, sketched)
            if action in ("new", "changed"):
                sketched.add(key[0])
            if action in ("new", "changed") and row.get("dataset") is not None:
                to_check.append((number, row))
            elif (
                action == "same"
                and isinstance(row.get("dataset"), (str, os.PathLike))
                and not row.get("read")
                # Not what has other rows appended.
                and known[key]["source"] == _said(row)
            ):
                registering.knows(row, known[key]["dataset_id"])
        except HubError as error:
            errors[number] = str(error)
            continue
        plan.append((*key, action, why))
    # What can be told without reading the rows is told of all models at once.
    registering.look_at(row for _, row in to_check)
    for number, row in to_check:
        try:
            registering.check(row)
        except HubError as error:
            errors[number] = str(error)
    if errors:
        told = "; ".join(f"model {number} ({rows[number - 1]['name']!s:.200}): {errors[number]}" for number in sorted(errors))
        raise OptionError(f"nothing was changed, {len(errors)} of {len(rows)} models can't be taken: {told}")
    by_key = {(str(row["name"]), str(row.get("version") or "")): row for row in rows}
    for key in sorted(known.keys() - seen):
        plan.append((*key, "gone", "removed" if remove else "stays: remove takes it away"))
    if not dry_run:
        _carry_out(hub, plan, by_key, known, registering, remove, progress)
    columns = ("model", "version", "action", "why")
    result = Result(
        hub.con, pa.table({name: pa.array([row[place] for row in plan], pa.string()) for place, name in enumerate(columns)})
    )
    counts = {action: sum(each[2] == action for each in plan) for action in ("new", "changed", "updated", "gone", "same")}
    result.summary = ("nothing was changed; would be: " if dry_run else "") + ", ".join(
        f"{count} {action}" for action, count in counts.items()
    )
    return result


def _in_numbers(row: dict[str, Any]) -> dict[str, Any]:
    """What a csv has as text and is a number; what is none is left, and refused where it is used."""
    for name in ("accuracy", "accuracy_rows"):
        if isinstance(row.get(name), str):
            with suppress(ValueError):
                row[name] = float(row[name])
    return row


def _carry_out(
    hub: Hub,
    plan: list[tuple[str, str, str, str]],
    rows: Mapping[tuple[str, str], Mapping[str, Any]],
    known: Mapping[tuple[str, str], Mapping[str, Any]],
    registering: Registering,
    remove: bool,
    progress: bool,
) -> None:
    from modelhub_sql.rendering import tracked

    with hub._transaction():
        for model, version, action, _ in tracked(plan, "Bringing in line", progress):
            row = rows.get((model, version), {})
            if action in ("new", "changed"):
                # What the manifest does not say stays.
                before = known.get((model, version), {})
                kept = {name: before[column] for name, column in _KNOWN.items() if before.get(column) is not None}
                if isinstance(kept.get("metadata"), str):
                    kept["metadata"] = json.loads(kept["metadata"])
                told = {name: value for name, value in row.items() if value is not None or name not in kept}
                registering.add({**kept, **told, "replace": True})
        registering.finish()
        for model, version, action, _ in plan:
            row = rows.get((model, version), {})
            if action == "updated":
                update(hub, model, version, {name: row[name] for name in _KNOWN if row.get(name) is not None})
            elif action == "gone" and remove:
                hub._run_verb("remove", model=model, version=version)
    hub._registered += sum(action in ("new", "changed") for *_, action, _ in plan)


def _registered(hub: Hub) -> dict[tuple[str, str], dict[str, Any]]:
    tables = f"{hub._place.tables}._hub"
    result = hub._own.execute(
        f"SELECT m.*, d.source, d.excluded, d.registered_at AS sketched_at FROM {tables}.models AS m "
        f"JOIN {tables}.datasets AS d USING (dataset_id)"
    )
    columns = [column[0] for column in result.description or ()]
    rows = [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
    return {(row["model"], row["version"]): row for row in rows}


def _said(row: Mapping[str, Any]) -> str:
    """What the hub is to say of where a row's data are from."""
    return str(datasets.said_of(os.fspath(row["dataset"])) if row.get("source") is None else row["source"])


def _listed(excluded: Iterable[str | None]) -> str:
    return ", ".join("columns whose names are not kept" if each is None else each for each in excluded)


def _like(row: Mapping[str, Any], known: Mapping[tuple[str, str], Any]) -> Any:
    """The dataset of the model that a row is like: of the version that it says, or the latest."""
    of_name = [each for (name, version), each in known.items() if name == row["like"]]
    asked = [each for each in of_name if row.get("like_version") in (None, "", each["version"])]
    return max(asked, key=lambda each: (each["registered_at"], each["version"]), default={"dataset_id": None})["dataset_id"]


def _action(
    row: Mapping[str, Any], before: Mapping[str, Any] | None, known: Mapping[tuple[str, str], Any], sketched: set[str]
) -> tuple[str, str]:
    """new, changed (to be sketched again), updated (only what is known of the model) or same, and why.

    sketched: names of the models that are new or changed themselves.
    """
    from modelhub_sql.engine import as_json

    if before is None:
        return "new", ""
    dataset, like = row.get("dataset"), row.get("like")
    if isinstance(dataset, (str, os.PathLike)):
        source = os.fspath(dataset)
        said = _said(row)
        # With what was appended since.
        if said != before["source"] and not before["source"].startswith(f"{said} + "):
            return "changed", f"its data is another: {before['source']} before"
        given, stored = list(row.get("exclude") or ()), list(before["excluded"])
        if given and row.get("hide_excluded"):
            given = [None]
        if given != (stored[len(stored) - len(given) :] if datasets.is_sketch(source) else stored):
            return "changed", f"another exclude: {_listed(stored) or 'nothing'} before"
        files = datasets.key(dataset)
        sketched = before["sketched_at"].replace(tzinfo=timezone.utc).timestamp()
        if files is not None and any(modified / 1e9 > sketched for *_, modified in files[1:]):
            return "changed", "its data is newer than the sketch"
        if files is None and datasets.is_local_file(source):
            return "changed", "its data is gone"
    elif dataset is not None:
        return "changed", "its data is no file"
    elif like is not None and (like in sketched or before["dataset_id"] != _like(row, known)):
        return "changed", f"its data is not that of {like}"
    for name, column in _KNOWN.items():
        told = row.get(name)
        if (
            told is not None
            and (
                as_json(_with_aliases(told, before[column])) if name == "metadata" else os.fspath(told) if name == "uri" else told
            )
            != before[column]
        ):
            return "updated", f"another {name}: {before[column]} before"
    return "same", ""
