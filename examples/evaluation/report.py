"""Tables (Markdown) and plots of an evaluation."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from examples.evaluation.scores import ALTERNATIVE, DEFAULT
from examples.evaluation.statistics import RANDOM, difference, interval, worse
from examples.evaluation.workloads import GROUPS

__all__ = ["BY_WORKLOAD", "markdown", "write_latency", "write_results", "write_settings"]

#: Rankings that are shown workload by workload.
BY_WORKLOAD = [
    DEFAULT, f"{DEFAULT}, no accuracy", f"{ALTERNATIVE}, no accuracy", "README fit", "distance D", "JS", "adaptivity",
    "coverage", "L2 of centres", "raw rows: mmd", "raw rows: energy", "raw rows: rkme",
]  # fmt: skip
_PLOTTED = [f"{DEFAULT}, no accuracy", DEFAULT, "JS", "adaptivity", "raw rows: mmd"]
_EARLIER = [
    "distance D", "JS", "adaptivity", "coverage", "KL target, source", "KL source, target", "L2 of centres", "source accuracy",
]  # fmt: skip
_VERDICTS = ["same", "close", "partly", "far"]


def write_results(rows: pd.DataFrame, told: pd.DataFrame, folder: Path, seed: int) -> None:
    """Write the tables and the plot of all searches that are reported (those for tuning left out).

    rows: of ``judge``. told: of ``verdicts``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    report = rows[~rows["tune"]]
    relative, of_three = _relative(report, "regret"), _relative(report, "regret of 3")
    groups = {name: [each for each in members if each in relative] for name, members in GROUPS.items()}
    groups = {name: members for name, members in groups.items() if members}
    table = pd.DataFrame(
        {f"{name}: worst": relative[members].max(axis=1) for name, members in groups.items()}
        | {f"{name}: first three": of_three[members].mean(axis=1) for name, members in groups.items()}
    ).map(_short)
    means = {name: _means(report, relative[members].mean(axis=1), members, seed) for name, members in groups.items()}
    table = pd.concat([pd.DataFrame(means).rename(columns=lambda name: f"{name}: mean"), table], axis=1)
    text = [
        "# Results of the evaluation",
        "",
        "Written by `python -m examples.evaluation`; how to read them, and what they say: `../README.md`. Regret is the accuracy "
        "of the best candidate less that of the model that comes first, here divided by that of a random pick (1: no better "
        "than chance); *worst*: of the workload where it is highest; *first three*: the best of the first three, divided by a "
        "single random pick's. Options are the defaults of the hub. Searches for tuning are left out. "
        f"`{DEFAULT}` knows each model's accuracy on its own data, `{DEFAULT}, no accuracy` does not; other forms are named by "
        "what is added to the score without it (a: the lower bound of the accuracy). D is `distance`, E `expected_distance`. In "
        "brackets is the bootstrap 95 % interval over draws (targets where there is one draw). A search in which a ranking "
        "judges no candidate (one of `matching_columns`, which shares no column with any) does not count for it.",
        "",
        "Searches: "
        + ", ".join(
            f"{name} {count}" for name, count in report[report["metric"] == RANDOM].groupby("workload", sort=False).size().items()
        )
        + " (one for each target and kind of model).",
        "",
        "## Rankings",
        "",
        markdown(table.rename_axis("ranked by")),
        "",
        "## Differences",
        "",
        f"Relative regret of `{DEFAULT}, no accuracy` less that of another ranking: below 0 it is better. In brackets the "
        "bootstrap 95 % interval over draws (targets where there is one draw).",
        "",
        markdown(_differences(report, groups, seed)),
        "",
        f"Workloads on which `{DEFAULT}` is worse than a ranking of earlier versions beyond chance (the 95 % interval of the "
        "difference over draws, or targets): accuracy lost, in points.",
        "",
        markdown(_beaten(report, seed)),
        "",
        "## By workload",
        "",
        markdown(
            relative.reindex([each for each in BY_WORKLOAD if each in relative.index]).T.map(_short).rename_axis("workload")
        ),
        "",
        "![Regret relative to a random choice](regret.png)",
        "",
        "## Accuracy lost, in points",
        "",
        "Regret itself with its bootstrap 95 % interval.",
        "",
        markdown(_points(report, seed)),
        "",
        "## Verdicts",
        "",
        "What accuracy is lost with a model of each verdict: against the best candidate, and against the model's accuracy on its "
        "own data; means over the workloads. *More than 10 points*: share of the models that lose so much against the best.",
        "",
        markdown(_verdict_table(told)),
        "",
        f"Of the models that come first (by `{DEFAULT}`):",
        "",
        markdown(_verdict_table(told[told["first"]])),
        "",
        "Models that are called the same, by the rows of the smaller side:",
        "",
        markdown(_by_rows(told[told["verdict"] == "same"])),
        "",
    ]
    (folder / "README.md").write_text("\n".join(text))
    _plot(relative, folder / "regret.png")


