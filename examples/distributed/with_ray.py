"""Sketch files in the tasks of Ray: python with_ray.py 'rows/*.parquet' rows.sketch.parquet --exclude label --tasks 16

The sketch is bit for bit that of one machine, however many tasks there are. Each node needs modelhub-sql and the files.
"""

from __future__ import annotations

import argparse

import modelhub_sql
from modelhub_sql import ray


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files")
    parser.add_argument("output")
    parser.add_argument("--exclude", action="append", default=[])
    parser.add_argument("--tasks", type=int, default=None)
    given = parser.parse_args()
    made = ray.sketch(modelhub_sql.shards(given.files, given.tasks, exclude=given.exclude))
    print(f"{made.save(given.output)}: {made.rows} rows, {len(made.features)} features")


if __name__ == "__main__":
    main()
