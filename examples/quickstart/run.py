"""Which entity matcher fits a new pair of citation catalogues?

Registers a model for each of sixteen entity-matching tasks and finds those that fit the
seventeenth, DBLP-Scholar, which none of them has seen:

    python examples/quickstart/run.py [HUB]
"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

import duckdb

import modelhub_sql

DATA = Path(__file__).parent / "data"
HELD_OUT = "dblp_scholar"
LEAVE_OUT = ("label", "split")


def main(hub_path: str = ":memory:") -> None:
    # Of a column with no value at all, for instance; the file and line of this program are no news.
    warnings.showwarning = lambda message, *_: print(f"note: {message}".replace(f"{DATA}/", ""), file=sys.stderr)
    tables = {path.stem: path for path in sorted(DATA.glob("*.parquet"))}
    target = tables.pop(HELD_OUT)
    with modelhub_sql.connect(hub_path) as hub:
        hub.register_many(
            [
                {
                    "name": task,
                    "dataset": path,
                    "exclude": left_out(path),
                    "task": "entity matching",
                    "uri": f"models/{task}.pkl",
                    "replace": True,
                }
                for task, path in tables.items()
            ],
            progress=sys.stderr.isatty(),
        )
        found = hub.find_models(target, exclude=left_out(target), top=5, all_models=True)
        print(f"Models for {target.name}, best first:")
        print(found.select(f"rank, model, verdict, {rounded('distance', 'overlap', 'source_accuracy')}"))
        print(found.summary)
        best = found.dicts()[0]["model"]
        print(f"\nFeature by feature, {target.stem} and {best}:")
        features = hub.explain(best, target, exclude=left_out(target), details=True)
        print(features.select(f"target_feature, source_feature, matched_by, {rounded('distance')}, reason"))


def rounded(*columns: str) -> str:
    return ", ".join(f"round({column}, 3) AS {column}" for column in columns)


def left_out(path: Path) -> list[str]:
    columns = duckdb.read_parquet(str(path)).columns
    return [column for column in LEAVE_OUT if column in columns]


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has read enough (| head): nothing is left to be said, at exit neither.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
