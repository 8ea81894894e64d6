"""Pictures of an answer: the ranking, each feature on both sides, the map of a hub, what covers a target. Extra ``plots``.

Each function returns an Altair chart: shown in a notebook as it is, ``save("x.png")``, ``save("x.svg")``, without a browser.
All is drawn from answers and sketches; no row of any data is needed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from modelhub_sql.arguments import described
from modelhub_sql.errors import OptionError
from modelhub_sql.extras import extra
from modelhub_sql.udfs.dyadic import number_bins
from modelhub_sql.visible import visible

if TYPE_CHECKING:
    from modelhub_sql.hub import Hub
    from modelhub_sql.result import Result

__all__ = ["coverage", "datasets", "features", "plot", "ranking", "save"]

Floats = npt.NDArray[np.float64]

#: Told apart by people who see few colours, too; on white and on black.
VERDICTS = {"same": "#2a8a4a", "close": "#6aa84f", "partly": "#d98c1f", "far": "#c0504d"}
SIDES = {False: ("#1f6fb2", "#c2571a"), True: ("#6cb4ee", "#f2a65a")}
INK = {False: ("#1d2129", "#5b6470", "#d9dde3", "#ffffff"), True: ("#e8eaed", "#a7afba", "#3a4049", "#16191d")}
#: Bars of a histogram; panels of a picture; words of a text; models of a ranking; datasets of a map that have a label.
BARS, PANELS, WORDS, MODELS, LABELS = 40, 12, 16, 30, 60


def plot(result: Result, *, dark: bool = False) -> Any:
    """The picture of an answer: of ``find_models``, ``find_datasets``, ``explain``, ``dataset_pairs``.

    dark: for a dark page. Raises OptionError for an answer of which there is no picture.
    """
    columns = set(result.columns)
    if {"target_feature", "reason"} <= columns:
        return features(result, dark=dark)
    if {"verdict", "distance", "rank"} <= columns:
        return ranking(result, dark=dark)
    if {"target_id", "dataset_id", "distance"} <= columns:
        return datasets(result, dark=dark)
    raise OptionError(f"there is no picture of {', '.join(result.columns)}: plot what find_models or explain returns, unchanged")


class _InScript(json.JSONEncoder):
    """JSON that a name in it can't end: it stands within a script of the page."""

    def encode(self, o: Any) -> str:
        return super().encode(o).replace("<", "\\u003c")


#: How each kind of file is written.
_SAVED: dict[str, dict[str, Any]] = {"png": {"scale_factor": 2}, "html": {"inline": True, "json_kwds": {"cls": _InScript}}}


def save(chart: Any, path: str) -> None:
    """Write a picture: .png, .svg, .html or .json (Vega-Lite). Raises OptionError."""
    ending = path.rpartition(".")[2].lower()
    if ending not in ("png", "svg", "html", "json"):
        raise OptionError(f"a picture is a .png, .svg, .html or .json file, got {path!r}")
    try:
        chart.save(path, **_SAVED.get(ending, {}))
    except OSError as error:
        raise OptionError(f"can't write {path}: {error.strerror or error}") from error


