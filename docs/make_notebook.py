"""Write the tutorial as a notebook: python docs/make_notebook.py [--check]

``tutorial.ipynb`` has the blocks of Python of ``tutorial.md`` as cells that can be run, all else as text, and no outputs.
``--check`` changes nothing and fails where the two disagree.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
#: A notebook runs where it lies, the page in the folder above.
FIRST = """import os

if os.path.basename(os.getcwd()) == "docs":
    os.chdir("..")"""


def notebook(page: str) -> str:
    """The notebook of a page in Markdown."""
    title, _, rest = page.partition("\n\n")
    parts = [("markdown", title), ("code", FIRST)]
    for place, part in enumerate(re.split(r"^```python\n(.*?)^```$", rest, flags=re.DOTALL | re.MULTILINE)):
        if part.strip():
            parts.append(("code" if place % 2 else "markdown", part.strip()))
    made = {
        "cells": [_cell(place, kind, text) for place, (kind, text) in enumerate(parts)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _cell(place: int, kind: str, text: str) -> dict[str, Any]:
    made: dict[str, Any] = {"cell_type": kind, "id": f"cell-{place}", "metadata": {}, "source": text.splitlines(keepends=True)}
    return made | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def main(check: bool) -> int:
    path = DOCS / "tutorial.ipynb"
    made = notebook((DOCS / "tutorial.md").read_text(encoding="utf-8"))
    if check:
        if not path.exists() or path.read_text(encoding="utf-8") != made:
            print(f"{path.name} is not what tutorial.md says: python docs/make_notebook.py", file=sys.stderr)
            return 1
        return 0
    path.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
