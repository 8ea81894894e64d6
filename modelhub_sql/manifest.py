"""A manifest: a table with a row for each model, as the arguments of ``Hub.register``."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from modelhub_sql.arguments import Argument
from modelhub_sql.errors import OptionError

__all__ = ["checked", "is_csv", "of_rows"]


def is_csv(path: str) -> bool:
    """Whether a file is csv, whose cells are read as text."""
    return any(suffix in (".csv", ".tsv") for suffix in Path(path).suffixes)


def of_rows(rows: Iterable[Mapping[str, Any]], source: str, arguments: Mapping[str, Argument]) -> list[dict[str, Any]]:
    """The arguments of ``register`` that the rows of a table stand for.

    rows: by column name. arguments: those that there are.
    source: file or name of the table; paths and globs of datasets are relative to a file.
    Raises OptionError for metadata that is not JSON.
    """
    folder = Path(source).parent if os.path.isfile(source) else None
    texts = {name for name, argument in arguments.items() if str in argument.types}
    return [_of_row(row, folder, texts, f"{source}, model {number}") for number, row in enumerate(rows, 1)]


def _of_row(row: Mapping[str, Any], folder: Path | None, texts: Collection[str], place: str) -> dict[str, Any]:
    given = {name: value for name, value in row.items() if value is not None}
    dataset = given.get("dataset")
    if folder is not None and isinstance(dataset, str) and not Path(dataset).is_absolute() and _is_in(folder, dataset):
        given["dataset"] = str(folder / dataset)
    for name in given.keys() & texts:
        given[name] = str(given[name])
    for name in ("replace", "hide_excluded"):
        if isinstance(given.get(name), str):
            given[name] = {"true": True, "false": False}.get(given[name].strip().lower(), given[name])
    if isinstance(given.get("exclude"), str):
        given["exclude"] = [column.strip() for column in given["exclude"].split(",")]
    if isinstance(given.get("metadata"), str):
        try:
            given["metadata"] = json.loads(given["metadata"])
        except json.JSONDecodeError as error:
            raise OptionError(f"{place}: metadata is not JSON: {error}") from error
    return given


def _is_in(folder: Path, pattern: str) -> bool:
    return os.path.exists(folder / pattern) or (any(sign in pattern for sign in "*?[") and any(folder.glob(pattern)))


def checked(models: Iterable[Mapping[str, Any]], arguments: Collection[str]) -> list[dict[str, Any]]:
    """The models, each with a name and nothing that is not among the arguments. Raises OptionError."""
    try:
        rows = [dict(model) for model in models]
    except (TypeError, ValueError) as error:
        raise OptionError(f"register_many takes a list of mappings or a table, got {models!r:.200}") from error
    for number, row in enumerate(rows, 1):
        for name in row:
            if name not in arguments:
                raise OptionError(f"model {number}: no argument is called {name!r}; there are {', '.join(arguments)}")
        if "name" not in row:
            raise OptionError(f"model {number} has no name")
    return rows