def ranking(found: Result, *, dark: bool = False) -> Any:
    """Distance and verdict of each model (or dataset), the nearest on top; with details, a tick where chance alone would put it.

    found: what ``find_models`` or ``find_datasets`` returns. The first 30 are drawn.
    """
    alt = _altair()
    rows = found.dicts()
    names = _distinct([_named(row) for row in rows[:MODELS]], [row["rank"] for row in rows[:MODELS]])
    shown = [
        {
            "name": name, "distance": row["distance"], "verdict": row["verdict"],
            "said": f"{row['verdict']}  {row['distance']:.2f}", "chance": row.get("expected_distance"),
            "overlap": row["overlap"],
        }
        for name, row in zip(names, rows, strict=False)
    ]  # fmt: skip
    base = alt.Chart(alt.InlineData(values=shown)).encode(
        y=alt.Y("name:N", sort=names, title=None, axis=alt.Axis(labelLimit=260))
    )
    x = alt.X("distance:Q", scale=alt.Scale(domain=[0, 1]), title="distance (0: the same, 1: nothing in common)")
    colour = alt.Color(
        "verdict:N",
        scale=alt.Scale(domain=list(VERDICTS), range=list(VERDICTS.values())),
        legend=alt.Legend(title="verdict", orient="bottom"),
    )
    tooltip = ["name:N", "verdict:N", "distance:Q", "overlap:Q"]
    bars = base.mark_bar(height=13, minBandSize=1).encode(x=x, color=colour, tooltip=tooltip)
    words = base.mark_text(align="left", dx=6, color=INK[dark][0]).encode(x=x, text="said:N")
    chance = base.mark_tick(color=INK[dark][0], thickness=2, height=15).encode(x=alt.X("chance:Q"))
    said = [f"the first {len(shown)} of {len(rows)}"] if len(rows) > len(shown) else []
    if any(row["chance"] is not None for row in shown):
        said.append("the tick: what chance alone would make it")
    title = alt.TitleParams(_wrapped(found.summary or "How far each is from the target"), subtitle="; ".join(said))
    return _styled(alt.layer(bars, words, chance).properties(width=460, height=alt.Step(22), title=title), dark)


def features(explanation: Result, *, dark: bool = False, limit: int = PANELS) -> Any:
    """Target over model, feature by feature, the farthest first, drawn from the two sketches.

    explanation: what ``explain`` returns. limit: at most so many features. Numbers and times: the share of values in
    equal intervals from the 1st to the 99th percentile of both sides. Text: the most frequent words, which a sketch has
    no names of.
    """
    if explanation.histograms is None:
        raise OptionError("only what explain returns can be drawn feature by feature, unchanged and with numpy")
    alt = _altair()
    sides = {(row["side"], row["feature"]): row for row in explanation.histograms.to_pylist()}
    rows = explanation.compared
    compared = [row for row in rows if row["matched_by"] is not None]
    compared.sort(key=lambda row: -row["distance"])
    panels = [
        _panel(alt, row, sides["target", row["target_feature"]], sides["model", row["source_feature"]], dark)
        for row in compared[:limit]
    ]
    lacking = [row["target_feature"] for row in rows if row["matched_by"] is None and row["kind"] is not None]
    notes = []
    if len(compared) > limit:
        notes.append(f"the farthest {limit} of {len(compared)} features")
    if lacking:
        notes.append("not compared: " + ", ".join(lacking[:8]) + (f" and {len(lacking) - 8} more" if len(lacking) > 8 else ""))
    title = alt.TitleParams(
        f"The target over {explanation.about or 'the model'}", subtitle=[line for note in notes for line in _wrapped(note, 110)]
    )
    if not panels:
        empty = alt.Chart(alt.InlineData(values=[{"said": "No feature can be compared."}]))
        return _styled(empty.mark_text(color=INK[dark][0]).encode(text="said:N").properties(title=title, width=400), dark)
    chart = alt.concat(*panels, columns=3, spacing={"row": 92, "column": 62}, bounds="flush").resolve_scale(
        x="independent", y="independent"
    )
    return _styled(chart.properties(title=title), dark)


