"""The hub's own logic, in SQL files.

The name is the manifest: a file whose name starts with a number is installed in a new hub,
in the order of the names, which is the order of the data flow; a file without a number is
the script of the verb it is named after.
"""

from __future__ import annotations

from importlib.resources import files

__all__ = ["stages", "verbs"]


def _scripts() -> dict[str, str]:
    folder = files(__name__)
    return {
        file.name.removesuffix(".sql"): file.read_text(encoding="utf-8")
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        if file.name.endswith(".sql")
    }


def stages() -> dict[str, str]:
    """Name and text of each stage, in the order of the data flow."""
    return {name: text for name, text in _scripts().items() if name[0].isdigit()}


def verbs() -> dict[str, str]:
    """Name and text of each verb's script."""
    return {name: text for name, text in _scripts().items() if not name[0].isdigit()}
