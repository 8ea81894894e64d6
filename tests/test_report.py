"""A report says what the answers say, needs no network, and runs nothing that a name holds."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from conftest import data

import modelhub_sql
from modelhub_sql.cli import main
from modelhub_sql.errors import DatasetError, OptionError


class Page(HTMLParser):
    """Tags that are open at the end, tags and attributes that occur, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "srcset")]
        if tag not in ("meta", "source", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def test_a_report_has_the_ranking_the_reasons_and_what_was_left_out(sensor_hub: modelhub_sql.Hub, tmp_path: Path) -> None:
    path = tmp_path / "fit.html"
    assert sensor_hub.report(data("torso1"), path, exclude=["activity"], top=2) == str(path)
    page = Page(path.read_text(encoding="utf-8"))
    assert page.open == []
    assert page.tags.isdisjoint({"script", "link", "iframe"})
    assert page.links
    assert all(link.startswith("data:image/svg+xml;base64,") for link in page.links)
    found = sensor_hub.find_models(data("torso1"), exclude=["activity"], top=2)
    assert found.summary is not None
    assert found.summary in page.words
    for row in found.dicts():
        assert f"{row['rank']}. {row['model']}: {row['verdict']}, distance {row['distance']:.2f}" in page.words
    for name in ("beer", "leg2", "rank 3 is beyond top 2", "activity: left out on request"):
        assert name in page.words
    assert [file.name for file in tmp_path.iterdir()] == ["fit.html"]


def test_names_are_shown_and_not_run(hub: modelhub_sql.Hub, tmp_path: Path) -> None:
    cursed = "<script>alert(1)</script>\" onerror='x'"
    table = pa.table({cursed: np.arange(300.0) % 17, "plain": np.arange(300.0) % 5})
    hub.register(cursed, table, uri="javascript:alert(1)", version="<b>")
    hub.report(table, tmp_path / "fit.html")
    page = Page((tmp_path / "fit.html").read_text(encoding="utf-8"))
    assert page.tags.isdisjoint({"script", "b"})
    assert cursed in page.words
    assert all(link.startswith("data:") for link in page.links)


def test_a_report_that_cannot_be_made_leaves_what_was_there(sensor_hub: modelhub_sql.Hub, tmp_path: Path) -> None:
    path = tmp_path / "fit.html"
    path.write_text("before", encoding="utf-8")
    with pytest.raises(DatasetError):
        sensor_hub.report(tmp_path / "missing.parquet", path)
    with pytest.raises(OptionError, match=r"\.html"):
        sensor_hub.report(data("torso1"), tmp_path / "fit.pdf")
    with pytest.raises(OptionError, match="can't write"):
        sensor_hub.report(data("beer"), tmp_path / "nowhere" / "fit.html", exclude=["label", "split"])
    assert [file.name for file in tmp_path.iterdir()] == ["fit.html"]
    assert path.read_text(encoding="utf-8") == "before"


def test_what_is_covered_is_asked_as_the_search_was(sensor_hub: modelhub_sql.Hub, tmp_path: Path) -> None:
    options: dict[str, Any] = dict(exclude=["activity"], max_js=0.02)
    sensor_hub.report(data("torso2"), tmp_path / "fit.html", top=1, **options)
    words = Page((tmp_path / "fit.html").read_text(encoding="utf-8")).words
    (first,) = sensor_hub.find_models(data("torso2"), top=1, **options).dicts()
    parts = sensor_hub.explain_partitions(first["model"], data("torso2"), **options).dicts()
    covered = sum(part["matches"] > 0 for part in parts)
    assert f"{covered} of {len(parts)} partitions" in words
    assert "--max-js 0.02" in words


def test_a_target_that_nothing_fits_has_a_report_too(sensor_hub_path: str, tmp_path: Path) -> None:
    target, path = tmp_path / "target.csv", tmp_path / "fit.html"
    target.write_text("a,b\n" + "1,x\n2,y\n" * 50, encoding="utf-8")
    run = CliRunner().invoke(main, ["report", sensor_hub_path, str(target), "-o", str(path)])
    assert run.exit_code == 0, run.output
    page = Page(path.read_text(encoding="utf-8"))
    assert re.search("no model shares a feature with the target", page.words)
    assert page.open == []
