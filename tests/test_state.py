"""Any order of changes, by Python, the command or SQL alone: a hub holds what a plain model of it in Python holds."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import modelhub_sql
from modelhub_sql.cli import main

SIZE = 20
WORDS = ["red", "green", "blue", "white", "black", "gold"]
#: Rows of the files that models are trained on.
FILES = {"a": 7, "b": 30, "c": 41, "d": 75}

names = st.sampled_from(["beer", "Beer", "wine", "a b"])
versions = st.sampled_from([None, None, "1", "2"])
files = st.sampled_from(sorted(FILES))
accuracies = st.sampled_from([0.25, 0.5, 1.0])
clients = st.sampled_from(["script", "command", "python"])
Key = tuple[str, str]


class Refused(Exception):
    """What the command or the script of a verb refused."""


def rows_of(seed: int, rows: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            "x": rng.integers(0, 4, rows),
            "word": [WORDS[each] for each in rng.integers(0, 6, rows) // 2 * rng.integers(1, 3, rows)],
        }
    )


class Dataset:
    """What a hub knows of a dataset: of which file it is, and how often each word occurs; appended: rows that came later."""

    def __init__(self, file: str, table: pa.Table) -> None:
        self.file, self.words, self.appended = file, Counter(table["word"].to_pylist()), 0

    def append(self, table: pa.Table) -> None:
        self.words += Counter(table["word"].to_pylist())
        self.appended += table.num_rows

    def told(self) -> tuple[int, list[int]]:
        return self.words.total(), sorted(self.words.values())


@cache
def beside() -> tuple[Path, dict[str, pa.Table]]:
    """A folder with the files, and with another hub to import from; what is in the files."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    tables = {name: rows_of(number, rows) for number, (name, rows) in enumerate(FILES.items())}
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet")
    with modelhub_sql.connect(folder / "other.duckdb", partition_size=SIZE) as other:
        other.register("wine", folder / "d.parquet", accuracy=0.75)
        other.register("water", folder / "a.parquet")
        other.register("water", like="water", version="2")
    return folder, tables


