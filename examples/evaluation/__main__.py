"""``python -m examples.evaluation``: run the evaluation, write its tables and plots."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import re
import sys
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from examples.evaluation import latency, settings
from examples.evaluation.report import write_results
from examples.evaluation.scores import DEFAULT, scores
from examples.evaluation.search import Evidence, Search
from examples.evaluation.statistics import judge, verdicts
from examples.evaluation.tasks import Context, Draw, MissingData
from examples.evaluation.workloads import FAST, WORKLOADS

ROOT = Path(__file__).parents[2]


def main(arguments: list[str] | None = None) -> int:
    """Run the workloads asked for; returns 0, or 1 where none could be run."""
    parser = argparse.ArgumentParser(prog="python -m examples.evaluation", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("MODELHUB_DATA", ROOT / "data")), help="the data folder")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results", help="where tables and plots go")
    parser.add_argument("--only", nargs="+", choices=sorted(WORKLOADS), help="workloads to run")
    parser.add_argument("--fast", action="store_true", help="a workload of each kind, few draws and targets")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cache", type=Path, help="a folder to keep trained models' accuracies and searches in between runs")
    parser.add_argument("--targets", type=int, help="at most so many targets of each workload")
    parser.add_argument(
        "--reported", action="store_true", help="leave out the searches set aside for tuning, which are not reported"
    )
    parser.add_argument("--searches", type=Path, help="a csv file to write each single choice to")
    parser.add_argument("--no-latency", action="store_true", help="leave the latency tables out")
    parser.add_argument("--no-settings", action="store_true", help="leave the tables of the hub's settings out")
    options = parser.parse_args(arguments)
    context = Context(options.data, options.fast, options.seed, options.cache)
    judged: list[dict[str, Any]] = []
    told: list[dict[str, Any]] = []
    for name in options.only or (FAST if options.fast else WORKLOADS):
        started = time.perf_counter()
        try:
            for draw in chosen(WORKLOADS[name](context), options.targets, options.reported):
                for target, evidence in gather(context, draw).items():
                    rows = judge(name, draw, target, scores(evidence))
                    judged += rows
                    first = {row["outcome"]: row["chosen"] for row in rows if row["metric"] == DEFAULT}
                    told += verdicts(name, draw, target, evidence, first)
        except MissingData as missing:
            print(f"{name}: skipped, {missing}", file=sys.stderr)
            continue
        print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
    if not judged:
        print("nothing to report: no workload has its data", file=sys.stderr)
        return 1
    write_results(pd.DataFrame(judged), pd.DataFrame(told), options.out, options.seed)
    if options.searches:
        pd.DataFrame(judged).to_csv(options.searches, index=False, float_format="%.4f")
    for name, module, left_out in (("latency", latency, options.no_latency), ("settings", settings, options.no_settings)):
        if not left_out:
            started = time.perf_counter()
            try:
                module.measure(context, options.out)
            except MissingData as missing:
                print(f"{name}: skipped, {missing}", file=sys.stderr)
                continue
            print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
    print(f"results are in {options.out}", file=sys.stderr)
    return 0


def gather(context: Context, draw: Draw, rivals: bool = True) -> dict[str, Evidence]:
    """Evidence of every search of a draw, by target. rivals: the distances of the raw rows, too."""
    found = {}
    with ExitStack() as stack:
        opened: list[Search] = []

        def compute(target: str) -> Evidence:
            if not opened:
                opened.append(stack.enter_context(Search(draw, context.seed, rivals)))
            return opened[0](target)

        for target in draw.targets:
            key = f"{'evidence' if rivals else 'judged'}-{draw.name}-{re.sub(r'[^A-Za-z0-9]', '_', target)}"
            found[target] = context.cached(key, partial(compute, target))
    return found


def chosen(draws: Iterable[Draw], most: int | None, reported: bool) -> Iterator[Draw]:
    """The draws with at most so many targets in all, taken from each in turn; reported: without those for tuning."""
    found = list(draws)
    targets = [[each for each in draw.targets if not (reported and each in draw.tune)] for draw in found]
    turns = [
        (number, at) for at in range(max(map(len, targets), default=0)) for number, own in enumerate(targets) if at < len(own)
    ]
    kept = set(turns[:most])
    for number, draw in enumerate(found):
        own = {target: draw.targets[target] for at, target in enumerate(targets[number]) if (number, at) in kept}
        if own:
            yield replace(draw, targets=own)


if __name__ == "__main__":
    warnings.simplefilter("ignore", RuntimeWarning)
    sys.exit(main())
