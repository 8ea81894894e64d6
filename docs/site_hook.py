"""What the site has beside the pages of this folder: the README as its first page, and the pages of the root.

A hook of mkdocs (``mkdocs.yml``). A link to a file that is not of the site becomes the file's path.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
#: Page of the site -> file of the root.
PAGES = {
    "index.md": "README.md",
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
    "security.md": "SECURITY.md",
}


def on_files(files: Files, config: Any) -> Files:
    """Add the pages of the root."""
    for page, source in PAGES.items():
        files.append(File.generated(config, page, content=of_the_root(ROOT.joinpath(source).read_text(encoding="utf-8"))))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Replace links that leave the folder."""
    if "/" in page.file.src_uri:
        # From a folder of the pages it leads to a page.
        return markdown
    return re.sub(r"\[([^\]]+)\]\(\.\./([^)#]+)[^)]*\)", as_path, markdown)


def of_the_root(text: str) -> str:
    """A page of the root, its links as from ``docs/``."""
    moved = {f"({source})": f"({page})" for page, source in PAGES.items()}
    for link, page in moved.items():
        text = text.replace(link, page)
    text = re.sub(r"\]\(docs/([^)]+)\)", r"](\1)", text)
    return re.sub(r"\[([^\]]+)\]\(((?:examples|tests|sql|udfs|LICENSE)[^)#]*)[^)]*\)", as_path, text)


def as_path(link: re.Match[str]) -> str:
    """What a link says, and the path where it leads, which is of the repository."""
    label, path = link[1], link[2]
    return f"`{path}`" if label.strip("`") == path else f"{label} (`{path}`)"
