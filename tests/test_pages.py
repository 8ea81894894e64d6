"""What the pages for those who change the package name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from modelhub_sql import logic

ROOT = Path(__file__).parent.parent
PAGES = ("CONTRIBUTING.md", "docs/architecture.md", "docs/strangers.md")


@pytest.mark.parametrize("page", PAGES)
def test_programs_that_are_named_are_there(page: str) -> None:
    for path in re.findall(r"\b(?:docs|tests|sql|udfs|examples)/[\w/.]*\.\w+", ROOT.joinpath(page).read_text(encoding="utf-8")):
        if path not in ("sql/search/27_large_dataset.sql", "docs/digests.csv"):
            assert (ROOT / path).exists(), path


def test_the_glossary_has_twelve_words_and_names_relations_that_are_there() -> None:
    page = ROOT.joinpath("docs/architecture.md").read_text(encoding="utf-8")
    assert len(re.findall(r"^\| \*\*", page, re.MULTILINE)) == 12
    known = {*logic.relations("sketch"), *logic.relations("search")}
    for name in re.findall(r"`(?:\d+_)?([a-z]\w+_(?:dataset|match|feature))`", page):
        assert name in known, name


def test_the_modules_of_the_package_are_all_in_the_tree() -> None:
    page = ROOT.joinpath("docs/architecture.md").read_text(encoding="utf-8")
    for module in ROOT.joinpath("modelhub_sql").glob("*.py"):
        assert module.name.startswith("__") or module.name in page, module.name
