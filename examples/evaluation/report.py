"""Tables (Markdown and CSV) and plots of an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from examples.evaluation.statistics import MEASURES, RANDOM, SOURCE, interval, worse

__all__ = ["MAIN", "markdown", "write_latency", "write_results", "write_settings"]

_BOTH = ("aligned", "flattened")
_IN_SPACE = (
    "fit auto", "adaptivity auto", "adaptivity auto, 2 floors", "adaptivity 2%", "adaptivity 10%", "adaptivity 50%",
    "coverage auto", "js", "js, LSH", "kl target|source", "kl source|target",
)  # fmt: skip
MAIN = [
    *(f"{metric} · {space}" for space in _BOTH for metric in _IN_SPACE),
    "adaptivity auto, LSH · aligned", "l2 of centres", "l2 of centres, LSH", "mmd", "jaccard", SOURCE, RANDOM,
]  # fmt: skip

_PLOTTED = [
    *(f"{metric} · aligned" for metric in ("fit auto", "adaptivity auto", "adaptivity auto, 2 floors", "js")),
    "js · flattened", "mmd",
]  # fmt: skip


def write_results(rows: pd.DataFrame, folder: Path, seed: int) -> pd.DataFrame:
    """Write every table and plot but latency; returns the summary, a row a workload and metric."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = rows.assign(case=rows["workload"] + " (" + rows["outcome"] + ")")
    report = rows[~rows["tune"]]
    summary = _summarise(report, seed)
    summary.to_csv(folder / "summary.csv", index=False, float_format="%.4f")
    kept = [column for column in report if column not in ("workload", "outcome", "tune")]
    report.loc[report["metric"].isin(MAIN), kept].to_csv(folder / "searches.csv", index=False, float_format="%.4f")
    (folder / "README.md").write_text(_overview(summary, report))
    (folder / "rankings.md").write_text(_rankings(rows, seed))
    for workload, part in report.groupby("workload", sort=False):
        (folder / f"{workload}.md").write_text(_workload(str(workload), part, summary))
    _plot(summary, folder / "regret.png")
    return summary


def _summarise(report: pd.DataFrame, seed: int) -> pd.DataFrame:
    found = []
    for (case, metric), part in report.groupby(["case", "metric"], sort=False):
        row: dict[str, object] = {"case": case, "metric": metric, "searches": len(part), "draws": part["draw"].nunique()}
        for measure in MEASURES:
            row[measure], row[f"{measure} low"], row[f"{measure} high"] = interval(part, measure, seed)
        found.append(row)
    return pd.DataFrame(found)


def _overview(summary: pd.DataFrame, report: pd.DataFrame) -> str:
    cases = list(dict.fromkeys(summary["case"]))
    searches = summary[summary["metric"] == RANDOM].set_index("case")["searches"]
    text = [
        "# Results of the evaluation",
        "",
        "Written by `python -m examples.evaluation`; how to read them: `../README.md`. Each number is the mean over the searches "
        "that are reported (those for tuning left out), with its bootstrap 95 % confidence interval. "
        "`aligned` and `flattened` are the two sample spaces; the percentages are quantiles that the threshold *t* was put at; "
        "`auto` is the hub's own rule, `2 floors` the same but at least two sampling floors (an earlier rule). *Fit* is the mean "
        "of adaptivity over all thresholds from 0 to *t*. In each column the best metric that needs only data is bold.",
        "",
        "Searches reported: " + ", ".join(f"{case}: {searches[case]}" for case in cases) + ".",
        "",
    ]
    titles = {
        "regret": "Regret: accuracy lost against the best candidate (lower is better)",
        "pearson": "Pearson correlation with target accuracy (higher is better)",
        "top-1 error": "Top-1 error: the choice is not the best candidate (lower is better)",
        "top-2 error": "Top-2 error: the choice is not one of the two best (lower is better)",
    }
    for measure, title in titles.items():
        text += [f"## {title}", "", markdown(_wide(summary, measure, MAIN)), ""]
    text += ["![Regret relative to a random choice](regret.png)", ""]
    return "\n".join(text)


def _wide(summary: pd.DataFrame, measure: str, metrics: Sequence[str]) -> pd.DataFrame:
    table = {}
    for case, part in summary.groupby("case", sort=False):
        part = part.set_index("metric").reindex(metrics)
        data_only = part[measure].drop([SOURCE, RANDOM], errors="ignore").round(3)
        best = data_only.max() if measure == "pearson" else data_only.min()
        cells = {}
        for metric, row in part.iterrows():
            if np.isnan(row[measure]):
                cells[metric] = "-"
                continue
            mean = f"{row[measure]:.3f}"
            if metric in data_only and round(row[measure], 3) == best:
                mean = f"**{mean}**"
            cells[metric] = f"{mean} [{row[f'{measure} low']:.3f}, {row[f'{measure} high']:.3f}]"
        table[case] = cells
    return pd.DataFrame(table).rename_axis("ranked by")


