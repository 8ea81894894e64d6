"""``python -m examples.evaluation``: run the evaluation, write its tables and plots."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import sys
import time
import warnings
from pathlib import Path

import pandas as pd

from examples.evaluation import latency, settings
from examples.evaluation.report import write_results
from examples.evaluation.scores import disagreement, scores
from examples.evaluation.search import Evidence, Search
from examples.evaluation.statistics import judge
from examples.evaluation.tasks import Context, Draw, MissingData
from examples.evaluation.workloads import FAST, WORKLOADS

ROOT = Path(__file__).parents[2]


def main(arguments: list[str] | None = None) -> int:
    """Run the workloads asked for; returns 0, or 1 where none could be run."""
    parser = argparse.ArgumentParser(prog="python -m examples.evaluation", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("MODELHUB_DATA", ROOT / "data")), help="the data folder")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results", help="where tables and plots go")
    parser.add_argument("--only", nargs="+", choices=sorted(WORKLOADS), help="workloads to run")
    parser.add_argument("--fast", action="store_true", help="a workload of each kind, few draws and targets: under two minutes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cache", type=Path, help="a folder to keep trained models' accuracies and searches in between runs")
    parser.add_argument("--no-latency", action="store_true", help="leave the latency tables out")
    parser.add_argument("--no-settings", action="store_true", help="leave the tables of the hub's settings out")
    options = parser.parse_args(arguments)
    context = Context(options.data, options.fast, options.seed, options.cache)
    judged: list[dict[str, object]] = []
    difference = 0.0
    for name in options.only or (FAST if options.fast else WORKLOADS):
        started = time.perf_counter()
        try:
            for draw in WORKLOADS[name](context):
                for target, evidence in gather(context, draw).items():
                    judged += judge(name, draw, target, scores(evidence))
                    difference = max(difference, disagreement(evidence))
        except MissingData as missing:
            print(f"{name}: skipped, {missing}", file=sys.stderr)
            continue
        print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
    if not judged:
        print("nothing to report: no workload has its data", file=sys.stderr)
        return 1
    write_results(pd.DataFrame(judged), options.out, options.seed)
    print(f"largest difference between find_models and its stages: {difference:.1e}", file=sys.stderr)
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


def gather(context: Context, draw: Draw) -> dict[str, Evidence]:
    """Evidence of every search of a draw, by target."""

    def compute() -> dict[str, Evidence]:
        with Search(draw, context.seed) as search:
            return {target: search(target) for target in draw.targets}

    return context.cached(f"evidence-{draw.name}", compute)


if __name__ == "__main__":
    warnings.simplefilter("ignore", RuntimeWarning)
    sys.exit(main())
