"""How much the settings of a hub matter to its choice: partition size, most bins of numbers, bins of words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd

from examples.evaluation.report import write_settings
from examples.evaluation.scores import DEFAULT, scores
from examples.evaluation.search import Evidence, Search
from examples.evaluation.statistics import RANDOM, judge
from examples.evaluation.tasks import Context, Draw
from examples.evaluation.workloads import WORKLOADS

__all__ = ["measure"]

BINS = {"har54": "most_bins", "adult_country": "most_bins", "reviews": "text_bins"}
VALUES = {
    "partition_size": (50, 100, 500),
    "most_bins": (16, 64, 256, 1024),
    "text_bins": (256, 1024, 4096),
}
METRICS = [f"{DEFAULT}, no accuracy", "JS", "adaptivity"]
SEARCHES = 16


def measure(context: Context, folder: Path) -> None:
    """Regret relative to a random choice, by setting; one setting at a time, the others as in the workload."""
    rows = []
    for workload in ("reviews",) if context.fast else BINS:
        draws = list(_small(context, workload))
        for setting in ("partition_size", BINS[workload]):
            for value in VALUES[setting][1:2] if context.fast else VALUES[setting]:
                judged = [
                    row
                    for draw in draws
                    for target, evidence in _search(context, draw, setting, value).items()
                    for row in judge(workload, draw, target, scores(evidence))
                ]
                regret = pd.DataFrame(judged).groupby("metric")["regret"].mean()
                rows.append(
                    {"workload": workload, "setting": setting, "value": value} | dict((regret[METRICS] / regret[RANDOM]).items())
                )
    write_settings(pd.DataFrame(rows), folder)


def _small(context: Context, workload: str) -> Iterator[Draw]:
    searches = 0
    for draw in WORKLOADS[workload](context):
        targets = dict(list(draw.targets.items())[: SEARCHES - searches])
        if targets:
            yield replace(draw, targets=targets)
        searches += len(targets)


def _search(context: Context, draw: Draw, setting: str, value: int) -> dict[str, Evidence]:
    def compute() -> dict[str, Evidence]:
        changed = replace(draw, settings={**draw.settings, setting: value})
        with Search(changed, context.seed, rivals=False) as search:
            return {target: search(target) for target in draw.targets}

    return context.cached(f"evidence-{draw.name}-{setting}-{value}", compute)