def _workload(workload: str, report: pd.DataFrame, summary: pd.DataFrame) -> str:
    text = [f"# {workload}", ""]
    for case, part in report.groupby("case", sort=False):
        text += [f"## {case}", ""]
        own = summary[(summary["case"] == case) & summary["metric"].isin(MAIN)].set_index("metric").reindex(MAIN)
        columns = {
            measure: [f"{r[measure]:.3f} [{r[f'{measure} low']:.3f}, {r[f'{measure} high']:.3f}]" for _, r in own.iterrows()]
            for measure in MEASURES
        }
        text += [markdown(pd.DataFrame(columns, index=own.index).rename_axis("ranked by")), ""]
        text += ["Pearson correlation with target accuracy by target (mean over draws):", ""]
        chosen = [*_PLOTTED, SOURCE]
        pivot = part[part["metric"].isin(chosen)].pivot_table(index="target", columns="metric", values="pearson")
        pivot = pivot.reindex(columns=[metric for metric in chosen if metric in pivot])
        text += [markdown(pivot.map(lambda x: "-" if np.isnan(x) else f"{x:.2f}")), ""]
    return "\n".join(text)


def _rankings(rows: pd.DataFrame, seed: int) -> str:
    relative = {split: _relative(part) for split, part in (("tune", rows[rows["tune"]]), ("report", rows[~rows["tune"]]))}
    report = relative["report"]
    ties = _ties(rows[~rows["tune"]], seed)
    table = pd.DataFrame(
        {
            "tune: mean": relative["tune"].mean(axis=1).map(_short),
            "report: mean": report.mean(axis=1).map(_short),
            "report: worst": report.max(axis=1).map(_short),
            "as good as the best": ties,
            **{workload: report[workload].map(_short) for workload in report},
        }
    )
    table = table.loc[relative["tune"].mean(axis=1).reindex(report.index).sort_values().index]
    table["as good as the best"] = table["as good as the best"].fillna("")
    cases = rows["case"].nunique()
    text = [
        "# Rankings tried as the default",
        "",
        "Mean regret divided by that of a random choice (1 = no better than chance) by workload (the mean over its kinds of "
        "models and measures), and averaged over the workloads. Sorted by the searches set aside for tuning; all other columns "
        f"are the searches that are reported. *As good as the best*: in how many of the {cases} cases the regret is that of the "
        "best metric of `README.md` that needs only data, or above it by no more than chance (the bootstrap 95 % interval of the "
        "difference includes 0).",
        "",
        markdown(table.rename_axis("ranked by")),
        "",
    ]
    return "\n".join(text)


def _short(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.2f}"


def _relative(rows: pd.DataFrame) -> pd.DataFrame:
    means = rows.groupby(["metric", "workload", "outcome"], sort=False)["regret"].mean().unstack(["workload", "outcome"])
    relative = means.div(means.loc[RANDOM]) if RANDOM in means.index else means
    workloads: pd.DataFrame = relative.T.groupby(level="workload", sort=False).mean().T
    return workloads


def _ties(rows: pd.DataFrame, seed: int) -> pd.Series:
    ties: dict[str, int] = {}
    for _, case in rows.groupby("case", sort=False):
        parts = {str(metric): part for metric, part in case.groupby("metric", sort=False)}
        data_only = {
            metric: part["regret"].mean() for metric, part in parts.items() if metric in MAIN and metric not in (SOURCE, RANDOM)
        }
        best = parts[min(data_only, key=lambda metric: data_only[metric])]
        for metric, part in parts.items():
            if metric != RANDOM:
                ties[metric] = ties.get(metric, 0) + (not worse(part, best, "regret", seed))
    return pd.Series(ties).map(str)


def markdown(table: pd.DataFrame) -> str:
    """A frame of text as a Markdown table."""
    head = [str(table.index.name or ""), *(str(column) for column in table.columns)]
    lines = ["| " + " | ".join(cell.replace("|", "‖") for cell in head) + " |", "|" + "---|" * len(head)]
    for name, row in zip(table.index, table.itertuples(index=False), strict=True):
        lines.append("| " + " | ".join(str(cell).replace("|", "‖") for cell in (name, *row)) + " |")
    return "\n".join(lines)


def write_latency(latency: pd.DataFrame, partition: pd.DataFrame, folder: Path) -> None:
    """Latency of each metric (Table 1 of the paper) and against partition size (Fig. 5)."""
    latency.to_csv(folder / "latency.csv", index=False, float_format="%.4f")
    partition.to_csv(folder / "latency_by_partition_size.csv", index=False, float_format="%.4f")
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
    regret.to_csv(folder / "settings.csv", index=False, float_format="%.4f")
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


def _plot(summary: pd.DataFrame, path: Path) -> None:
    metrics = [*_PLOTTED, SOURCE]
    regret = summary.pivot(index="case", columns="metric", values="regret").reindex(index=dict.fromkeys(summary["case"]))
    relative = regret.div(regret[RANDOM], axis=0).reindex(columns=metrics)
    figure, axes = plt.subplots(figsize=(9, 0.55 * len(relative) + 1.5))
    positions = np.arange(len(relative))
    for i, metric in enumerate(metrics):
        axes.barh(positions + (i - 3) * 0.12, relative[metric], height=0.12, label=metric)
    axes.set_yticks(positions, list(relative.index))
    axes.axvline(1, color="grey", linewidth=0.8)
    axes.invert_yaxis()
    axes.set_xlabel("regret relative to a random choice")
    axes.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)
