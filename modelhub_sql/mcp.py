"""A hub for agents: a server of the Model Context Protocol over stdio. Read only.

Needs the extra ``mcp``.
"""

from __future__ import annotations

import glob
import math
import os
import threading
import warnings
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from modelhub_sql.errors import DatasetError, HubError
from modelhub_sql.extras import extra

if TYPE_CHECKING:
    from modelhub_sql.hub import Hub

__all__ = ["server"]

_ABOUT = (
    "A hub holds sketches of the data that models were trained on. find_models tells which models fit a table, explain_model why "
    "or why not, list_models what there is. Exclude label and id columns. Distances are in [0, 1], 0 is the same data."
)


def server(hub: Hub, *, folder: str | None = None, may_try: bool = False, any_format: bool = False) -> Any:
    """The server of a hub, with tools of the names of the verbs; ``run()`` serves over stdio until its client leaves.

    folder: only targets below it are read, by default any. may_try: offer try_models too, for models whose formats run no code;
    any_format: for all, which runs the code that is in them. Models are loaded from where the hub says that they are.
    Targets are files of this machine: no addresses, no other databases. Raises ExtraError.
    """
    made = extra("mcp.server.mcpserver", "mcp").MCPServer("modelhub", instructions=_ABOUT)
    tool_error = extra("mcp.server.mcpserver.exceptions", "mcp").ToolError
    turn = threading.Lock()

    def said(tool: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
        # What an unexpected exception says does not reach the agent, who needs it: which column, which model is near.
        @wraps(tool)
        def answered(*args: Any, **named: Any) -> dict[str, Any]:
            with turn, warnings.catch_warnings(record=True) as noted:
                warnings.simplefilter("always", UserWarning)
                try:
                    answer = tool(*args, **named)
                except (HubError, duckdb.Error) as error:
                    raise tool_error(f"{type(error).__name__}: {' '.join(str(error).split())[:2000]}") from error
            told = [str(each.message) for each in noted if each.category is UserWarning]
            return answer | ({"warnings": told} if told else {})

        return answered

    def file(target: str) -> str | list[str]:
        path = Path(target)
        if "://" in target:
            raise DatasetError(f"{target:.200} is an address: a target is a file of this machine")
        root = Path(folder or path.anchor or ".").resolve()
        if folder is not None and not path.is_absolute():
            path = root / path
        outside = DatasetError(f"{target:.200} is not below {folder}, where this server reads")
        if folder is not None and (".." in path.parts or not Path(*_before_glob(path)).resolve().is_relative_to(root)):
            raise outside
        found = [str(path)] if os.path.exists(path) else sorted(glob.glob(str(path), recursive=True))
        if not found:
            raise DatasetError(f"{target:.200} does not exist: pass a file (parquet, csv, json) or a glob")
        # A link may lead elsewhere.
        if folder is not None and not all(Path(each).resolve().is_relative_to(root) for each in found):
            raise outside
        return found[0] if len(found) == 1 else found

    def list_models(limit: int = 100) -> dict[str, Any]:
        """The models of the hub: name, version, task, accuracy on their own data, where they are, rows of training data."""
        found = hub.models()
        columns = ("model", "version", "task", "framework", "source_accuracy", "uri", "rows")
        return {"models": _rows(found, columns, limit), "count": len(found)}

    def find_models(target: str, exclude: list[str] | None = None, limit: int = 5) -> dict[str, Any]:
        """Which models were trained on data like this file (parquet, csv, json or a glob)? Best first, with a verdict.

        exclude: label and id columns, patterns as *_id, or name? for one that may be absent.
        """
        found = hub.find_models(file(target), exclude=exclude or [], top=max(1, limit))
        columns = ("rank", "model", "version", "verdict", "distance", "overlap", "source_accuracy", "uri")
        return {"summary": found.summary, "models": _rows(found, columns, limit)}

    def explain_model(
        model: str, target: str, version: str | None = None, exclude: list[str] | None = None, limit: int = 30
    ) -> dict[str, Any]:
        """Why a model fits a file or does not: its place in the search, and each feature with distance, ranges, reason."""
        told: dict[str, Any] = dict(version=version, exclude=exclude or [])
        (judged,) = _rows(hub.explain_model(model, file(target), **told), None, 1)
        found = hub.explain(model, file(target), **told)
        return {"model": judged, "features": _rows(found, None, limit), "count": len(found)}

    def try_models(target: str, label: str, exclude: list[str] | None = None, top: int = 5, rows: int = 50) -> dict[str, Any]:
        """Load the first models of a search and measure them on labelled rows of a file.

        label: the column to predict.
        """
        found = hub.try_models(file(target), label=label, exclude=exclude or [], top=top, rows=rows, safe=not any_format)
        return {"summary": found.summary, "models": _rows(found, None, top)}

    hints = extra("mcp_types", "mcp").ToolAnnotations
    for tool in (list_models, find_models, explain_model):
        made.add_tool(said(tool), annotations=hints(read_only_hint=True, open_world_hint=False))
    if may_try:
        made.add_tool(said(try_models), annotations=hints(read_only_hint=False, destructive_hint=False))
    return made


def _before_glob(path: Path) -> Sequence[str]:
    parts = list(path.parts)
    first = next((place for place, part in enumerate(parts) if any(sign in part for sign in "*?[")), len(parts))
    return parts[:first]


def _rows(found: Any, columns: Sequence[str] | None, limit: int) -> list[dict[str, Any]]:
    rows = found.dicts()[: max(0, limit)]
    return [{name: _plain(row[name]) for name in columns or row} for row in rows]


def _plain(value: Any) -> Any:
    """What JSON can hold; numbers with the digits that tell."""
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)
