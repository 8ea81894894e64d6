"""Datasets that are sketched together, as by ``sql/sketch`` and ``sql/many``: their rows in one table.

To plan a statement takes longer than to count a small dataset. Columns of numbers and times are counted in numpy, in half
of the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any

import duckdb

from modelhub_sql import datasets, logic
from modelhub_sql.datasets import NUMBER
from modelhub_sql.merging import run_relations

if TYPE_CHECKING:
    from modelhub_sql.engine import Engine, Layout

__all__ = ["Batch", "Dataset", "sketch_together"]

#: Forms of cells that are counted in numpy where many datasets are sketched together, and the relations of what is counted.
_COUNTED = {"number", "time"}
_COUNTS = ("counted_column", "counted_element")
#: Relations with what is counted so; {} is the relation without.
_WITH_COUNTED = {
    "feature_resolution": "SELECT * FROM ({}) ANTI JOIN counted_column USING (feature_id) "
    "UNION ALL SELECT feature_id, k, b FROM counted_column",
    "sampled_column": "FROM ({}) UNION ALL SELECT feature_id, cells, found, once, twice, least, most, NULL FROM counted_column",
    "form_element": "FROM ({}) UNION ALL FROM counted_element",
}


@dataclass
class Dataset:
    """A dataset of this transaction. number: of it among those of its batch, from 0. number_told: of its first model; 0 where the
    hub had it before.

    columns: of its layout, each after its place among those of the batch, 0 where it can't be compared; none as long as its rows
    are not read. dataset_id: once stored.
    """

    source: str
    told: Mapping[str, Any]
    number_told: int
    number: int = 0
    columns: list[tuple[int, str, str]] = field(default_factory=list)
    dataset_id: int | None = None

    @property
    def is_read(self) -> bool:
        """Whether its rows are in a table of a batch, or it is stored."""
        return bool(self.columns) or self.dataset_id is not None


@dataclass
class Batch:
    """Datasets that are sketched together, their rows in one temporary table.

    magnitude: bits of how many columns a dataset has. types: of the table's columns, each of which has the cells of one column
    of a dataset, or of none. unplaced: so many columns a dataset has at the most that can't be compared.
    """

    table: str
    magnitude: int
    types: list[str] = field(default_factory=list)
    forms: set[str] = field(default_factory=set)
    unplaced: int = 0
    waiting: list[Dataset] = field(default_factory=list)

    @property
    def width(self) -> int:
        """Numbers that the columns of a dataset have."""
        return len(self.types) + self.unplaced

    def placed(self, layout: Layout) -> tuple[list[int], Batch]:
        """The place of each column of a layout, from 1 (0: can't be compared), and the batch with columns for all of them."""
        free: dict[str, list[int]] = {}
        for place in range(len(self.types), 0, -1):
            free.setdefault(self.types[place - 1], []).append(place)
        types, places = list(self.types), []
        for _, type_, form in layout.columns:
            if form is None:
                places.append(0)
            elif free.get(type_):
                places.append(free[type_].pop())
            else:
                types.append(type_)
                places.append(len(types))
        unplaced = max(self.unplaced, places.count(0))
        return places, replace(self, types=types, forms=self.forms | {*layout.forms}, unplaced=unplaced)


def sketch_together(hub: Engine, batch: Batch) -> None:
    """The sketches of the datasets of a batch as the temporary table modelhub_sketch."""
    own = hub._own
    relations = {**logic.relations("sketch"), **logic.relations("many")}
    # Numbers and times are counted apart, and come after what is counted in SQL, which then looks at no column of theirs.
    form_of = [hub._forms[type_] for type_ in batch.types]
    order = sorted(range(len(form_of)), key=lambda column: form_of[column] in _COUNTED)
    placed = {column + 1: place for place, column in enumerate(order, 1)}
    counted = {place: str(form_of[column]) for place, column in enumerate(order, 1) if form_of[column] in _COUNTED}
    forms = batch.forms - _COUNTED
    for name, relation in relations.items():
        query = _WITH_COUNTED[name].replace("{}", relation.query) if counted and name in _WITH_COUNTED else relation.query
        relations[name] = replace(relation, query=logic.with_forms(query, forms))
    _place_columns(hub, batch, placed)
    given = ["dataset_row", "dataset_place"]
    try:
        _view(hub, batch, [f"c{column + 1} AS c{place}" for place, column in enumerate(order, 1) if place not in counted])
        if counted:
            given += ["row_permutation", *_COUNTS]
            _count_numbers(hub, batch, relations, counted, order)
        run_relations(
            hub, relations,
            "CREATE OR REPLACE TEMP TABLE modelhub_sketch AS SELECT *, []::VARCHAR[] AS excluded FROM numbered_feature",
            given=tuple(given), keep=True,
        )  # fmt: skip
    finally:
        for name in _COUNTS:
            with suppress(duckdb.Error):
                own.unregister(name)
        with suppress(duckdb.Error):
            own.execute(
                "DROP VIEW IF EXISTS temp.main.dataset_row; DROP TABLE IF EXISTS temp.main.dataset_place; "
                "DROP TABLE IF EXISTS temp.main.row_permutation"
            )


def _view(hub: Engine, batch: Batch, columns: list[str]) -> None:
    hub._own.execute(
        f"CREATE OR REPLACE TEMP VIEW dataset_row AS SELECT {', '.join([NUMBER, *columns])} FROM temp.main.{batch.table}"
    )


def _count_numbers(
    hub: Engine, batch: Batch, relations: Mapping[str, logic.Relation], counted: dict[int, str], order: list[int]
) -> None:
    """The columns of numbers and times, counted in numpy, as the relations of _COUNTS; and row_permutation."""
    import numpy as np

    from modelhub_sql.udfs.columns import counted as counted_by_numpy  # numpy takes a third of a second

    own, place = hub._own, hub._place
    run_relations(
        hub, relations, "CREATE OR REPLACE TEMP TABLE modelhub_permutation AS FROM row_permutation",
        given=("dataset_row", "dataset_place"), keep=True,
    )  # fmt: skip
    own.execute("ALTER TABLE temp.main.modelhub_permutation RENAME TO row_permutation")
    columns = ", ".join(
        f"{hub._place.logic}._logic.{form}_of(c{order[number - 1] + 1}) AS c{number}" for number, form in counted.items()
    )

    def with_numbers(name: str) -> Any:
        rows = f"WITH dataset_row AS (SELECT {NUMBER}, {columns} FROM temp.main.{batch.table})\n"
        own.execute(rows + logic.placed(relations[name].query, place))
        return datasets.fetched(own)

    ((width, threads),) = own.execute(
        "SELECT (SELECT max(place) FROM temp.main.dataset_place), current_setting('threads')"
    ).fetchall()
    uses = np.zeros((len(batch.waiting), width + 1), np.bool_)
    at = {column + 1: place for place, column in enumerate(order, 1)}
    for dataset in batch.waiting:
        uses[dataset.number, [at[column] for column, *_ in dataset.columns if column]] = True
    found = counted_by_numpy(
        with_numbers("partitioned_row"), with_numbers("sample_row"), counted, width, uses, int(threads)
    )  # fmt: skip
    for name, table in zip(_COUNTS, found, strict=True):
        own.register(name, table)


def _place_columns(hub: Engine, batch: Batch, placed: Mapping[int, int]) -> None:
    """Where the columns of the datasets of a batch are, as the temporary table dataset_place. placed: column -> place."""
    rows: list[tuple[int, int, int, str, str]] = []
    for dataset in batch.waiting:
        unplaced = count(len(batch.types) + 1)
        rows += [
            (dataset.number, number, placed[column] if column else next(unplaced), name, type_)
            for number, (column, name, type_) in enumerate(dataset.columns, 1)
        ]
    hub._own.execute(
        "CREATE OR REPLACE TEMP TABLE dataset_place AS SELECT unnest($1::USMALLINT[]) AS dataset_number, "
        "unnest($2::USMALLINT[]) AS number, unnest($3::USMALLINT[]) AS place, unnest($4::VARCHAR[]) AS feature, "
        "unnest($5::VARCHAR[]) AS type",
        [list(column) for column in zip(*rows, strict=True)],
    )