def _relative(rows: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Means of a measure divided by the regret of a random pick: rankings by workloads (the mean over kinds of models)."""
    keys = ["metric", "workload", "outcome"]
    means = rows.groupby(keys, sort=False)[measure].mean().unstack(["workload", "outcome"])
    chance = rows[rows["metric"] == RANDOM].groupby(keys[1:], sort=False)["regret"].mean()
    relative: pd.DataFrame = means.div(chance.reindex(means.columns), axis=1).T.groupby(level="workload", sort=False).mean().T
    return relative


def _means(report: pd.DataFrame, means: pd.Series, members: list[str], seed: int) -> pd.Series:
    """The means of all rankings over these workloads, each with its interval."""
    parts = {str(metric): part for metric, part in report[report["workload"].isin(members)].groupby("metric")}
    told = {}
    for metric, mean in means.dropna().items():
        _, low, high = difference(parts[str(metric)], None, parts[RANDOM], seed)
        told[metric] = f"{mean:.2f} [{low:.2f}, {high:.2f}]"
    return pd.Series(told).reindex(means.index, fill_value="-")


def _differences(report: pd.DataFrame, groups: dict[str, list[str]], seed: int) -> pd.DataFrame:
    parts = {str(metric): part for metric, part in report.groupby("metric", sort=False)}
    default = parts[f"{DEFAULT}, no accuracy"]
    table: dict[str, dict[str, str]] = {}
    for metric, part in parts.items():
        if metric in (RANDOM, f"{DEFAULT}, no accuracy") or part["workload"].nunique() < default["workload"].nunique():
            continue
        for name, members in groups.items():
            own, others, chance = (each[each["workload"].isin(members)] for each in (default, part, parts[RANDOM]))
            found = difference(own, others, chance, seed)
            table.setdefault(name, {})[metric] = "{:+.3f} [{:+.3f}, {:+.3f}]".format(*found)
    return pd.DataFrame(table).rename_axis("less")


def _beaten(report: pd.DataFrame, seed: int) -> pd.DataFrame:
    """A row for each workload on which the default is worse than earlier rankings beyond chance, and what both lose."""
    table: dict[str, dict[str, str]] = {}
    for workload, part in report.groupby("workload", sort=False):
        searches = {str(metric): rows for metric, rows in part.groupby("metric", sort=False)}
        own = searches[DEFAULT]
        ahead = [
            f"{name} {others['regret'].mean():.3f}"
            for name in _EARLIER
            # One that judges every search.
            if (others := searches.get(name)) is not None and len(others) == len(own) and worse(own, others, "regret", seed)
        ]
        if ahead:
            table[str(workload)] = {DEFAULT: f"{own['regret'].mean():.3f}", "better": ", ".join(ahead)}
    return pd.DataFrame.from_dict(table, orient="index", columns=[DEFAULT, "better"]).rename_axis("workload")


def _points(report: pd.DataFrame, seed: int) -> pd.DataFrame:
    shown = [DEFAULT, f"{DEFAULT}, no accuracy", "JS", "adaptivity", RANDOM]
    table: dict[str, dict[str, str]] = {}
    for (workload, metric), part in report[report["metric"].isin(shown)].groupby(["workload", "metric"], sort=False):
        mean, low, high = interval(part, "regret", seed)
        table.setdefault(str(metric), {})[str(workload)] = f"{mean:.3f} [{low:.3f}, {high:.3f}]"
    return pd.DataFrame(table).reindex(columns=shown).fillna("-").rename_axis("workload")


def _verdict_table(told: pd.DataFrame) -> pd.DataFrame:
    told = told.assign(much=told["lost"] > 0.1)
    means = told.groupby(["workload", "verdict"])[["lost", "below", "much"]].mean().groupby("verdict").mean()
    table = means.rename(columns={"lost": "lost against the best", "below": "below its own", "much": "more than 10 points"})
    table = table.map(lambda x: f"{x:.3f}")
    table.insert(0, "models", told.groupby("verdict").size().map(str))
    return table.reindex([each for each in _VERDICTS if each in table.index]).rename_axis("verdict")


def _by_rows(told: pd.DataFrame) -> pd.DataFrame:
    edges, names = [0, 100, 300, 1000, np.inf], ["below 100", "100 to 300", "300 to 1,000", "1,000 and more"]
    size = pd.cut(told["rows"], edges, right=False, labels=names).astype(str)
    means = told.assign(size=size).groupby(["workload", "size"])["lost"].mean().groupby("size").mean()
    counts = size.value_counts()
    found = [name for name in names if name in means.index]
    return pd.DataFrame(
        {"models": [str(counts[name]) for name in found], "lost against the best": [f"{means[name]:.3f}" for name in found]},
        found,
    ).rename_axis("rows")


def _short(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.2f}"


def markdown(table: pd.DataFrame) -> str:
    """A frame of text as a Markdown table."""
    head = [str(table.index.name or ""), *(str(column) for column in table.columns)]
    lines = ["| " + " | ".join(cell.replace("|", "‖") for cell in head) + " |", "|" + "---|" * len(head)]
    for name, row in zip(table.index, table.itertuples(index=False), strict=True):
        lines.append("| " + " | ".join(str(cell).replace("|", "‖") for cell in (name, *row)) + " |")
    return "\n".join(lines)


def write_latency(latency: pd.DataFrame, partition: pd.DataFrame, folder: Path) -> None:
    """Latency of each metric (Table 1 of the paper) and against partition size (Fig. 5)."""
    text = [
        "# Latency",
        "",
        "Seconds for one target, the median over targets (Table 1 of the paper).",
        "",
        markdown(latency.set_index("what").map(lambda x: f"{x:.3f}" if isinstance(x, float) else str(x))),
        "",
        "Against the partition size *m* (Fig. 5 of the paper):",
        "",
        markdown(partition.set_index("partition size").map(lambda x: f"{x:.3f}" if isinstance(x, float) else str(x))),
        "",
        "![Latency against partition size](latency.png)",
        "",
    ]
    (folder / "latency.md").write_text("\n".join(text))
    figure, axes = plt.subplots(figsize=(6, 3.5))
    for column in partition.columns[1:]:
        axes.plot(partition["partition size"], partition[column], marker="o", label=column)
    axes.set(xscale="log", xlabel="partition size m (rows)", ylabel="seconds per search", ylim=(0, None))
    axes.legend()
    figure.tight_layout()
    figure.savefig(folder / "latency.png", dpi=120)
    plt.close(figure)


def write_settings(regret: pd.DataFrame, folder: Path) -> None:
    """Relative regret by setting of the hub."""
    text = [
        "# Settings of the hub",
        "",
        "Regret divided by that of a random choice, when one setting is changed and the others are left as they are in the "
        "workload (the first searches of each).",
    ]
    for (workload, setting), part in regret.groupby(["workload", "setting"], sort=False):
        table = part.drop(columns=["workload", "setting"]).set_index("value").rename_axis(str(setting))
        text += ["", f"## {workload}", "", markdown(table.map(lambda x: f"{x:.2f}"))]
    (folder / "settings.md").write_text("\n".join([*text, ""]))


def _plot(relative: pd.DataFrame, path: Path) -> None:
    shown = relative.reindex([metric for metric in _PLOTTED if metric in relative.index])
    figure, axes = plt.subplots(figsize=(9, 0.4 * relative.shape[1] + 1.5))
    positions = np.arange(relative.shape[1])
    for i, (metric, values) in enumerate(shown.iterrows()):
        axes.barh(positions + (i - len(shown) / 2 + 0.5) * 0.15, values, height=0.15, label=str(metric))
    axes.set_yticks(positions, list(relative.columns))
    axes.axvline(1, color="grey", linewidth=0.8)
    axes.invert_yaxis()
    axes.set_xlabel("regret relative to a random choice")
    axes.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)
