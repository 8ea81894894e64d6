"""What min_count and round_counts cost a search: does the target still find the model of its own group first?

python examples/trust/coarse.py tests/data/adult.parquet occupation income
python examples/trust/coarse.py TABLE GROUP [COLUMN ...] --models 60

A table is cut into the groups of a column (GROUP, left out of the sketches, as the other columns are that are named), each of at
least 60 rows into two halves: one is the data of a model, the other a target. Printed is how often a target has its own model
first, the mean of 1 / rank, how many bins hold a single value, and the verdicts of the own model.
"""

from __future__ import annotations

import argparse
import statistics
import warnings
from collections import Counter
from typing import Any

import numpy as np
import pyarrow.parquet as pq

import modelhub_sql

LEAST = 60
SETTINGS: tuple[dict[str, Any], ...] = (
    {}, {"min_count": 3}, {"min_count": 5}, {"min_count": 10}, {"round_counts": 5}, {"round_counts": 10},
    {"min_count": 5, "round_counts": 5},
)  # fmt: skip


def halves(path: str, group: str, models: int) -> list[tuple[Any, Any]]:
    """Tables of the rows of each group, cut in two at random; the same each time."""
    table = pq.read_table(path)
    of_row = np.array(table[group].to_pylist(), dtype=object)
    rng = np.random.default_rng(1)
    found = []
    for name in sorted({str(each) for each in of_row if each is not None}):
        rows = rng.permutation(np.flatnonzero(of_row.astype(str) == name))
        if len(rows) >= LEAST:
            found.append(tuple(table.take(np.sort(part)) for part in np.array_split(rows, 2)))
    chosen = np.linspace(0, len(found) - 1, min(models, len(found))).astype(int)
    return [found[number] for number in chosen]


def searched(parts: list[tuple[Any, Any]], exclude: list[str], settings: dict[str, Any]) -> str:
    with modelhub_sql.connect(**settings) as hub:
        for number, (source, _) in enumerate(parts):
            hub.register(str(number), source, exclude=exclude)
        ranks, verdicts = [], Counter[str]()
        for number, (_, target) in enumerate(parts):
            found = hub.find_models(target, exclude=exclude, all_models=True).dicts()
            place = next((place for place, row in enumerate(found, 1) if row["model"] == str(number)), None)
            ranks.append(0.0 if place is None else 1 / place)
            verdicts[found[place - 1]["verdict"] if place else "not found"] += 1
        ((single, bins),) = hub.sql(
            "SELECT sum(len(list_filter(counts, lambda n: n = 1))), sum(len(bins)) FROM features"
        ).fetchall()
    first = sum(rank == 1 for rank in ranks)
    told = ", ".join(f"{verdict} {n}" for verdict, n in verdicts.most_common())
    return f"first {first} of {len(ranks)}, mean 1 / rank {statistics.mean(ranks):.3f}, {single} of {bins} bins hold one; {told}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table")
    parser.add_argument("group")
    parser.add_argument("exclude", nargs="*")
    parser.add_argument("--models", type=int, default=60)
    given = parser.parse_args()
    parts = halves(given.table, given.group, given.models)
    print(f"{len(parts)} models, a median of {statistics.median(len(part) for part, _ in parts):.0f} rows each")
    for settings in SETTINGS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = searched(parts, [given.group, *given.exclude], settings)
        print(f"{', '.join(f'{name} {value}' for name, value in settings.items()) or 'as it is':28} {found}", flush=True)


if __name__ == "__main__":
    main()
