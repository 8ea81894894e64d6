"""What people see: tables in windows of 60, 80 and 120 characters, Markdown, notebooks, the first screen."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import rich.console
from click.testing import CliRunner, Result
from conftest import data

import modelhub_sql
from modelhub_sql.cli import main
from modelhub_sql.rendering import bar, print_sentence

ROOT = Path(__file__).parent.parent
EXCLUDE = ("--exclude", "label", "--exclude", "split")


@pytest.fixture(scope="module")
def hub_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("screens") / "hub.duckdb")
    with modelhub_sql.connect(path) as hub:
        about: dict[str, Any] = dict(exclude=["label", "split"], uri="s3://models/a-long-name/of-a-folder/model.pkl")
        hub.register("beer", data("beer"), accuracy=0.94, task="matching | beer", **about)
        hub.register("restaurants-of-two-guides-v2", data("fodors_zagats"), task="matching", version="2", **about)
        hub.record("beer", data("beer"), 0.9, exclude=["label", "split"])
    return path


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code == code, result.output
    return result


@pytest.fixture(params=[60, 80, 120])
def width(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    class Window(rich.console.Console):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options | {"width": request.param})

    monkeypatch.setattr(rich.console, "Console", Window)
    return int(request.param)


SCREENS = {
    "find": ("find", "HUB", data("beer"), *EXCLUDE, "--all-models"),
    "explain": ("explain", "HUB", "beer", data("fodors_zagats"), *EXCLUDE),
    "compare": ("compare", "HUB", "beer", "restaurants-of-two-guides-v2", data("beer"), *EXCLUDE),
    "list": ("list", "HUB"),
    "show": ("show", "HUB", "beer"),
    "datasets": ("datasets", "HUB"),
    "outcomes": ("outcomes", "HUB"),
}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("screen", SCREENS)
def test_no_line_is_wider_than_the_window_and_no_word_is_cut(hub_path: str, screen: str, width: int) -> None:
    arguments = [hub_path if each == "HUB" else each for each in SCREENS[screen]]
    printed = run(*arguments)
    lines = printed.stdout.splitlines()
    table = lines[next(number for number, line in enumerate(lines) if line.startswith("─")) - 1 :]
    assert max(map(len, table)) <= width
    # Every word of the table is one of the answer: of its values, or a name of its columns.
    rows = list(csv.reader(io.StringIO(run(*arguments, "--csv").stdout)))
    words = {word for row in rows for value in row for word in value.split()}
    for word in re.findall(r"[^\s─█▏▎▍▌▋▊▉]+", "\n".join(table)):
        assert word in words or re.fullmatch(r"[\d.e+-]+|\d\d:\d\d", word), word
    # What people decide by is there in the narrowest window.
    least = {
        "find": ["rank", "model", "verdict"],
        "explain": ["target_feature", "reason"],
        "compare": ["target_feature", "nearer"],
        "outcomes": ["model", "target", "verdict", "metric", "score"],
    }
    assert table[0].split()[: len(least.get(screen, []))] == least.get(screen, [])
    # What has no room is said.
    left = re.search(r"^without (.*), for which", printed.stderr, re.MULTILINE)
    for name in left[1].split(", ") if left else []:
        assert name in rows[0]
        assert name not in table[0].split()


@pytest.mark.parametrize("room", [60, 80])
def test_in_a_window_the_lines_of_a_sentence_end_between_words(
    room: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = (
        "loans is nearer than adult: distance 0.01 against 1.00; loans in 53 of 53 features, s3://"
        + "a" * 90
        + " in none-of-them"
    )
    print_sentence(said)
    assert capsys.readouterr().out == f"{said}\n"
    monkeypatch.setenv("COLUMNS", str(room))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    print_sentence(said)
    lines = capsys.readouterr().out.splitlines()
    assert " ".join(lines) == said
    assert all(len(line) <= room or " " not in line for line in lines)


def test_columns_are_chosen_and_all_are_printed_wide(hub_path: str, width: int) -> None:
    assert run("list", hub_path, "--columns", "uri,model").stdout.split()[:2] == ["uri", "model"]
    assert "s3://models/a-long-name/of-a-folder/model.pkl" in run("list", hub_path, "--columns", "model,uri").stdout
    assert "registered_at" in run("list", hub_path, "--wide").stdout.splitlines()[0]
    assert "there is no column colour" in run("list", hub_path, "--columns", "colour", code=2).stderr


def test_markdown_is_a_table_whatever_a_cell_holds(hub_path: str) -> None:
    lines = run("list", hub_path, "--markdown", "--columns", "model,task").stdout.splitlines()
    assert lines == [
        "| model | task |",
        "|---|---|",
        "| beer | matching \\| beer |",
        "| restaurants-of-two-guides-v2 | matching |",
    ]


def test_list_is_narrowed(hub_path: str) -> None:
    def listed(*options: str) -> list[str]:
        return run("list", hub_path, "--csv", "--columns", "model", *options).stdout.split()[1:]

    assert listed("--task", "matching") == listed("--where", "version = '2'") == ["restaurants-of-two-guides-v2"]
    assert listed("--limit", "1") == ["beer"]
    assert len(listed("--latest")) == 2


def test_privacy_counts_places_and_lists_them_in_paragraphs(hub_path: str, width: int) -> None:
    places = list(csv.DictReader(io.StringIO(run("privacy", hub_path, "--csv").stdout)))
    counted = Counter((place["dataset"], place["what"]) for place in places if place["feature"])
    lines = run("privacy", hub_path).stdout.splitlines()
    assert max(map(len, lines)) <= width
    # A narrow window has no room for the count beside so long a name.
    for (dataset, what), features in counted.items() if width > 60 else ():
        assert any(line.split()[: 2 + len(what.split())] == [dataset, *what.split(), str(features)] for line in lines)
    said = " ".join(run("privacy", hub_path, "--details").stdout.split())
    for place in places:
        of = f"{place['feature']}: " if place["feature"] else ""
        assert f"{of}{place['what']} ({place['rows']} rows): {place['meaning']}" in said


def test_the_program_alone_says_what_to_do_first() -> None:
    said = run().stdout
    for command in re.findall(r"modelhub (\w+)", said):
        assert command in main.commands
    assert max(map(len, said.splitlines())) <= 60


def test_help_lists_each_command_once_with_its_whole_sentence() -> None:
    said = run("--help").stdout
    listed = re.findall(r"^  ([a-z][a-z-]*) {2,}\S", said, flags=re.MULTILINE)
    assert sorted(listed) == sorted(main.commands)
    for command in main.commands.values():
        assert " ".join((command.help or "").partition("\n\n")[0].split()) in " ".join(said.split())


def test_an_explanation_has_its_verdict_on_top(hub_path: str) -> None:
    other = "restaurants-of-two-guides-v2"

    def first(model: str, target: str) -> str:
        return run("explain", hub_path, model, target, "--exclude", "label", "--exclude", "split?").stdout.splitlines()[0]

    assert first("beer", data("beer")) == "beer fits: its data and the target are the same, as far as the rows can tell"
    assert first("beer", data("fodors_zagats")) == "beer: shares no feature with the target"
    target = str(ROOT / "examples" / "quickstart" / "data" / "yelp_zomato.parquet")
    with modelhub_sql.connect(hub_path, read_only=True) as hub:
        why = hub.explain(other, target, exclude=["label", "split?"]).dicts()
        (judged,) = hub.explain_model(other, target, exclude=["label", "split?"]).dicts()
    compared = {row["target_feature"]: row["distance"] for row in why if row["distance"] is not None}
    assert judged["verdict"] == "far"
    assert 0 < len(compared) < len(why)
    assert first(other, target) == (
        f"{other} is far (distance {judged['distance']:.2f}): {max(compared, key=lambda name: compared[name])} differs most; "
        f"it lacks {len(why) - len(compared)} of {len(why)} features"
    )


def test_a_bar_is_as_long_as_its_share() -> None:
    assert [bar(share, 2) for share in (0, 1 / 16, 0.5, 9 / 16, 1, 7)] == ["", "▏", "█", "█▏", "██", "██"]


class Cells(HTMLParser):
    """Texts of a page, and its tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)

    def handle_data(self, text: str) -> None:
        self.texts.append(text)