def datasets(pairs: Result, *, dark: bool = False) -> Any:
    """The map of a hub: how far each dataset (across) is from each as the target (down), those alike side by side.

    pairs: what ``dataset_pairs`` returns. What shares no feature has distance 1. At most 1,000 datasets.
    """
    alt = _altair()
    rows = pairs.dicts()
    names = {row["target_id"]: row["target"] for row in rows} | {row["dataset_id"]: row["dataset"] for row in rows}
    if len(names) > 1000:
        raise OptionError(f"a map shows at most 1,000 datasets, there are {len(names):,}: filter the pairs first")
    ids = sorted(names)
    place = {number: at for at, number in enumerate(ids)}
    matrix = np.ones((len(ids), len(ids)))
    np.fill_diagonal(matrix, 0)
    for row in rows:
        matrix[place[row["target_id"]], place[row["dataset_id"]]] = row["distance"]
    order = _alike_together((matrix + matrix.T) / 2)
    labels = _distinct([names[ids[at]] for at in order], [ids[at] for at in order])
    shown = [
        {"target": labels[i], "dataset": labels[j], "i": i, "j": j, "distance": round(float(matrix[order[i], order[j]]), 4)}
        for i in range(len(ids))
        for j in range(len(ids))
    ]
    axis = alt.Axis(labelLimit=200, labels=len(ids) <= LABELS, ticks=False, domain=False)
    side = max(2, min(26, 900 // max(1, len(ids))))
    chart = (
        alt.Chart(alt.InlineData(values=shown))
        .mark_rect()
        .encode(
            x=alt.X("dataset:N", sort=labels, title="dataset", axis=axis),
            y=alt.Y("target:N", sort=labels, title="as the target", axis=axis),
            color=alt.Color(
                "distance:Q",
                scale=alt.Scale(domain=[0, 1], scheme="viridis" if dark else "blues", reverse=True),
                legend=alt.Legend(title="distance"),
            ),
            tooltip=["target:N", "dataset:N", "distance:Q"],
        )
        .properties(width=alt.Step(side), height=alt.Step(side))
    )
    title = alt.TitleParams("Which datasets are alike", subtitle="0: the same, 1: nothing in common")
    return _styled(chart.properties(title=title), dark)


def coverage(hub: Hub, target: Any, *, exclude: Sequence[str] = (), dark: bool = False, **options: Any) -> Any:
    """Which partitions of a target which model covers, and which nothing covers.

    target, exclude, options: as of ``find_models``. A column is a partition, a row a model of the ranking (all_models), the
    nearest on top; the last row is what any of them covers.
    """
    alt = _altair()
    found = hub.find_models(target, exclude=exclude, **({"all_models": True, "top": MODELS} | options))
    shown: list[dict[str, Any]] = []
    covered: dict[int, bool] = {}
    for row in found.dicts():
        version = row["version"] or None
        given = {name: value for name, value in options.items() if name in described(type(hub).explain_partitions)}
        for part in hub.explain_partitions(row["model"], target, version=version, exclude=exclude, **given).dicts():
            covered[part["target_partition"]] = covered.get(part["target_partition"], False) or part["matches"] > 0
            shown.append({"name": _named(row), "place": row["rank"], "partition": part["target_partition"], "n": part["matches"]})
    shown += [{"name": "any of them", "place": 1_000_000, "partition": each, "n": int(any_)} for each, any_ in covered.items()]
    for each in shown:
        each["said"] = "covered" if each["n"] else "not covered"
    uncovered = sum(not each for each in covered.values())
    width = max(2, min(18, 700 // max(1, len(covered))))
    chart = (
        alt.Chart(alt.InlineData(values=shown))
        .mark_rect(stroke=INK[dark][3], strokeWidth=1 if width > 4 else 0)
        .encode(
            x=alt.X(
                "partition:O",
                title="partition of the target",
                axis=alt.Axis(labels=width >= 4, labelOverlap="greedy", ticks=False, labelAngle=0),
            ),
            y=alt.Y("name:N", sort=alt.EncodingSortField("place"), title=None, axis=alt.Axis(labelLimit=260)),
            color=alt.Color(
                "said:N",
                scale=alt.Scale(domain=["covered", "not covered"], range=[SIDES[dark][0], INK[dark][2]]),
                legend=alt.Legend(title=None),
            ),
            tooltip=["name:N", "partition:O", alt.Tooltip("n:Q", title="matching partitions")],
        )
        .properties(width=alt.Step(width), height=alt.Step(20))
    )
    said = (
        "No model was compared" if not covered
        else f"{uncovered} of {len(covered)} partitions of the target are covered by no model" if uncovered
        else "Each partition of the target is covered by some model"
    )  # fmt: skip
    return _styled(chart.properties(title=alt.TitleParams(said)), dark)


# -- how -------------------------------------------------------------------------------------


def _altair() -> Any:
    return extra("altair", "plots")


def _styled(chart: Any, dark: bool) -> Any:
    ink, soft, line, ground = INK[dark]
    return (
        chart.configure(background=ground, padding=12, font="Helvetica, Arial, DejaVu Sans, sans-serif")
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=ink, titleColor=soft, titleFontWeight="normal", gridColor=line, domainColor=line, tickColor=line,
            labelFontSize=11, titleFontSize=11,
        )
        .configure_title(color=ink, subtitleColor=soft, anchor="start", fontSize=13, subtitleFontSize=11, offset=12)
        .configure_legend(labelColor=ink, titleColor=soft, titleFontWeight="normal", labelFontSize=11, titleFontSize=11)
    )  # fmt: skip


def _panel(alt: Any, row: Mapping[str, Any], target: Mapping[str, Any], model: Mapping[str, Any], dark: bool) -> Any:
    name, other = visible(row["target_feature"]), visible(row["source_feature"])
    said = f"distance {row['distance']:.2f}"
    if name != other:
        said += f", there {other[:28]}"
    elif row["distance"] > 0.5 and row["reason"]:
        said += f": {row['reason']}"
    values, note = _words(target, model) if row["kind"] == "text" else _intervals(target, model)
    is_time = row["kind"] == "time"
    data = alt.Chart(alt.InlineData(values=values))
    colours = alt.Color(
        "side:N",
        scale=alt.Scale(domain=["target", "model"], range=list(SIDES[dark])),
        legend=alt.Legend(title=None, orient="top"),
    )
    share = alt.Y("share:Q", title="share", scale=alt.Scale(domainMin=0), axis=alt.Axis(format="%", tickCount=3))
    if row["kind"] == "text":
        chart = data.mark_bar().encode(
            x=alt.X("word:O", title=note, axis=alt.Axis(labels=False, ticks=False)),
            xOffset=alt.XOffset("side:N", sort=["target", "model"]),
            y=share,
            color=colours,
        )
    else:
        ticks = alt.Axis(tickCount=4, labelOverlap=True) if is_time else alt.Axis(tickCount=4, labelOverlap=True, format=".6~g")
        x = alt.X(f"at:{'T' if is_time else 'Q'}", title=note, axis=ticks, scale=alt.Scale(zero=False, nice=False))
        area = data.transform_filter("datum.side == 'target'").mark_area(interpolate="step-after", opacity=0.4)
        lines = data.mark_line(interpolate="step-after", strokeWidth=1.6)
        chart = alt.layer(*(mark.encode(x=x, y=share, color=colours) for mark in (area, lines)))
    return chart.properties(width=210, height=110, title=alt.TitleParams(name[:34], subtitle=_wrapped(said, 40)))


def _intervals(target: Mapping[str, Any], model: Mapping[str, Any]) -> tuple[list[dict[str, Any]], str]:
    """The shares of equal intervals that both sides' middle 98 % lie in, and how much lies outside."""
    k, b = max(target["k"], model["k"]), min(target["b"], model["b"])
    sides = [_resolved(side, k, b) for side in (target, model)]
    finite = [(lower, width, share) for lower, width, share in sides if len(lower)]
    scale = 1000.0 if target["kind"] == "time" else 1.0
    if not finite:
        return [], "no finite value"
    low = min(_percentile(*side, 0.01) for side in finite)
    high = max(_percentile(*side, 0.99, upper=True) for side in finite)
    edges = np.linspace(low, high, BARS + 1)
    values, outside = [], 0.0
    for name, (lower, width, share) in zip(("target", "model"), sides, strict=True):
        # What lies below each edge; a bin's values are spread evenly over it.
        below = [float(share @ np.clip((edge - lower) / width, 0, 1)) for edge in edges] if len(lower) else [0.0] * len(edges)
        shares = np.diff(below)
        outside = max(outside, 1 - float(shares.sum()))
        # The last interval ends where it ends.
        values += [
            {"side": name, "at": float(at) / scale, "share": float(s)} for at, s in zip(edges, [*shares, shares[-1]], strict=True)
        ]
    return values, f"up to {outside:.0%} lies outside" if outside > 0.005 else ""


def _resolved(side: Mapping[str, Any], k: int, b: int) -> tuple[Floats, Floats, Floats]:
    """Lower ends and widths of the finite bins of a feature at a resolution, ascending, and the share of all values in each."""
    bins = number_bins(np.asarray(side["bins"], np.float64), k, b)
    counts = np.asarray(side["counts"], np.float64)[np.isfinite(bins)]
    lower, position = np.unique(bins[np.isfinite(bins)], return_inverse=True)
    share = np.bincount(position.reshape(-1), counts, len(lower)) / max(1, side["values"])
    mantissa, exponent = np.frexp(np.where(lower == 0, 1.0, lower))
    # The last bin of a negative octave has a power of two as its lower end.
    octave = exponent - 1 - (mantissa == -0.5)
    return lower, np.maximum(math.ldexp(1.0, k), np.ldexp(1.0, np.maximum(-1074, octave - b))), share


def _percentile(lower: Floats, width: Floats, share: Floats, at: float, upper: bool = False) -> float:
    place = min(int(np.searchsorted(share.cumsum() / share.sum(), at)), len(lower) - 1)
    return float(lower[place] + (width[place] if upper else 0))


def _words(target: Mapping[str, Any], model: Mapping[str, Any]) -> tuple[list[dict[str, Any]], str]:
    shares = [
        dict(zip(side["bins"], np.asarray(side["counts"]) / max(1, side["values"]), strict=True)) for side in (target, model)
    ]
    most = sorted(set(shares[0]) | set(shares[1]), key=lambda word: (-max(side.get(word, 0) for side in shares), word))[:WORDS]
    return [
        {"side": name, "word": place, "share": float(side.get(word, 0))}
        for name, side in zip(("target", "model"), shares, strict=True)
        for place, word in enumerate(most)
    ], f"the {len(most)} most frequent words"


def _alike_together(distance: Floats) -> list[int]:
    """An order in which what is alike stands together: that of the leaves of a tree by average linkage. distance: (n, n)."""
    between = distance.copy()
    np.fill_diagonal(between, np.inf)
    members = {at: [at] for at in range(len(distance))}
    while len(members) > 1:
        a, b = sorted(map(int, np.unravel_index(np.argmin(between), between.shape)))
        n, m = len(members[a]), len(members[b])
        # Of each, the ends that are nearest to each other meet.
        left, right = members[a], members.pop(b)
        ends = {(x, y): distance[left[-x], right[-y]] for x in (0, 1) for y in (0, 1)}
        keep_left, flip_right = min(ends, key=lambda end: ends[end])
        members[a] = (left if keep_left else left[::-1]) + (right[::-1] if flip_right else right)
        between[a] = between[:, a] = (n * between[a] + m * between[b]) / (n + m)
        between[a, a] = np.inf
        between[b] = between[:, b] = np.inf
    return next(iter(members.values()), [])


def _named(row: Mapping[str, Any]) -> str:
    version = row.get("version")
    return visible(row["model"] + (f" {version}" if version else "")) if "model" in row else visible(row["dataset"])


def _distinct(names: Sequence[str], ids: Sequence[int]) -> list[str]:
    return [
        visible(name) if names.count(name) == 1 else visible(f"{name} ({number})")
        for name, number in zip(names, ids, strict=True)
    ]


def _wrapped(text: str, width: int = 90) -> list[str]:
    import textwrap

    return textwrap.wrap(visible(text), width) or [""]