class Changes(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder, self.tables = beside()
        (self.folder / "hub.duckdb").unlink(missing_ok=True)
        self.hub = modelhub_sql.connect(self.folder / "hub.duckdb", partition_size=SIZE)
        # Models by name and version, in the order in which they were registered: the last version of a name is the latest.
        self.models: dict[Key, dict[str, Any]] = {}

    def teardown(self) -> None:
        if hasattr(self, "hub"):
            assert self.hub.verify().fetchall() == []
            self.hub.close()

    def file(self, name: str) -> str:
        return str(self.folder / f"{name}.parquet")

    def latest(self, name: str, version: str | None) -> Key | None:
        found = [key for key in self.models if key[0] == name and version in (None, key[1])]
        return found[-1] if found else None

    def by(self, client: str, verb: str, name: str, *positions: str, **options: Any) -> None:
        """A verb by the command, or by its script in a connection without the package. Raises Refused."""
        given = {name: value for name, value in options.items() if value not in (None, False)}
        path = str(self.folder / "hub.duckdb")
        self.hub.close()
        try:
            if client == "command":
                flags = [
                    each
                    for name, value in given.items()
                    for each in ([f"--{name}"] if value is True else [f"--{name}", str(value)])
                ]
                ran = CliRunner().invoke(main, [verb, path, name, *positions, *flags])
                if ran.exit_code:
                    assert ran.exit_code == 1, ran.output
                    raise Refused(ran.output)
            else:
                told = {"model": name, **dict(zip(["dataset"], positions, strict=False)), **given}
                with duckdb.connect(path) as con:
                    ((script,),) = con.execute("SELECT script FROM verbs WHERE verb = ?", [verb]).fetchall()
                    for variable, value in told.items():
                        con.execute(f"SET VARIABLE {variable} = ?", [value])
                    try:
                        con.execute(script)
                    except duckdb.InvalidInputException as error:
                        raise Refused(str(error)) from error
        finally:
            self.hub = modelhub_sql.connect(path)

    def put(self, key: Key, dataset: Dataset, accuracy: float | None) -> None:
        self.models.pop(key, None)
        self.models[key] = {"dataset": dataset, "accuracy": accuracy}

    @rule(client=clients, name=names, version=versions, file=files, accuracy=st.none() | accuracies, replace=st.booleans())
    def register(self, client: str, name: str, version: str | None, file: str, accuracy: float | None, replace: bool) -> None:
        key = (name, version or "")
        given: dict[str, Any] = dict(version=version, accuracy=accuracy, replace=replace)

        def register() -> None:
            if client == "python":
                self.hub.register(name, self.file(file), **given)
            else:
                self.by(client, "register", name, self.file(file), **given)

        if key in self.models and not replace:
            with pytest.raises((modelhub_sql.ModelExistsError, Refused), match="registered"):
                register()
            return
        register()
        self.put(key, Dataset(file, self.tables[file]), accuracy)

    @rule(name=names, version=versions, like=names, like_version=versions)
    def register_like(self, name: str, version: str | None, like: str, like_version: str | None) -> None:
        key, of = (name, version or ""), self.latest(like, like_version)
        given: dict[str, Any] = dict(version=version, like=like, like_version=like_version)
        if key in self.models or of is None:
            with pytest.raises((modelhub_sql.ModelExistsError, modelhub_sql.ModelNotFoundError)):
                self.hub.register(name, **given)
            return
        self.hub.register(name, **given)
        self.put(key, self.models[of]["dataset"], None)

    @rule(client=clients, name=names, version=versions)
    def remove(self, client: str, name: str, version: str | None) -> None:
        gone = [key for key in self.models if key[0] == name and version in (None, key[1])]
        if not gone:
            with pytest.raises((modelhub_sql.ModelNotFoundError, Refused), match="no model is called"):
                self.hub.remove(name, version) if client == "python" else self.by(client, "remove", name, version=version)
            return
        if client == "python":
            assert self.hub.remove(name, version) == sorted(gone)
        else:
            self.by(client, "remove", name, version=version)
        for key in gone:
            del self.models[key]

    @rule(name=names, version=versions, seed=st.integers(0, 99), rows=st.sampled_from([1, 3, 10, 20, 47]))
    def append(self, name: str, version: str | None, seed: int, rows: int) -> None:
        of, table = self.latest(name, version), rows_of(seed, rows)
        if of is None:
            with pytest.raises(modelhub_sql.ModelNotFoundError):
                self.hub.append(name, table, version=version)
            return
        total = self.hub.append(name, table, version=version)
        self.models[of]["dataset"].append(table)
        assert total == self.models[of]["dataset"].told()[0]

    @rule(name=names, version=versions, accuracy=accuracies)
    def update(self, name: str, version: str | None, accuracy: float) -> None:
        of = self.latest(name, version)
        if of is None:
            with pytest.raises(modelhub_sql.ModelNotFoundError):
                self.hub.update(name, version=version, accuracy=accuracy)
            return
        self.hub.update(name, version=version, accuracy=accuracy)
        self.models[of]["accuracy"] = accuracy

    @rule(
        chosen=st.dictionaries(names, files, min_size=1, max_size=2),
        accuracy=st.none() | accuracies,
        remove=st.booleans(),
        dry_run=st.booleans(),
    )
    def sync(self, chosen: dict[str, str], accuracy: float | None, remove: bool, dry_run: bool) -> None:
        told = {} if accuracy is None else {"accuracy": accuracy}
        manifest = [{"name": name, "dataset": self.file(file), **told} for name, file in chosen.items()]
        actions = {
            (row["model"], row["version"]): row["action"]
            for row in self.hub.sync(manifest, remove=remove, dry_run=dry_run).dicts()
        }
        assert actions.keys() == {(name, "") for name in chosen} | self.models.keys()
        sketched: dict[str, Dataset] = {}
        # What is the same, and has no rows appended, is shared by what is new.
        for name, file in chosen.items():
            if actions[name, ""] == "same" and not self.models[name, ""]["dataset"].appended:
                sketched[file] = self.models[name, ""]["dataset"]
        for name, file in chosen.items():
            key = (name, "")
            before, action = self.models.get(key), actions[key]
            if before is None:
                assert action == "new"
            elif before["dataset"].file != file:
                assert action == "changed"
            else:
                assert action == ("same" if accuracy in (None, before["accuracy"]) else "updated")
            if dry_run:
                continue
            if action in ("new", "changed"):
                dataset = sketched.setdefault(file, Dataset(file, self.tables[file]))
                self.put(key, dataset, accuracy if accuracy is not None or before is None else before["accuracy"])
            elif action == "updated":
                self.models[key]["accuracy"] = accuracy
        for key in actions.keys() - {(name, "") for name in chosen}:
            assert actions[key] == "gone"
            if remove and not dry_run:
                del self.models[key]

    @rule(models=st.sampled_from([[], ["water"], ["w*"]]), replace=st.booleans())
    def import_hub(self, models: list[str], replace: bool) -> None:
        actions = {
            (row["model"], row["version"]): row["action"]
            for row in self.hub.import_hub(self.folder / "other.duckdb", models=models, replace=replace).dicts()
        }
        there = {("wine", ""): ("d", 0.75), ("water", ""): ("a", None), ("water", "2"): ("a", None)}
        assert actions.keys() == {key for key in there if models != ["water"] or key[0] == "water"}
        taken: dict[str, Dataset] = {}
        for key, action in actions.items():
            file, accuracy = there[key]
            before = self.models.get(key)
            same = (
                before is not None
                and before["accuracy"] == accuracy
                and before["dataset"].told() == Dataset(file, self.tables[file]).told()
            )
            assert action == ("new" if before is None else "same" if same else "replaced" if replace else "clash")
            if action in ("new", "replaced"):
                self.put(key, taken.setdefault(file, Dataset(file, self.tables[file])), accuracy)

    @rule()
    def upgrade(self) -> None:
        self.hub.upgrade()

    @rule()
    def reopen(self) -> None:
        self.hub.close()
        self.hub = modelhub_sql.connect(self.folder / "hub.duckdb")

    @precondition(lambda self: self.models)
    @rule(file=files)
    def find(self, file: str) -> None:
        """A model whose data are the target is not farther than any other."""
        found = self.hub.find_models(self.file(file), all_models=True).dicts()
        assert {(row["model"], row["version"]) for row in found} == self.models.keys()
        nearest = min(row["distance"] for row in found)
        for row in found:
            dataset = self.models[row["model"], row["version"]]["dataset"]
            if dataset.file == file and not dataset.appended:
                assert row["distance"] == pytest.approx(nearest, abs=1e-9) == pytest.approx(0, abs=1e-9)

    @invariant()
    def holds_what_it_should(self) -> None:
        if not hasattr(self, "hub"):
            return
        found = self.hub.sql(
            "SELECT model, version, source_accuracy, m.dataset_id, rows, list_sort(counts) FROM models AS m "
            "JOIN datasets USING (dataset_id) JOIN features AS f ON f.dataset_id = m.dataset_id AND f.feature = 'word'"
        ).fetchall()
        assert {(model, version): (accuracy, rows, counts) for model, version, accuracy, _, rows, counts in found} == {
            key: (each["accuracy"], *each["dataset"].told()) for key, each in self.models.items()
        }
        shared = {(row[0], row[1]): row[3] for row in found}
        for a in self.models:
            for b in self.models:
                assert (shared[a] == shared[b]) == (self.models[a]["dataset"] is self.models[b]["dataset"])
        assert self.hub.sql("SELECT count(*) FROM datasets").fetchall() == [(len(set(shared.values())),)]
        small = self.hub.sql(
            "SELECT dataset_id, min(list_sum(h.counts)) AS least, any_value(rows) AS rows FROM histograms AS h "
            "JOIN features AS f USING (dataset_id, feature_id) JOIN datasets USING (dataset_id) WHERE feature = 'x' "
            f"GROUP BY dataset_id HAVING least < least(rows, {SIZE} / 2)"
        ).fetchall()
        assert small == []


def run(examples: int, steps: int, derandomize: bool = False) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        Changes,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, derandomize=derandomize,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
        ),
    )  # fmt: skip


@pytest.mark.parametrize("client", ["command", "script"])
def test_the_command_and_sql_alone_change_a_hub_as_python_does(client: str) -> None:
    changes = Changes()
    changes.begin()
    for version, replace in ((None, False), ("1", False), ("1", False), ("1", True)):
        changes.register(client=client, name="a b", version=version, file="c" if replace else "b", accuracy=0.5, replace=replace)
        changes.holds_what_it_should()
    for name, version in (("wine", None), ("a b", "2"), ("a b", "1"), ("a b", None)):
        changes.remove(client=client, name=name, version=version)
        changes.holds_what_it_should()
    changes.teardown()


def test_changes_in_any_order_leave_what_they_should() -> None:
    run(examples=2, steps=8, derandomize=True)


@pytest.mark.long
def test_many_changes_in_any_order_leave_what_they_should() -> None:
    run(examples=60, steps=30)