def test_a_notebook_shows_hub_answer_and_sketch_and_runs_nothing(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    table = pa.table({"height": [1.5, 2.5, 3.25] * 40, evil: [1.0, 2.0, 4.0] * 40})
    with modelhub_sql.connect() as hub:
        hub.register(evil, table)
        found = hub.find_models(table)
        pages = [Cells(each._repr_html_()) for each in (hub, found, hub.explain(evil, table), hub.sketch(table), hub.models())]
    for page in pages:
        assert evil in page.texts
        assert set(page.tags) <= {"p", "table", "thead", "tbody", "tr", "th", "td", "div", "code"}
    assert found.summary in pages[1].texts
    assert not any(len(text) > 6 and re.fullmatch(r"\d+\.\d+", text) for page in pages for text in page.texts)


def test_a_notebook_has_no_column_without_a_value_and_names_those_it_has_no_room_for(hub_path: str) -> None:
    with modelhub_sql.connect(hub_path, read_only=True) as hub:
        found = hub.find_models(data("beer"), exclude=["label", "split"], details=True, all_models=True)
        texts = Cells(found._repr_html_()).texts
    told = [name for name in found.columns if any(row[name] not in (None, "") for row in found.dicts())]
    (left,) = [
        text.removeprefix("not shown: ").removesuffix(" (").split(", ") for text in texts if text.startswith("not shown: ")
    ]
    shown = [text for text in texts if text in found.columns]
    assert shown + left == [name for name in told if name not in ("summary", "bar")]
    assert {"rank", "model", "verdict", "distance", "overlap", "source_accuracy"} <= set(shown)
    assert "warning" not in shown + left


def test_of_thousands_of_columns_the_nearest_are_named() -> None:
    table = pa.table({f"column_{number}": [1.0, 2.0] for number in range(3000)})
    with modelhub_sql.connect() as hub, pytest.raises(modelhub_sql.DatasetError) as refused:
        hub.sketch(table, exclude=["colunm_1234"])
    said = str(refused.value)
    assert "its columns are column_1234" in said
    assert "2990 more" in said
    assert len(said) < 500
