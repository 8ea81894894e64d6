"""How models are registered: one by the script of the verb, many in few queries.

To plan a statement takes longer than to read a small file or to count a small dataset. So the rows of many parquet files are read
by one statement. Datasets are read into one table, whose columns are of the types that theirs have, and ``sql/many`` holds the
relations that take the place of those of ``sql/sketch`` which know one dataset only: what comes after them is the same, and so
are the bytes that are stored (``together.py``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb

from modelhub_sql import datasets, logic, manifest
from modelhub_sql.arguments import check_text, described, is_writable
from modelhub_sql.datasets import NUMBER
from modelhub_sql.engine import as_json, names_of, plain, warn_of_skipped
from modelhub_sql.errors import DatasetError, HubError, OptionError, translated
from modelhub_sql.headers import Header, headers
from modelhub_sql.together import Batch, Dataset, sketch_together

if TYPE_CHECKING:
    from modelhub_sql.engine import Engine, Layout

__all__ = ["Registering", "manifest_of"]

#: Datasets of more rows are sketched by themselves: what they take to count is more than what they take to plan.
MOST_ROWS = 20_000
#: So many cells at the most wait to be sketched together, about; a row has four at the least. Of half as many a dataset takes a
#: fifth longer, of twice as many it is hardly faster.
MOST_CELLS = 4_000_000
#: Of memory_limit so many bytes at the least are there for each.
BYTES = 128
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")
#: Datasets of more columns are sketched by themselves, too: each column is planned.
MOST_COLUMNS = 500
#: Features of one query have numbers of 16 bits.
MOST_FEATURES = 2**16 - 1
#: So many files at the most wait to be read together: until then nobody sees that anything happens.
MOST_FILES = 256
#: So many SELECTs are in a statement that reads files: in fewer each takes longer to plan, in more none is faster.
MOST_SELECTS = 20

#: What a dataset is called that no other is like.
_ALONE = "modelhub_alone"

#: Types that a column of a table is made with; of others, as an enum's, each is another.
_PLAIN = re.compile(r"[A-Z][A-Z0-9_ ]*(\(\d+(,\d+)?\))?(\[\d*\])*")

#: Paths of single files. What a glob may be taken for, or a text in quotes, is read by itself.
_PARQUET = re.compile(r'[^*?\["\0]+\.parquet', re.IGNORECASE)

#: Columns that DuckDB has for every row of a file, unless the file has them.
_OF_FILE = ("file_index", "file_row_number", "filename")

#: What is a text.
_TEXTS = ("name", "version", "task", "framework", "uri", "like", "like_version", "source")

#: What is stored of a model as it was told.
_STORED = ("accuracy", "accuracy_rows", "task", "framework", "uri", "metadata")


def manifest_of(hub: Engine, models: Any) -> list[dict[str, Any]]:
    """The arguments of ``register`` for each model, checked for their names."""
    from modelhub_sql.hub import Hub

    if isinstance(models, (str, os.PathLike)) or hasattr(models, "columns"):
        with hub._dataset(models) as ((name, source), _):
            as_text = source == name and manifest.is_csv(name)
            reader = "read_csv(?, all_varchar := true)" if as_text else f"query_table({hub._place.logic}._logic.quoted_path(?))"
            try:
                result = hub._own.execute(f"FROM {reader}", [name])
                columns = [column[0] for column in result.description or ()]
                rows = [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
            except duckdb.Error as error:
                raise translated(error, source) from error
        models = manifest.of_rows(rows, source, described(Hub.register))
    return manifest.checked(models, described(Hub.register))


@dataclass
class _Read:
    """Files of the same columns, read into the table of a batch by one SELECT. placed: their columns, each after its place."""

    table: str
    placed: tuple[tuple[int, str], ...]
    datasets: list[Dataset] = field(default_factory=list)
    rows: int = 0


class _Model(NamedTuple):
    """A model that waits for its dataset. number: of it in the manifest, from 1."""

    number: int
    told: Mapping[str, Any]
    dataset: Dataset


class Registering:
    """Registers models one after the other, in the caller's transaction; ``finish`` registers those that still wait.

    numbered: whether an error says which number its model has.
    """

    def __init__(self, hub: Engine, *, numbered: bool = True) -> None:
        self._hub = hub
        self._own, self._tables, self._logic = hub._own, f"{hub._place.tables}._hub", f"{hub._place.logic}._logic"
        self._numbered = numbered
        self._count = 0
        # Models of the same data share a dataset: those of this transaction by name, exclusions and source.
        self._datasets: dict[Any, Dataset] = {}
        self._batches: list[Batch] = []
        self._models: dict[tuple[str, str], _Model] = {}
        # Files whose rows are yet to be read, and what files say of themselves.
        self._unread: list[Dataset] = []
        self._headers: dict[str, Header] = {}
        self._layouts: dict[tuple[str, tuple[str, ...]], Layout] = {}
        self._cells = 0
        self._most: float | None = None
        self._started: str | None = None

    def add(self, given: Mapping[str, Any]) -> None:
        """Register a model, now or together with others that come after it.

        given: arguments of ``Hub.register``. Raises HubError, which names the model.
        """
        self._count += 1
        number, name = self._count, given["name"]
        with self._naming(number, name):
            told = _told(given)
        if _key(told) in self._models or not _may_wait(told):
            # What it is like, or takes the place of, may wait.
            self.finish()
        with self._naming(number, name):
            waits = _may_wait(told) and self._waits(told)
        if not waits:
            if told["replace"] or any(name == other for other, _ in self._models):
                # What it replaces may share a dataset with what waits; the latest version is the one that is registered last.
                self.finish()
            self._now(number, told)
        elif self._cells > self._most_cells():
            self.finish()
        elif len(self._unread) >= MOST_FILES:
            with self._of_hub():
                self._read_files()

    def one(self, given: Mapping[str, Any]) -> None:
        """Register a model at once, by the script of the verb. Raises HubError."""
        told = _told(given)
        name, dataset, exclude = told["name"], told["dataset"], told["exclude"]
        values = {each: told[each] for each in ("version", "replace", "hide_excluded", *_STORED)} | dict(
            model=name, like_model=told["like"], like_version=told["like_version"], exclude=exclude,
            metadata=as_json(self._metadata(told)),
        )  # fmt: skip
        if dataset is None:
            self._hub._run_verb("register", **values)
            return
        with self._hub._dataset(dataset, exclude, told["read"]) as ((table, source), layout):
            self._hub._run_verb(
                "register", source, dataset=table, source=_said(told, source), nested=layout.nested, forms=layout.forms, **values
            )
            ((skipped, dataset_id),) = self._own.execute(
                "SELECT getvariable('registering_skipped'), getvariable('registering_dataset')"
            ).fetchall()
            warn_of_skipped(skipped, source)
        if (shared := _shared(told)) is not None:
            self._datasets[shared] = Dataset(source, told, self._count, dataset_id=dataset_id)

    def _now(self, number: int, told: Mapping[str, Any]) -> None:
        with self._naming(number, told["name"]):
            self.one(told)
            # Others that come before it may be stored after it.
            self._own.execute(
                f"UPDATE {self._tables}.models SET registered_at = ?::TIMESTAMP + to_microseconds(?) "
                "WHERE model = ? AND version = ?", [self._start(), number, *_key(told)]
            )  # fmt: skip

    def finish(self) -> None:
        """Register the models that wait. Raises HubError, which names the model."""
        try:
            with self._of_hub():
                self._read_files()
                self._store()
        finally:
            self._drop()
            self._models, self._unread = {}, []

    def _store(self) -> None:
        """Store the models that wait and whose datasets are read."""
        models = [model for model in self._models.values() if model.dataset.is_read]
        if models:
            self._refuse(models)
            for batch in self._batches:
                # Empty where its only dataset was too large to wait.
                if batch.waiting:
                    self._store_datasets(batch)
            self._store_models(models)
        for model in models:
            del self._models[_key(model.told)]
        self._drop()

    def _drop(self) -> None:
        for batch in self._batches:
            with suppress(duckdb.Error):
                self._own.execute(f"DROP TABLE IF EXISTS temp.main.{batch.table}")
        self._batches, self._cells = [], 0

    def knows(self, given: Mapping[str, Any], dataset_id: int) -> None:
        """That the dataset of a model is in the hub already. given: arguments of ``Hub.register``."""
        told = _told(given)
        self._datasets[_shared(told)] = Dataset("", told, 0, dataset_id=dataset_id)

    def check(self, given: Mapping[str, Any]) -> None:
        """Refuse a dataset of which what its columns are called tells that it can't be registered. Raises HubError.

        given: arguments of ``Hub.register``.
        """
        header = self._headers.get(_file_of(given) or "")
        exclude = names_of(given.get("exclude") or ())
        if header is not None:
            self._layout(os.fspath(given["dataset"]), header, exclude)
            return
        with self._hub._dataset(given["dataset"], exclude, given.get("read")):
            pass

    def look_at(self, given: Iterable[Mapping[str, Any]]) -> None:
        """Read what the files of models say of themselves, as far as they can be read. given: arguments of ``Hub.register``."""
        files = [file for file in dict.fromkeys(map(_file_of, given)) if file is not None and file not in self._headers]
        # A statement that fails would take the caller's transaction with it.
        with self._own.cursor() as apart:
            for first in range(0, len(files), MOST_FILES):
                some = files[first : first + MOST_FILES]
                try:
                    self._headers |= headers(apart, some)
                except duckdb.Error:
                    for file in some:
                        with suppress(duckdb.Error):
                            self._headers |= headers(apart, [file])

    def _layout(self, file: str, header: Header, exclude: list[str]) -> Layout:
        key = (header.schema.key, tuple(exclude))
        if key not in self._layouts:
            self._layouts[key] = self._hub._layout(file, file, exclude, header.schema.columns)
        return self._layouts[key]

    def _waits(self, told: Mapping[str, Any]) -> bool:
        """Whether its dataset is sketched with others, as far as it is known; its rows are read now or later with others."""
        shared = _shared(told)
        dataset = self._datasets.get(shared) if shared is not None else None
        if dataset is None or not self._is_there(dataset):
            source = _file_of(told)
            dataset = Dataset(source or "", told, self._count)
            if source is not None:
                self._unread.append(dataset)
            elif not self._read_alone(dataset):
                return False
            if shared is not None:
                self._datasets[shared] = dataset
        self._models[_key(told)] = _Model(self._count, told, dataset)
        return True

    def _read_files(self) -> None:
        """Read the rows of the files that wait, each statement those of many; store what waits where it is much."""
        unread, self._unread = self._unread, []
        if len(unread) > 1:
            self.look_at(dataset.told for dataset in unread)
        alone: list[Dataset] = []
        reads: dict[tuple[Any, ...], _Read] = {}
        for dataset in unread:
            with self._naming(dataset.number_told, dataset.told["name"]):
                header = self._headers.get(dataset.source) if len(unread) > 1 else None
                layout = self._layout(dataset.source, header, dataset.told["exclude"]) if header is not None else None
                if header is None or layout is None or layout.nested or any(
                    name.lower() in _OF_FILE for name, *_ in layout.columns
                ):  # fmt: skip
                    is_read = self._read_alone(dataset)
                elif is_read := 0 < header.rows <= MOST_ROWS and _may_be_with_others(layout):
                    batch, places = self._batch_for(layout)
                    self._take(batch, dataset, header.rows, places, layout)
                    placed = tuple((place, name) for place, name, _ in dataset.columns if place)
                    read = reads.setdefault((batch.table, header.schema.key, placed), _Read(batch.table, placed))
                    read.datasets.append(dataset)
                    read.rows += header.rows
            if not is_read:
                alone.append(dataset)
            if self._cells > self._most_cells():
                self._read_together([*reads.values()])
                reads = {}
                self._store()
        self._read_together([*reads.values()])
        for dataset in alone:
            first = next(model for model in self._models.values() if model.dataset is dataset)
            del self._models[_key(first.told)]
            if first.told["replace"] or any(first.told["name"] == other for other, _ in self._models):
                self._store()
            self._now(first.number, first.told)
            dataset.dataset_id = self._datasets[_shared(first.told)].dataset_id

    def _read_together(self, reads: list[_Read]) -> None:
        for table in dict.fromkeys(read.table for read in reads):
            of_table = [read for read in reads if read.table == table]
            for first in range(0, len(of_table), MOST_SELECTS):
                self._read_some(of_table[first : first + MOST_SELECTS])

    def _read_some(self, reads: list[_Read]) -> None:
        """Read files into the table of a batch, by one statement."""
        places = sorted({place for read in reads for place, _ in read.placed})
        selects = []
        for read in reads:
            names = dict(read.placed)
            columns = "".join(", " + (_quoted(names[place]) if place in names else "NULL") for place in places)
            numbers = datasets.literal([dataset.number for dataset in read.datasets])
            selects.append(
                f"SELECT {self._logic}.numbered_row({numbers}[file_index::BIGINT + 1], file_row_number){columns} FROM "
                f"read_parquet({datasets.literal([dataset.source for dataset in read.datasets])}, hive_partitioning := false)"
            )
        of_all = [dataset for read in reads for dataset in read.datasets]
        try:
            ((rows,),) = self._own.execute(
                f"INSERT INTO temp.main.{reads[0].table} ({NUMBER}{''.join(f', c{place}' for place in places)}) "
                + " UNION ALL ".join(selects)
            ).fetchall()
        except duckdb.InterruptException as error:
            raise translated(error) from error
        except duckdb.Error as error:
            self._blame(of_all)
            raise translated(error) from error
        if rows != sum(read.rows for read in reads):
            raise DatasetError(f"{of_all[0].source} or one of {len(of_all) - 1} more has changed while it was read")

    def _blame(self, of_all: list[Dataset]) -> None:
        """Refuse the first of some datasets that can't be read."""
        with self._own.cursor() as apart:
            for dataset in of_all:
                try:
                    # What counts or compares values is answered by what the file says of them.
                    query = "SELECT bit_xor(hash(COLUMNS(*))) FROM read_parquet(?, hive_partitioning := false)"
                    apart.execute(query, [dataset.source]).fetchall()
                except duckdb.Error as error:
                    with self._naming(dataset.number_told, dataset.told["name"]):
                        raise translated(error, dataset.source) from error

    def _read_alone(self, dataset: Dataset) -> bool:
        """Read the rows of a dataset into a table of a batch, where they are few and can be sketched with others."""
        told = dataset.told
        with self._hub._dataset(told["dataset"], told["exclude"], told["read"]) as ((table, source), layout):
            if not _may_be_with_others(layout):
                return False
            dataset.source = source
            batch, places = self._batch_for(layout)
            number = len(batch.waiting)
            try:
                rows = self._read(batch, number, places, table, told["exclude"], layout)
            except duckdb.Error as error:
                raise translated(error, source, table) from error
            if not 0 < rows <= MOST_ROWS:
                self._own.execute(f"DELETE FROM temp.main.{batch.table} WHERE {self._logic}.dataset_at({NUMBER}) = {number}")
                return False
        self._take(batch, dataset, rows, places, layout)
        return True

    def _take(self, batch: Batch, dataset: Dataset, rows: int, places: list[int], layout: Layout) -> None:
        """A dataset among those of a batch that are sketched together."""
        dataset.number = len(batch.waiting)
        dataset.columns = [(place, name, type_) for place, (name, type_, _) in zip(places, layout.columns, strict=True)]
        batch.waiting.append(dataset)
        self._cells += rows * max(4, len(batch.types))

    def _batch_for(self, layout: Layout) -> tuple[Batch, list[int]]:
        """A batch that has room for a dataset, its columns made, and their places."""
        magnitude = len(layout.columns).bit_length()
        for number, before in enumerate(self._batches):
            # Columns of a row that have no cell cost, too: narrow datasets do not go with wide ones.
            if before.magnitude != magnitude:
                continue
            places, batch = before.placed(layout)
            if len(batch.types) <= 4 << magnitude and (len(before.waiting) + 1) * batch.width <= MOST_FEATURES:
                self._batches[number] = batch
                break
        else:
            before = Batch(f"modelhub_rows_{len(self._batches)}", magnitude)
            self._own.execute(f"CREATE OR REPLACE TEMP TABLE {before.table} ({NUMBER} BIGINT)")
            places, batch = before.placed(layout)
            self._batches.append(batch)
        for place in range(len(before.types), len(batch.types)):
            self._own.execute(f"ALTER TABLE temp.main.{batch.table} ADD COLUMN c{place + 1} {batch.types[place]}")
        return batch, places

    def _most_cells(self) -> float:
        """So many cells at the most wait, about."""
        if self._most is None:
            ((limit,),) = self._own.execute("SELECT current_setting('memory_limit')").fetchall()
            number, unit = limit.split()
            self._most = min(MOST_CELLS, float(number) * 1024 ** _UNITS.index(unit) / BYTES)
        return self._most

    def _is_there(self, dataset: Dataset) -> bool:
        # It is gone where its last model was replaced meanwhile.
        return dataset.dataset_id is None or bool(
            self._own.execute(f"FROM {self._tables}.datasets WHERE dataset_id = ?", [dataset.dataset_id]).fetchall()
        )

    def _read(self, batch: Batch, number: int, places: list[int], table: str, exclude: list[str], layout: Layout) -> int:
        """Read a dataset's rows, not many more than MOST_ROWS, into the table of a batch; returns how many."""
        placed = [(place, name) for place, (name, *_) in zip(places, layout.columns, strict=True) if place]
        columns = "".join(f", {_quoted(name)}" for _, name in placed)
        # To look for the columns again, as numbered_rows does, takes longer than to read a small file.
        source = (
            f"{self._logic}.numbered_rows($name, exclude := {datasets.literal(exclude)}::VARCHAR[], nested := true)"
            if layout.nested
            else f"(SELECT row_number() OVER () - 1 AS {NUMBER}, * FROM {self._logic}.dataset_rows($name))"
        )
        ((rows,),) = self._own.execute(
            f"INSERT INTO temp.main.{batch.table} ({NUMBER}{''.join(f', c{place}' for place, _ in placed)}) "
            f"SELECT {self._logic}.numbered_row({number}, {NUMBER}){columns} FROM {source} LIMIT {MOST_ROWS + 1}",
            {"name": table},
        ).fetchall()
        return int(rows)

    def _refuse(self, models: list[_Model]) -> None:
        """Models that wait as the temporary table modelhub_model; refuse the first that can't be registered."""
        columns: dict[str, list[Any]] = {each: [_text(model.told[each]) for model in models] for each in _STORED}
        columns["metadata"] = [as_json(self._metadata(model.told)) for model in models]
        columns |= {
            "number": [model.number for model in models], "model": [model.told["name"] for model in models],
            "version": [_key(model.told)[1] for model in models], "replace": [model.told["replace"] for model in models],
            "shares": [model.dataset.number_told == 0 for model in models],
        }  # fmt: skip
        types = {"number": "UINTEGER", "replace": "BOOLEAN", "shares": "BOOLEAN"}
        listed = ", ".join(f"unnest(${name}::{types.get(name, 'VARCHAR')}[]) AS {name}" for name in columns)
        self._own.execute(
            f"CREATE OR REPLACE TEMP TABLE modelhub_model AS SELECT {listed}, NULL::UINTEGER AS dataset_id, "
            "$start::TIMESTAMP + to_microseconds(number) AS registered_at",
            columns | {"start": self._start()},
        )
        found = self._own.execute(
            f"SELECT number, model, {self._logic}.registration_fault(model, version, accuracy, accuracy_rows, replace) AS fault "
            "FROM temp.main.modelhub_model WHERE fault IS NOT NULL ORDER BY number ASC LIMIT 1"
        ).fetchall()
        for number, name, fault in found:
            with self._naming(number, name):
                try:
                    self._own.execute("SELECT error(?)", [fault])
                except duckdb.Error as error:
                    raise translated(error) from error

    def _store_datasets(self, batch: Batch) -> None:
        """Sketch the datasets of a batch and store them."""
        own = self._own
        if len(batch.waiting) == 1 and not batch.unplaced:
            self._sketch_alone(batch, batch.waiting[0])
        else:
            sketch_together(self._hub, batch)
        made = dict(
            own.execute("SELECT dataset_number, any_value(skipped) FROM temp.main.modelhub_sketch GROUP BY ALL").fetchall()
        )
        for dataset in batch.waiting:
            if dataset.number not in made:
                # The script says why there is nothing to sketch.
                with self._naming(dataset.number_told, dataset.told["name"]):
                    self.one(dataset.told)
                    raise DatasetError(f"{dataset.source} has changed while it was read")
            warn_of_skipped(made[dataset.number], dataset.source)
        many = len(batch.waiting)
        ((first,),) = own.execute(
            f"SELECT {self._logic}.next_dataset(max(dataset_id), {many}) FROM {self._tables}.datasets"
        ).fetchall()
        own.execute("SET VARIABLE registering_dataset = ?", [first])
        own.execute(
            "CREATE OR REPLACE TEMP TABLE modelhub_source AS SELECT unnest(range(len($dataset))) AS dataset_number, "
            "unnest($dataset::VARCHAR[]) AS dataset, unnest($source::VARCHAR[]) AS source, "
            "unnest($excluded::VARCHAR[][]) AS excluded",
            {
                "dataset": [dataset.told["name"] for dataset in batch.waiting],
                "source": [_said(dataset.told, dataset.source) for dataset in batch.waiting],
                "excluded": [
                    [None] if dataset.told["hide_excluded"] and dataset.told["exclude"] else dataset.told["exclude"]
                    for dataset in batch.waiting
                ],
            },
        )
        for part in ("dataset", "features"):
            own.execute(logic.placed(logic.storing(part), self._hub._place))
        for dataset in batch.waiting:
            dataset.dataset_id = first + dataset.number
        own.execute("DROP TABLE temp.main.modelhub_sketch; DROP TABLE temp.main.modelhub_source")

    def _sketch_alone(self, batch: Batch, dataset: Dataset) -> None:
        # To leave each relation as a table takes longer than to plan all of them at once.
        own = self._own
        columns = ", ".join(f"c{place} AS {_quoted(name)}" for place, name, _ in dataset.columns)
        own.execute(f"CREATE OR REPLACE TEMP VIEW {_ALONE} AS SELECT {columns} FROM temp.main.{batch.table}")
        try:
            own.execute(
                f"CREATE OR REPLACE TEMP TABLE modelhub_sketch AS SELECT 0 AS dataset_number, * FROM {self._logic}.sketch("
                f"'{_ALONE}', forms := {datasets.literal(sorted(batch.forms))}::VARCHAR[], nested := false)"
            )
        except duckdb.Error as error:
            with self._naming(dataset.number_told, dataset.told["name"]):
                raise translated(error, dataset.source, _ALONE) from error
        finally:
            with suppress(duckdb.Error):
                own.execute(f"DROP VIEW IF EXISTS temp.main.{_ALONE}")

    def _store_models(self, models: list[_Model]) -> None:
        own = self._own
        own.execute(
            "UPDATE temp.main.modelhub_model AS m SET dataset_id = d.dataset_id FROM "
            "(SELECT unnest($number::UINTEGER[]) AS number, unnest($dataset_id::UINTEGER[]) AS dataset_id) AS d "
            "WHERE d.number = m.number",
            {
                "number": [model.number for model in models],
                "dataset_id": [model.dataset.dataset_id for model in models],
            },
        )
        for part in ("models", "unused"):
            own.execute(logic.placed(logic.storing(part), self._hub._place))
        own.execute("DROP TABLE temp.main.modelhub_model")

    def _start(self) -> str:
        """Later than any model was registered before: number n is registered n microseconds after it."""
        if self._started is None:
            ((self._started,),) = self._own.execute(
                f"SELECT greatest({self._logic}.utc_now(), max(registered_at))::VARCHAR FROM {self._tables}.models"
            ).fetchall()
        return self._started

    def _metadata(self, told: Mapping[str, Any]) -> Any:
        from modelhub_sql.keeping import replacing_metadata

        metadata = told["metadata"]
        return replacing_metadata(self._hub, told["name"], told["version"], metadata) if told["replace"] else metadata

    @contextmanager
    def _of_hub(self) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            raise translated(error, hub=self._hub.path) from error

    @contextmanager
    def _naming(self, number: int, name: Any) -> Iterator[None]:
        try:
            yield
        except HubError as error:
            which = f"model {number} ({name!s:.200})" if self._numbered else f"model {name!s:.200}"
            raise type(error)(f"{which}: {error}") from error


