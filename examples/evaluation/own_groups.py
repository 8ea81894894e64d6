"""Does a group's own model come first: for the rows that it was trained on, and for rows of the group that it has not seen?

A table is cut into groups (a person, a country, a colour); half of each group's rows train its model, the other half is not
seen. Each half is searched for among the models of all groups of the table.

    python -m examples.evaluation.own_groups --data data
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

import modelhub_sql
from examples.evaluation.tasks import MissingData
from examples.evaluation.workloads.packages import package_table

RANKINGS: dict[str, dict[str, Any]] = {"the default": {}, "adaptivity": {"rank_by": "adaptivity"}}
RESULTS = Path(__file__).parent / "results" / "own_groups.md"


class Groups(NamedTuple):
    """load: the table. by: columns that make a group, left out of the sketches, as is the label."""

    load: Callable[[Path], pd.DataFrame]
    by: tuple[str, ...]
    label: str | None


def file(name: str, columns: list[str] | None = None) -> Callable[[Path], pd.DataFrame]:
    """What reads a file of the data folder."""

    def load(data: Path) -> pd.DataFrame:
        if not (data / name).exists():
            raise MissingData(f"{data / name} is missing")
        return pd.read_parquet(data / name, columns=columns)

    return load


def diamonds(_: Path) -> pd.DataFrame:
    """The diamonds of ggplot2."""
    return package_table("ggplot2", "diamonds")


TABLES = {
    "diamonds by clarity": Groups(diamonds, ("clarity",), None),
    "diamonds by colour": Groups(diamonds, ("color",), None),
    "adult by employer": Groups(file("tabular/adult.parquet"), ("workclass", "split"), "income"),
    "adult by country": Groups(file("tabular/adult.parquet"), ("native_country", "split"), "income"),
    "sensors by person and place": Groups(
        file("har/har54.parquet"), ("dataset", "subject", "body_part", "activity_common"), "activity"
    ),
    "reviews by domain": Groups(file("text/amazon_reviews.parquet", ["domain", "title", "text"]), ("domain",), None),
}
#: Columns of ``by`` that make no group: they are only left out.
LEFT_OUT = {"split", "activity_common"}


def halves(groups: Groups, data: Path, least: int, most: int, rng: np.random.Generator) -> Iterator[tuple[str, Any, Any]]:
    """Name and two halves of each group of at least ``least`` rows; of large groups ``most`` rows are drawn."""
    table = groups.load(data).reset_index(drop=True)
    by = [column for column in groups.by if column not in LEFT_OUT]
    left_out = [*groups.by, *([groups.label] if groups.label else [])]
    known = table[by].dropna().astype(str).agg(" ".join, axis=1)
    for name, rows in known.groupby(known).groups.items():
        if len(rows) >= least:
            drawn = rng.permutation(np.asarray(rows))[:most]
            features = table.loc[drawn].drop(columns=left_out)
            yield str(name), features[::2], features[1::2]


def measured(groups: Groups, data: Path, least: int, most: int, seed: int) -> list[str]:
    """A row of the table: how many groups, rows of the smallest half, and how often each half's own model comes first."""
    parts = list(halves(groups, data, least, most, np.random.default_rng(seed)))
    with modelhub_sql.connect() as hub:
        hub.register_many([{"name": name, "dataset": seen} for name, seen, _ in parts])
        shares = []
        for options in RANKINGS.values():
            for side in (1, 2):
                first = [hub.find_models(part[side], top=1, **options).dicts() for part in parts]
                own = [bool(found) and found[0]["model"] == part[0] for found, part in zip(first, parts, strict=True)]
                shares.append(f"{np.mean(own):.3f}")
    return [f"{len(parts)}", f"{min(len(seen) for _, seen, _ in parts):,}", *shares]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("MODELHUB_DATA", "data")), help="the data folder")
    parser.add_argument("--only", nargs="+", choices=TABLES, default=list(TABLES), help="of these tables")
    parser.add_argument("--least", type=int, default=200, help="rows of a group, at least")
    parser.add_argument("--most", type=int, default=6000, help="rows that are drawn of a group, at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=RESULTS, help="the Markdown file to write")
    given = parser.parse_args()
    heads = [f"{side}, {ranking}" for ranking in RANKINGS for side in ("own rows", "unseen half")]
    lines = ["| table | groups | rows of the smallest half | " + " | ".join(heads) + " |", "|---" * (3 + len(heads)) + "|"]
    for name in given.only:
        try:
            lines.append(f"| {name} | {' | '.join(measured(TABLES[name], given.data, given.least, given.most, given.seed))} |")
        except MissingData as missing:
            print(f"skipped {name}: {missing}")
            continue
        print(lines[-1], flush=True)
    text = (
        "# Does a group's own model come first?\n\n"
        f"Share of the groups whose own model is first. Groups of at least {given.least} rows; half of each group (at most "
        f"{given.most // 2:,} rows) trains its model.\n\n" + "\n".join(lines) + "\n"
    )
    given.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
