"""The hub's own logic, in SQL files. The folder is the flow, the file is the relation.

``format/``: the tables of a hub. ``values/``: macros of values and of datasets by name. ``sketch/`` (dataset -> sketch)
and ``search/`` (target and hub -> answer): one relation a file, in the order of their numbers. ``public/``: what users
call. ``verbs/``: scripts that change a hub. ``modelhub_sql/logic.py`` puts them together.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

__all__ = ["scripts"]


@cache
def scripts(folder: str) -> dict[str, str]:
    """Name (without its number) and text of each file of a folder, in the order of the numbers."""
    found = sorted(
        (file for file in files(__name__).joinpath(folder).iterdir() if file.name.endswith(".sql")), key=lambda f: f.name
    )
    return {file.name.removesuffix(".sql").lstrip("0123456789_"): file.read_text(encoding="utf-8") for file in found}