def _told(given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of ``Hub.register``, all of them, checked as far as the hub need not be asked. Raises OptionError."""
    from modelhub_sql.hub import Hub

    told = {name: argument.default for name, argument in described(Hub.register).items()} | dict(given)
    name, dataset, like = told["name"], told["dataset"], told["like"]
    if not isinstance(name, str) or not name.strip():
        raise OptionError(f"a model's name must be text that is not blank, got {name!r}")
    for each in ("replace", "hide_excluded"):
        if told[each] not in (True, False):
            raise OptionError(f"model {name[:200]}: {each} must be True or False, got {told[each]!r}")
    if (dataset is None) == (like is None):
        raise OptionError(f"model {name[:200]}: give a dataset, or like= a registered model trained on the same data")
    if told["source"] is not None and not isinstance(told["source"], str):
        raise OptionError(f"model {name[:200]}: source must be text, got {told['source']!r:.200}")
    for each in _TEXTS:
        check_text(f"model {name[:200]!r}: {each}", told[each])
    # A number, as of a table, is compared with texts.
    told["version"] = _text(told["version"])
    datasets.check_read(told["read"])
    told["exclude"] = names_of(told["exclude"])
    if like is None and told["like_version"] is not None:
        raise OptionError(f"model {name[:200]}: like_version is a version of like=, which is not given")
    if like is not None and told["exclude"]:
        raise OptionError(f"model {name[:200]}: like= shares the sketch of {like} as it is; exclude goes with a dataset")
    if like is not None and told["hide_excluded"]:
        raise OptionError(f"model {name[:200]}: like= shares the sketch of {like} as it is; hide_excluded goes with a dataset")
    # The file of a model that keeps its sketch is where the model is.
    uri = dataset if told["uri"] is None and datasets.is_model(dataset) else told["uri"]
    told["uri"] = os.fspath(uri) if isinstance(uri, os.PathLike) else uri
    for each in ("accuracy", "accuracy_rows"):
        told[each] = plain(told[each])
        if isinstance(told[each], str):
            check_text(f"model {name[:200]!r}: {each}", told[each])
    as_json(told["metadata"])
    return told


def _key(told: Mapping[str, Any]) -> tuple[str, str]:
    return told["name"], told["version"] or ""


def _shared(told: Mapping[str, Any]) -> Any:
    """What models of the same dataset have in common; None for data without a name."""
    dataset = told["dataset"]
    if isinstance(dataset, (str, os.PathLike)) and not told["read"]:
        return os.fspath(dataset), tuple(told["exclude"]), told["source"], bool(told["hide_excluded"])
    return None


def _said(told: Mapping[str, Any], source: str) -> str:
    said: str = datasets.said_of(source) if told["source"] is None else told["source"]
    return said


def _may_be_with_others(layout: Layout) -> bool:
    """Whether datasets of such columns are sketched together."""
    return len(layout.columns) <= MOST_COLUMNS and all(
        form is None or _PLAIN.fullmatch(type_) is not None for _, type_, form in layout.columns
    )


def _file_of(given: Mapping[str, Any]) -> str | None:
    """The path of a parquet file whose rows may be read together with those of others; None for any other dataset."""
    dataset = given.get("dataset")
    path = os.fspath(dataset) if isinstance(dataset, (str, os.PathLike)) and not given.get("read") else None
    if not isinstance(path, str) or not _PARQUET.fullmatch(path) or datasets.is_sketch(path) or not is_writable(path):
        return None
    return path if os.path.isfile(path) else None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _may_wait(told: Mapping[str, Any]) -> bool:
    """Whether it is registered by rows, and says nothing that only the script can refuse."""
    from modelhub_sql.result import Sketch

    dataset = told["dataset"]
    if dataset is None or isinstance(dataset, Sketch) or datasets.is_model(dataset):
        return False
    # A stream is read once, and has to be read again where its rows are many.
    if not isinstance(dataset, (str, os.PathLike)) and not hasattr(dataset, "__len__"):
        return False
    if isinstance(dataset, (str, os.PathLike)) and datasets.is_sketch(str(os.fspath(dataset))):
        return False
    values = (told[each] for each in ("version", *_STORED) if each != "metadata")
    return all(value is None or isinstance(value, (str, int, float)) for value in values)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
