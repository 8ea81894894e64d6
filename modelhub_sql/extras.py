"""Packages that only a part of ModelHub needs, imported where that part is used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from modelhub_sql.errors import ExtraError

__all__ = ["extra"]


def extra(module: str, name: str) -> Any:
    """A module of a package that is no dependency of ours.

    name: the extra of modelhub-sql that brings it. Raises ExtraError where it is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        raise ExtraError(f"{missing} is not installed: pip install 'modelhub-sql[{name}]'") from error
