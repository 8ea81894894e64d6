"""What a search returns: rows that can be looked at, converted, and joined with the hub's tables."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import duckdb

from modelhub_sql import writing
from modelhub_sql.arguments import check_text
from modelhub_sql.datasets import SKETCH_FILE
from modelhub_sql.errors import DatasetError, OptionError

__all__ = ["Result", "Rows", "Sketch"]


class Result:
    """Rows of an answer. All that a DuckDB relation can do (``filter``, ``select``, ``join``, ``show`` ...) can be done with it.

    While the hub is open it is a relation of ``hub.con``, so that it can be joined with the hub's tables; the rows
    outlive the hub.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, table: Any) -> None:
        self._con = con
        self._table = table
        #: The answer in a sentence, for what ``find_models`` returns.
        self.summary: str | None = None
        #: Of what ``find_for_each`` returns: why targets were left out.
        self.problems: list[str] = []
        #: Of what ``explain`` returns: both sides' histograms, how each feature was compared, and whose they are.
        self.histograms: Any = None
        self.compared: list[dict[str, Any]] = []
        self.about: str | None = None

    @property
    def relation(self) -> duckdb.DuckDBPyRelation:
        """The rows as a relation of the hub's connection, or, when that is closed, of one of its own."""
        try:
            return self._con.from_arrow(self._table)
        except duckdb.ConnectionException:
            # Kept here: on DuckDB 1.4 a relation does not keep its connection.
            self._con = duckdb.connect()
            return self._con.from_arrow(self._table)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.relation, name)

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.fetchall())

    def __repr__(self) -> str:
        return str(self.relation)

    def _repr_html_(self) -> str:
        from modelhub_sql import notebook

        return notebook.page(self.columns, self.fetchall(), self.summary)

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self._table.column_names)

    def fetchall(self) -> list[tuple[Any, ...]]:
        """The rows as tuples."""
        return self.relation.fetchall()

    def dicts(self) -> list[dict[str, Any]]:
        """The rows by the names of the columns."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.fetchall()]

    def plot(self, *, dark: bool = False) -> Any:
        """The answer as an Altair chart, of what ``find_models``, ``find_datasets``, ``explain`` and ``dataset_pairs`` return.

        dark: for a dark page. ``plot().save("fit.png")`` needs no browser. Extra ``plots``. Raises OptionError.
        """
        from modelhub_sql import plots

        return plots.plot(self, dark=dark)

    def arrow(self) -> Any:
        """The rows as a ``pyarrow.Table``."""
        return self._table

    def df(self) -> Any:
        """The rows as a pandas DataFrame."""
        return self.relation.df()

    def pl(self) -> Any:
        """The rows as a polars DataFrame."""
        return self.relation.pl()


class Sketch(Result):
    """The sketch of a dataset: a row for each feature, its histogram, MinHash signature and the histogram of each partition."""

    @property
    def rows(self) -> int:
        """Rows of the dataset."""
        return int(self._table["rows"][0].as_py())

    @property
    def features(self) -> list[str]:
        """Names of the features."""
        return list(self._table["feature"].to_pylist())

    @property
    def skipped(self) -> list[str]:
        """What was left out of the sketch, each with the reason."""
        return list(self._table["skipped"][0].as_py())

    def without_excluded_names(self) -> Sketch:
        """The same sketch, which says no more than that columns were excluded."""
        import pyarrow as pa

        place = self._table.schema.get_field_index("excluded")
        hidden = pa.array([[None] if each else [] for each in self._table["excluded"].to_pylist()], pa.list_(pa.string()))
        return Sketch(self._con, self._table.set_column(place, "excluded", hidden))

    def merge(self, *others: Sketch | str | os.PathLike[str], hub: Any = None) -> Sketch:
        """This sketch and others, of other rows of the same dataset, as one: ``Hub.merge``.

        others: sketches or sketch files. hub: whose format they have; by default that of a hub with default settings.
        """
        from modelhub_sql.hub import Hub

        if hub is not None:
            return hub.merge([self, *others])  # type: ignore[no-any-return]
        with Hub() as plain:
            return plain.merge([self, *others])

    def _repr_html_(self) -> str:
        from modelhub_sql import notebook

        shown = ["feature", "kind", "values", "nulls"]
        said = f"{self.rows} rows, {len(self.features)} features"
        if self.skipped:
            said += f"; left out: {', '.join(self.skipped)}"
        return notebook.page(shown, zip(*(self._table[name].to_pylist() for name in shown), strict=True), said)

    def save(self, path: str | os.PathLike[str]) -> str:
        """Write a sketch file, which is taken wherever a dataset is; returns its path.

        path: must end in .sketch.parquet. A file that is there already is replaced when the new one is whole.
        """
        import pyarrow.parquet as pq

        written = os.fspath(path)
        if not written.lower().endswith(SKETCH_FILE):
            raise OptionError(f"a sketch file is called NAME{SKETCH_FILE}, got {written!r}")
        check_text("path", written)
        with writing.whole(written, "the sketch", DatasetError) as beside:
            pq.write_table(self._table, beside)
        return written


class Rows(Result):
    """An answer that was fetched without Arrow: its rows and the names of their columns, no relation."""

    def __init__(self, con: duckdb.DuckDBPyConnection, ran: duckdb.DuckDBPyConnection) -> None:
        super().__init__(con, None)
        self._columns = [column[0] for column in ran.description or ()]
        self._rows = ran.fetchall()

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return self._columns

    def fetchall(self) -> list[tuple[Any, ...]]:
        """The rows as tuples."""
        return self._rows
