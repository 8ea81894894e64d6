"""What the pictures show is what the answers and the data say."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from conftest import SENSORS, data

import modelhub_sql
from modelhub_sql import plots
from modelhub_sql.cli import main
from modelhub_sql.errors import OptionError


def drawn(chart: dict[str, Any], place: int) -> list[dict[str, Any]]:
    """The rows that a panel is drawn from; what is common to all is said of the whole."""
    panel = chart["concat"][place]
    data = next(each["data"] for each in (panel, *panel.get("layer", [])[::-1], chart) if "data" in each)
    return list(chart["datasets"][data["name"]] if "name" in data else data["values"])


def shares(rows: list[dict[str, Any]], side: str) -> tuple[list[float], list[float]]:
    """Where the intervals of a side begin, the last where it ends, and their shares."""
    of_side = [row for row in rows if row["side"] == side]
    return [row["at"] for row in of_side], [row["share"] for row in of_side][:-1]


def test_a_panel_shows_the_shares_of_the_values_on_both_sides(hub: modelhub_sql.Hub) -> None:
    rng = np.random.default_rng(1)
    model, target = rng.normal(0, 1, 4000), rng.normal(2, 1, 3000)
    hub.register("m", pa.table({"x": model}))
    chart = plots.features(hub.explain("m", pa.table({"x": target}))).to_dict()
    for side, real in (("target", target), ("model", model)):
        edges, found = shares(drawn(chart, 0), side)
        # In quarters of the picture: a bin is spread evenly over its interval.
        quarters = np.asarray(edges)[::10]
        expected = np.histogram(real, quarters)[0] / len(real)
        assert np.add.reduceat(found, range(0, 40, 10)) == pytest.approx(expected, abs=0.02)
    assert edges[0] < -1.9
    assert edges[-1] > 3.9
    assert "distance 0." in str(chart["concat"][0]["title"])


def test_times_words_negative_and_single_numbers_are_drawn(hub: modelhub_sql.Hub) -> None:
    days = [datetime.datetime(2020, 1, 1) + datetime.timedelta(days=each % 300) for each in range(400)]
    table = {
        "when": days, "word": ["red", "green"] * 200, "one": [7.0] * 400, "minus": [-float(2**each) for each in range(8)] * 50,
        "huge": [1e300, float("inf"), -1e-300, 0.0] * 100,
    }  # fmt: skip
    hub.register("m", pa.table(table), exclude=[])
    chart = plots.features(hub.explain("m", pa.table(table))).to_dict()
    titles = [panel["title"]["text"] for panel in chart["concat"]]
    assert len(titles) == 5
    for place in range(5):
        rows = drawn(chart, place)
        of_target = sum(row["share"] for row in rows if row["side"] == "target")
        assert of_target == pytest.approx(sum(row["share"] for row in rows if row["side"] == "model"))
    when = drawn(chart, titles.index("when"))
    assert datetime.datetime.fromtimestamp(min(row["at"] for row in when) / 1000, datetime.timezone.utc).year in (2019, 2020)


def test_a_ranking_has_each_model_in_order_on_a_scale_from_0_to_1(sensor_hub: modelhub_sql.Hub) -> None:
    found = sensor_hub.find_models(data("torso1"), exclude=["activity"], all_models=True)
    chart = found.plot(dark=True).to_dict()
    bars = chart["layer"][0]["encoding"]
    assert bars["x"]["scale"]["domain"] == [0, 1]
    assert bars["y"]["sort"] == [row["model"] for row in found.dicts()]
    assert " ".join(chart["title"]["text"]) == found.summary
    # The tick is spoken of where it is drawn.
    told = sensor_hub.find_models(data("torso1"), exclude=["activity"], details=True).plot().to_dict()
    assert ["tick" in str(each["title"]["subtitle"]) for each in (chart, told)] == [False, True]


def test_a_map_puts_what_is_alike_side_by_side(sensor_hub: modelhub_sql.Hub) -> None:
    pairs = sensor_hub.dataset_pairs()
    chart = pairs.plot().to_dict()
    order = chart["encoding"]["x"]["sort"]
    assert set(order) >= set(SENSORS)
    assert {abs(order.index(a + "1") - order.index(a + "2")) for a in ("torso", "leg")} == {1}
    cells = {(cell["target"], cell["dataset"]): cell["distance"] for cell in next(iter(chart["datasets"].values()))}
    assert len(cells) == len(order) ** 2
    for pair in pairs.dicts():
        assert cells[pair["target"], pair["dataset"]] == pytest.approx(pair["distance"], abs=1e-4)


def test_what_nothing_covers_is_said(hub: modelhub_sql.Hub) -> None:
    rng = np.random.default_rng(3)
    hub.register("near", pa.table({"x": rng.normal(0, 1, 400)}))
    chart = plots.coverage(hub, pa.table({"x": rng.normal(50, 1, 300)}), max_js=0.1).to_dict()
    assert chart["title"]["text"] == "3 of 3 partitions of the target are covered by no model"
    chart = plots.coverage(hub, pa.table({"x": rng.normal(0, 1, 300)}), max_js=0.6).to_dict()
    assert chart["title"]["text"] == "Each partition of the target is covered by some model"


def test_pictures_are_written_by_the_commands(sensor_hub_path: str, tmp_path: Path) -> None:
    png, svg = tmp_path / "why.png", tmp_path / "map.svg"
    run = CliRunner().invoke(
        main, ["explain", sensor_hub_path, "leg1", data("leg2"), "--exclude", "activity", "--plot", str(png)]
    )
    assert run.exit_code == 0, run.output
    assert png.read_bytes().startswith(b"\x89PNG")
    run = CliRunner().invoke(main, ["pairs", sensor_hub_path, "--plot", str(svg)])
    assert run.exit_code == 0, run.output
    assert "torso2" in svg.read_text(encoding="utf-8")


def test_what_has_no_picture_is_refused(sensor_hub: modelhub_sql.Hub) -> None:
    with pytest.raises(OptionError, match="no picture"):
        sensor_hub.models().plot()
    with pytest.raises(OptionError, match=r"\.png"):
        plots.save(sensor_hub.dataset_pairs().plot(), "map.bmp")


def test_a_name_does_not_end_the_script_that_holds_a_picture(tmp_path: Path) -> None:
    name = "</script><script>alert(1)</script>"
    with modelhub_sql.connect() as hub:
        hub.register("m", pa.table({name: [1.0, 2.0, 3.0] * 50}))
        plots.save(hub.explain("m", pa.table({name: [1.0, 2.5, 3.0] * 50})).plot(), str(tmp_path / "e.html"))
    written = (tmp_path / "e.html").read_text(encoding="utf-8")
    assert "alert(1)" in written
    assert name not in written


def test_coverage_is_asked_for_as_the_search_was(tmp_path: Path) -> None:
    path = tmp_path / "german.csv"
    path.write_text("a;b\n" + "".join(f"{i % 7},5;{i % 11},25\n" for i in range(400)), encoding="utf-8")
    read = {"delim": ";", "decimal_separator": ","}
    with modelhub_sql.connect(partition_size=100) as hub:
        hub.register("m", path, read=read)
        chart = plots.coverage(hub, path, read=read).to_dict()
    assert '"covered"' in json.dumps(chart)
    assert '"not covered"' not in json.dumps(chart).replace('"domain": ["covered", "not covered"]', "")
