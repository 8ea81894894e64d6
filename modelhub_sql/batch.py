"""Many targets, one table: which models fit each of them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from modelhub_sql.errors import DatasetError, OptionError
from modelhub_sql.result import Result

if TYPE_CHECKING:
    from modelhub_sql.hub import Hub

__all__ = ["found_for_each"]


def found_for_each(hub: Hub, targets: Any, options: Mapping[str, Any]) -> Result:
    """The answers of ``find_models`` for each target, one after the other, with a column ``target`` before the others.

    targets: data by names, or a list of data: each is called by its path, or by its position. A target that can't be read
    is warned of and left out. Raises DatasetError where none can be.
    """
    import pyarrow as pa

    tables, problems = [], []
    for name, target in _named(targets):
        try:
            found = hub.find_models(target, **options)
        except DatasetError as error:
            problems.append(str(error) if name in str(error) else f"{name}: {error}")
            continue
        names = pa.array([name] * len(found), pa.string())
        tables.append(found.arrow().add_column(0, "target", names))
    if not tables:
        raise DatasetError("no target can be read: " + "; ".join(problems))
    for problem in problems:
        warnings.warn(f"left out: {problem}", stacklevel=3)
    result = Result(hub.con, pa.concat_tables(tables))
    result.problems = problems
    fit = sum(any(verdict != "far" for verdict in table.column("verdict").to_pylist()) for table in tables)
    result.summary = (
        f"Of {len(tables)} targets {fit or 'none'} {'has' if fit == 1 else 'have'} a model that is not far from it."
        + (f" {len(problems)} could not be read." if problems else "")
    )
    return result


def _named(targets: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(targets, Mapping):
        for name, target in targets.items():
            yield str(name), target
        return
    if not isinstance(targets, (list, tuple)) or not targets:
        raise OptionError(f"targets must be a list of datasets, or datasets by names, got {targets!r}")
    for number, target in enumerate(targets, 1):
        yield os.fspath(target) if isinstance(target, (str, os.PathLike)) else f"target {number}", target
