"""Which entity matcher fits a new pair of product catalogues?

Registers a model for each of sixteen entity-matching tasks and finds those that fit the
seventeenth, Abt-Buy, which none of them has seen:

    python examples/quickstart/run.py [HUB]
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

import modelhub_sql

DATA = Path(__file__).parent / "data"
HELD_OUT = "abt_buy"
LEAVE_OUT = ("label", "split")


def main(hub_path: str = ":memory:") -> None:
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
        found = hub.find_models(target, exclude=left_out(target))
        print(f"Models that fit {target.name}, best first:")
        found.select(f"rank, model, {rounded('adaptivity', 'coverage', 'js_divergence', 'overlap')}").show()
        best = found.select("model").limit(1).fetchall()[0][0]
        print(f"Why {best} fits:")
        features = hub.explain(best, target, exclude=left_out(target))
        features.select(f"target_feature, source_feature, {rounded('jaccard', 'js_divergence')}").show()


def rounded(*columns: str) -> str:
    return ", ".join(f"round({column}, 3) AS {column}" for column in columns)


def left_out(path: Path) -> list[str]:
    columns = duckdb.read_parquet(str(path)).columns
    return [column for column in LEAVE_OUT if column in columns]


if __name__ == "__main__":
    main(*sys.argv[1:])
