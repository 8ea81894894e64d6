"""The library: each verb checks, runs the SQL of its name, and returns."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import duckdb

from modelhub_sql import datasets, logic, searching, shared
from modelhub_sql.arguments import described
from modelhub_sql.datasets import fetched
from modelhub_sql.engine import Engine, in_turn, in_turn_late, names_of, plain
from modelhub_sql.errors import OptionError, translated
from modelhub_sql.opening import upgrade, upgrade_script
from modelhub_sql.registering import Registering, manifest_of
from modelhub_sql.result import Result, Sketch

__all__ = ["Hub", "connect"]

RankBy = Literal["distance", "adaptivity", "coverage", "js", "l2", "kl_target_source", "kl_source_target", "source_accuracy"]
Features = Literal["names", "values"]
SampleSpace = Literal["aligned", "flattened"]
Metric = Literal["accuracy", "f1", "r2"]
SearchMethod = Literal["auto", "exact", "lsh"]


def connect(
    path: str | os.PathLike[str] = ":memory:",
    *,
    read_only: bool = False,
    wait: float = 0,
    swap: bool = False,
    salt_file: str | os.PathLike[str] | None = None,
    **settings: Any,
) -> Hub:
    """Open the hub at ``path``, or make one where there is none.

    path: a file, ":memory:", the web address of a hub's file (https://...), which is fetched for as long as the hub is open
        and can only be searched, a PostgreSQL database (postgres://user@host/database), a DuckDB server (quack:host:port) or
        a DuckLake (ducklake:postgres:...), which many may change at once (extras ``postgres``, ``quack``, ``ducklake``).
        read_only: search only; any number of processes may.
    wait: so many seconds for another process to close the hub, where one of the two writes; in a database, to end its change.
    swap: change a copy, which takes the place of the file when the hub is closed: readers go on meanwhile, other writers are
        refused. Left by an error, or not closed, it changes nothing.
    salt_file: a file with the salt of the hub, which is not in the hub itself; by default the environment's MODELHUB_SALT_FILE,
        or the text of MODELHUB_SALT. A hub with a salt can be searched and changed without it where nothing is text.
    settings: of a new hub, see ``Settings``; for an existing hub they must be what it has.

    Raises HubNotFoundError (read_only, and no file), HubFormatError (not a hub, or of a newer
    format), HubAccessError (no permission, or a server that does not answer), HubLockedError (another process writes),
    SaltError and SettingsError.
    """
    if swap and read_only:
        raise OptionError("swap is for who changes the hub: leave read_only or swap out")
    if swap and isinstance(path, str):
        shared.must_be_a_file(path, "readers go on while it is changed anyway, so leave swap out")
    if swap and os.path.isfile(path):
        from modelhub_sql.swapping import SwappedHub

        return SwappedHub(path, wait=wait, salt_file=salt_file, **settings)
    return Hub(path, read_only=read_only, wait=wait, salt_file=salt_file, **settings)


class Hub(Engine):
    """A hub: sketches of training data, the models trained on them, and the search.

    A context manager; ``con`` is a DuckDB connection for statements of your own, where the hub's tables are views
    (``FROM models``) and ``find_models`` is a macro. The hub's verbs run on a connection apart, where nothing that you
    name there can be taken for theirs. Threads may share a hub: they take turns.
    """

    def __repr__(self) -> str:
        return f"Hub({self.path!r})"

    def _repr_html_(self) -> str:
        from modelhub_sql import notebook

        models = self.models()
        shown = ["model", "version", "source_accuracy", "task", "framework", "rows", "registered_at"]
        rows = [[row[name] for name in shown] for row in models.dicts()]
        return notebook.page(shown, rows, f"Hub {self.path}: {len(rows)} models")

    # -- register, remove ---------------------------------------------------------------

    @in_turn
    def register(
        self,
        name: str,
        dataset: Any = None,
        *,
        exclude: Sequence[str] = (),
        accuracy: float | None = None,
        accuracy_rows: int | None = None,
        version: str | None = None,
        task: str | None = None,
        framework: str | None = None,
        uri: str | os.PathLike[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        like: str | None = None,
        like_version: str | None = None,
        source: str | None = None,
        hide_excluded: bool = False,
        replace: bool = False,
        read: Mapping[str, Any] | None = None,
    ) -> None:
        """Register a model by the data that it was trained on. One transaction: all or nothing.

        name: what the model is called.
        dataset: a file or glob (parquet, csv, json), a list of files, a table or view of the hub's connection, or an Arrow
            table or stream, pandas or polars DataFrame, numpy matrix (rows x features), Hugging Face dataset, dict of columns,
            list of dicts or DuckDB relation. Only a sketch is kept.
        exclude: columns to leave out of the sketch (label, id): a column of a struct by its path (buyer.age), a pattern
            (*_id), or a name that may be absent (label?).
        accuracy: on the source dataset, in [0, 1].
        accuracy_rows: rows that it was measured on, by default as many as the dataset has.
        version: of the model; a version may be registered once.
        task: what the model does.
        framework: what the model runs on.
        uri: where the model is.
        metadata: anything else that JSON can hold.
        like: instead of a dataset, a registered model that was trained on the same data.
        like_version: which version of it, by default the latest.
        source: what the hub is to say of where the data are from; by default the file's name, without its folders.
        hide_excluded: do not keep the names of the excluded columns; in a target that has them they count as not shared.
        replace: allow the name and version to be registered already, and replace them, outcomes too.
        read: options of DuckDB's reader of files, as delim, encoding, nullstr of a csv.

        Raises DatasetError, ModelExistsError, ModelNotFoundError (``like``), OptionError.
        """
        given = {name: value for name, value in locals().items() if name != "self"}
        with self._transaction():
            Registering(self).one(given)
        self._registered += 1

    @in_turn
    def register_many(self, models: Any, *, progress: bool = False) -> int:
        """Register many models in one transaction; returns how many.

        models: mappings with the arguments of ``register``, or a manifest: a file, table or
            DataFrame with columns of those names (at least ``name`` and ``dataset`` or
            ``like``). Paths and globs in a manifest file are relative to it; what a csv says is
            text, version 1.10 too. Models of the same dataset and exclusions share its sketch.
        progress: show a progress bar on stderr.
        """
        from modelhub_sql.rendering import tracked

        count = 0
        with self._transaction():
            registering = Registering(self)
            for row in tracked(manifest_of(self, models), "Registering", progress):
                registering.add(row)
                count += 1
            registering.finish()
        self._registered += count
        return count

    @in_turn
    def append(self, name: str, dataset: Any, *, version: str | None = None, read: Mapping[str, Any] | None = None) -> int:
        """Add new rows to the dataset that a model was trained on; returns the rows that it has now. One transaction.

        name: of a registered model. Every model that shares its dataset is meant.
        dataset, read: the new rows, as of ``register``; what was excluded is excluded. The old rows are not needed.
        version: of the model; by default the latest.

        New rows are counted in the bins of the old; a column that is new, or is missing now, is missing in the other rows.
        Raises ModelNotFoundError, and DatasetError where a column is of another kind than it was.
        """
        from modelhub_sql import merging

        with self._transaction():
            total = merging.append(self, name, version, dataset, read)
        self._registered += 1
        return total

    @in_turn
    def remove(self, name: str, version: str | None = None, *, dry_run: bool = False) -> list[tuple[str, str]]:
        """Remove a model, its outcomes, and the sketch that no model is left to use; returns what was removed, model and version.

        name: of a model, or a pattern (beer*) where no model is called so.
        version: only this one; by default all.
        dry_run: remove nothing, say what would be.

        One transaction. Raises ModelNotFoundError.
        """
        from modelhub_sql import keeping

        found = keeping.matching(self, name, version)
        if not dry_run:
            with self._transaction():
                for model, its_version in found:
                    self._run_verb("remove", model=model, version=its_version)
        return found

    @in_turn
    def update(
        self,
        name: str,
        *,
        version: str | None = None,
        accuracy: float | None = None,
        accuracy_rows: int | None = None,
        task: str | None = None,
        framework: str | None = None,
        uri: str | os.PathLike[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Change what is known of a model; what is not given stays, and so does its sketch.

        name: of a registered model.
        version: of the model; by default the latest.
        accuracy: on the source dataset, in [0, 1].
        accuracy_rows: rows that it was measured on.
        task: what the model does.
        framework: what the model runs on.
        uri: where the model is.
        metadata: anything else that JSON can hold.

        Raises ModelNotFoundError and OptionError.
        """
        given = {name: value for name, value in locals().items() if name not in ("self", "name", "version")}
        from modelhub_sql import keeping

        with self._transaction():
            keeping.update(self, name, version, given)

    @in_turn
    def alias(self, name: str, alias: str, *, version: str | None = None, remove: bool = False) -> str | None:
        """Give an alias (champion) to a version of a model, which no other version of it has then; returns the version.

        name: of a registered model.
        alias: a word. Wherever a version is asked for, @champion is the version that has it.
        version: of the model; by default the latest.
        remove: take the alias away instead, whichever version has it.

        It is kept in the metadata, as ``aliases``. Raises ModelNotFoundError and OptionError.
        """
        from modelhub_sql import keeping

        with self._transaction():
            return keeping.alias(self, name, alias, version, remove)

    @in_turn
    def sync(
        self,
        /,
        models: Any,
        *,
        exclude: Sequence[str] | None = None,
        remove: bool = False,
        dry_run: bool = False,
        progress: bool = False,
        **defaults: Any,
    ) -> Result:
        """Bring the hub in line with a manifest: a row for each model, what was done with it (``action``) and why.

        models: a manifest, as of ``register_many``.
        exclude: columns to leave out of each dataset whose row of the manifest has no exclude.
        remove: remove models of the hub that the manifest does not have; by default they are listed as gone and stay.
        dry_run: change nothing, say what would be.
        progress: show a progress bar on stderr.
        defaults: of other arguments of ``register``, as task, for rows that do not have them.

        A model is *new*; *changed*, its data is another, is newer than its sketch or excludes other columns (sketched again);
        *updated*, only what is known of it (accuracy, task ...) is another; *same*; or *gone*. One transaction. The result's
        ``summary`` counts them. Raises OptionError with the errors of all rows.
        """
        from modelhub_sql import keeping

        unknown = [name for name in defaults if name not in described(Hub.register) or name in ("name", "dataset", "like")]
        if unknown:
            raise OptionError(f"no default is called {unknown[0]!r}: defaults are arguments of register")
        given = defaults if exclude is None else {**defaults, "exclude": names_of(exclude)}
        return keeping.sync(self, models, given, remove, dry_run, progress)

    @in_turn
    def export(self, name: str, path: str | os.PathLike[str], *, version: str | None = None) -> str:
        """Write the sketch of a model's dataset to a sketch file, which is taken wherever a dataset is; returns its path.

        name: of a registered model.
        path: must end in .sketch.parquet.
        version: of the model; by default the latest.

        Raises ModelNotFoundError.
        """
        return self.sketch_of(name, version=version).save(path)

    @in_turn
    def sketch_of(self, name: str, *, version: str | None = None) -> Sketch:
        """The sketch of the data of a registered model, which is taken wherever a dataset is: as a target, say.

        name, version: as of ``export``. Raises ModelNotFoundError.
        """
        from modelhub_sql import exchange

        return exchange.exported(self, name, version)

    @in_turn
    def import_hub(
        self, other: str | os.PathLike[str], *, models: Sequence[str] = (), replace: bool = False, dry_run: bool = False
    ) -> Result:
        """Take over models of another hub, with their sketches: a row for each, what was done (``action``) and why.

        other: a hub of the same format, seed and salt. Nothing of it but its tables is read.
        models: names or patterns (beer*); by default all.
        replace: take also those whose name and version are registered here with something else; by default they are left.
        dry_run: change nothing, say what would be.

        One transaction. Raises HubFormatError and ModelNotFoundError.
        """
        from modelhub_sql import exchange

        with self._transaction():
            result = exchange.import_hub(self, other, names_of(models), replace, dry_run)
        self._registered += sum(action in ("new", "replaced") for _, _, action, _ in result.fetchall()) if not dry_run else 0
        return result

    @in_turn
    def set(
        self,
        *,
        features: Features | None = None,
        min_overlap: float | None = None,
        min_jaccard: float | None = None,
        max_js: float | Literal["auto"] | None = None,
        min_adaptivity: float | None = None,
        sample_space: SampleSpace | None = None,
        rank_by: RankBy | None = None,
        search: SearchMethod | None = None,
        auto_models: float | None = None,
        max_candidates: int | None = None,
    ) -> None:
        """Change what a search does unless it is told otherwise; what is not given stays (``FROM settings``).

        Arguments as of ``find_models``, and
        auto_models: about how many models an automatic max_js lets match.
        max_candidates: datasets, nearest first, whose partitions are compared.

        Raises OptionError.
        """
        given = {name: value for name, value in locals().items() if name != "self"}
        with self._transaction():
            self._run_verb("set", **{name: plain(value) for name, value in given.items()})

    @in_turn
    def upgrade(self) -> bool:
        """Bring the logic that the file carries, for clients without this package, to this version's; whether it was another.

        Searching from Python does not need it. One transaction.
        """
        self._must_be_a_file()
        try:
            return upgrade(self._own, self._place)
        except duckdb.Error as error:
            raise translated(error) from error

    def upgrade_script(self) -> str:
        """What ``upgrade`` does, as a script that any DuckDB client can run in the hub."""
        self._must_be_a_file()
        with self._lock:
            return upgrade_script(self._own, self._place)

    def _must_be_a_file(self) -> None:
        shared.must_be_a_file(self.path, "it carries no logic for other clients, so there is nothing to upgrade")

    # -- search -----------------------------------------------------------------------

    def find_models(
        self,
        target: Any,
        *,
        exclude: Sequence[str] = (),
        top: int | None = None,
        all_models: bool = False,
        details: bool = False,
        task: str | None = None,
        framework: str | None = None,
        latest: bool = False,
        where: str | None = None,
        features: Features | None = None,
        min_overlap: float | None = None,
        min_jaccard: float | None = None,
        max_js: float | Literal["auto"] | None = None,
        min_adaptivity: float | None = None,
        max_divergence: float | None = None,
        sample_space: SampleSpace | None = None,
        rank_by: RankBy | None = None,
        search: SearchMethod | None = None,
        max_candidates: int | None = None,
        read: Mapping[str, Any] | None = None,
    ) -> Result:
        """The models related to a target, best first: ``FROM find_models(target, ...)``.

        target: as ``dataset`` of ``register``; nothing of it is stored.
        exclude: columns to leave out (label, id).
        top: at most so many models.
        all_models: ranked by distance, list those whose verdict is far, too; by default only the nearest where all are.
        details: compare partitions, too, and show all columns; so does any option that says how they are compared.
        task: search only models of this task.
        framework: search only models of this framework.
        latest: search only the latest version of each model.
        where: search only models for which this holds, SQL over the columns of ``models()`` (source_accuracy > 0.9).
        features: names (features of one name are compared, others where they are alike) or values (Def. 3 to the letter).
        min_overlap: share of the target's features that a model must have, t1 (Def. 3), in [0, 1].
        min_jaccard: features of different names are the same above this similarity, t2 (Def. 3), in [0, 1].
        max_js: two partitions match up to this JS divergence, t (Def. 2), in (0, ln 2], or auto.
        min_adaptivity: least adaptivity of a model, t_adaptivity (Def. 4), 0 or above.
        max_divergence: greatest JS divergence of a model's whole dataset, 0 or above.
        sample_space: feature by feature (aligned), or all in one (flattened).
        rank_by: what decides the order.
        search: how partitions are compared.
        max_candidates: datasets, nearest first, that are candidates; at least top. Of five times as many, those of an estimate,
            features of other names are compared where there are more; a greater one compares more.
        read: options of DuckDB's reader of files, as of ``register``.

        Each option is the hub's default where it is not given. No model above the thresholds: no rows. The answer in a
        sentence is the result's ``summary``. Warns where a given max_js is too close to sampling noise.
        Raises DatasetError and OptionError.
        """
        options = {name: value for name, value in locals().items() if name not in ("self", "target", "exclude", "read")}
        result = self._search("found_model", target, exclude=exclude, options=options, also="search_summary", read=read)
        if "warning" in result.columns:
            for message in dict.fromkeys(row["warning"] for row in result.dicts() if row["warning"]):
                warnings.warn(message, stacklevel=2)
        return result

    def try_models(
        self,
        target: Any,
        *,
        label: str,
        top: int = 5,
        rows: int = 50,
        exclude: Sequence[str] = (),
        metric: Metric | None = None,
        timeout: float = 60,
        safe: bool = False,
        record: bool = False,
        load: Callable[[dict[str, Any]], Any] | None = None,
        read: Mapping[str, Any] | None = None,
    ) -> Result:
        """The first models of a search loaded, run on labelled rows of the target and measured, the best first.

        Loading a model runs the code that is in it, unless its format is onnx or skops (``safe``).

        target, exclude, read: as of ``find_models``.
        label: the column to predict; rows where it is missing are not used to measure.
        top: models, the first of the search, that are tried.
        rows: labelled rows that they are run on, drawn at random.
        metric: what is measured; by default accuracy, and r2 where the label is a measured number.
        timeout: seconds that a model may take to be loaded and run, each in a process of its own.
        safe: only formats that run no code, onnx and skops.
        record: keep what was measured in the hub, as ``record`` does.
        load: instead of the uri, a function of the model (a row of ``find_models``) that returns what has ``predict``, or a
            function of a pandas DataFrame.

        A model's uri names a file (.onnx, .skops, .joblib, .pkl), a folder with one, or an MLflow model. Returns a row for each
        model: score, the interval (low, high) that holds the score of all rows 95 times of 100, and what the search said; where
        it could not be run, the problem. The ``summary`` says which is best, and about how many rows would tell it from the
        second. Raises DatasetError, OptionError and ExtraError.
        """
        from modelhub_sql import trying

        given = {name: value for name, value in locals().items() if name not in ("self", "trying", "target")}
        return trying.try_models(self, target, **given)

    def find_for_each(
        self,
        targets: Mapping[str, Any] | Sequence[Any],
        *,
        exclude: Sequence[str] = (),
        top: int | None = 3,
        task: str | None = None,
        framework: str | None = None,
        latest: bool = False,
        where: str | None = None,
        features: Features | None = None,
        min_overlap: float | None = None,
        rank_by: RankBy | None = None,
        read: Mapping[str, Any] | None = None,
    ) -> Result:
        """The models that fit each of many targets: the rows of ``find_models``, with a column ``target`` before them.

        targets: data by names, or a list: each is called by its path, or by its position.
        top: at most so many models of each.
        exclude, task, framework, latest, where, features, min_overlap, rank_by, read: as of ``find_models``.

        Data that is registered is a target, too: ``hub.find_for_each({"shop 7": hub.sketch_of("shop 7")})``. Warns of a target
        that can't be read, which is left out. Raises DatasetError where none can, and OptionError.
        """
        from modelhub_sql.batch import found_for_each

        options = {name: value for name, value in locals().items() if name not in ("self", "targets", "found_for_each")}
        return found_for_each(self, targets, options)

    def record(
        self,
        model: str,
        target: Any,
        score: float,
        *,
        metric: Metric = "accuracy",
        rows: int | None = None,
        version: str | None = None,
        exclude: Sequence[str] = (),
        source: str | None = None,
        read: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep in the hub what a model did on a target, beside what the search says of the two (``FROM outcomes``).

        model: name of a registered model.
        target, exclude, read: as of ``find_models``; a sketch file will do. No row of it is kept.
        score: what was measured, the accuracy in [0, 1] or the value of another metric.
        metric: what was measured.
        rows: labelled rows of the target that it was measured on.
        version: of the model; by default the latest.
        source: what the hub is to say of where the target is from; by default the file's name, without its folders.

        Once three targets are measured with models of a verdict whose own accuracy is known, searches say what that verdict cost
        here (``FROM calibration``); no verdict or rank changes by it. The same recorded again replaces what was recorded. One
        transaction. Raises ModelNotFoundError, DatasetError, OptionError and HubReadOnlyError.
        """
        from modelhub_sql import outcomes

        given = {name: value for name, value in locals().items() if name not in ("self", "outcomes", "model", "target", "score")}
        outcomes.record(self, model, target, score, **given)

    @in_turn_late
    def outcomes(self) -> Result:
        """What was measured of models on targets (``record``, ``try_models``), the latest first.

        lost: the model's own accuracy less that on the target. The ``summary`` says what verdicts cost in this hub.
        """
        from modelhub_sql import outcomes

        return outcomes.listed(self)

    def find_datasets(
        self,
        target: Any,
        *,
        exclude: Sequence[str] = (),
        top: int | None = None,
        features: Features | None = None,
        min_overlap: float | None = None,
        min_jaccard: float | None = None,
        max_divergence: float | None = None,
        read: Mapping[str, Any] | None = None,
    ) -> Result:
        """The datasets of the hub that are like a target, nearest first: ``FROM find_datasets(target, ...)``.

        target, exclude, features, min_overlap, min_jaccard, max_divergence, read: as of ``find_models``.
        top: at most so many datasets.

        Only the data is looked at: which of our tables is like this one? Returns a row for each dataset that shares features
        with the target: verdict, distance, overlap, and the models that were trained on it.
        Raises DatasetError and OptionError.
        """
        options = dict(
            top=top, features=features, min_overlap=min_overlap, min_jaccard=min_jaccard, max_divergence=max_divergence
        )
        return self._search("found_dataset", target, exclude=exclude, options=options, read=read)

    @in_turn
    def dataset_pairs(self) -> Result:
        """All datasets of the hub against all, nearest first: ``FROM dataset_pairs``.

        A row for each two that share features of one name: how far the second (``dataset``) is, as a whole, from the first as
        the target; so there is a row for each direction. A distance is as ``find_models`` measures it, except that a feature
        of another name counts as missing, however alike it is.
        """
        try:
            # It lays the view.
            _ = self.con
            return self._result(
                f"FROM {self._place.logic}.main.dataset_pairs ORDER BY distance ASC, target_id ASC, dataset_id ASC"
            )
        except duckdb.Error as error:
            raise translated(error, hub=self.path) from error

    def explain(
        self,
        model: str,
        target: Any,
        *,
        version: str | None = None,
        exclude: Sequence[str] = (),
        features: Features | None = None,
        min_jaccard: float | None = None,
        details: bool = False,
        read: Mapping[str, Any] | None = None,
    ) -> Result:
        """Why a model fits a target: ``FROM explain_features(model, target, ...)``.

        model: name of a registered model.
        version: of the model; by default the latest.
        target, exclude, features, min_jaccard, read: as of ``find_models``.
        details: numbers unrounded, and how each feature was matched, its values, its missing values.

        After a search of the same target it is not sketched again. Returns a row for each feature of the target: what it was
        compared with, by name or by values, how far apart they are, both ranges, and the reason where it was not compared or
        differs. ``explain_model`` tells the model's rank or what dropped it, ``explain_partitions`` how many source
        partitions match each partition of the target.
        Raises ModelNotFoundError, DatasetError and OptionError.
        """
        with self._lock:
            result = self._search(
                "explained_feature",
                target,
                exclude=exclude,
                options=dict(features=features, min_jaccard=min_jaccard, details=details),
                explained=(model, version),
                read=read,
            )
            result.about = model if version is None else f"{model} {version}"
            if self._numpy:
                result.histograms = self._both_sides()
                result.compared = self._result("FROM temp.main.explained_feature").dicts()
        return result

    def compare(
        self,
        model: str,
        other: str,
        target: Any,
        *,
        version: str | None = None,
        other_version: str | None = None,
        exclude: Sequence[str] = (),
        features: Features | None = None,
        min_jaccard: float | None = None,
        read: Mapping[str, Any] | None = None,
    ) -> Result:
        """Two models side by side: ``FROM compare(model, other, target, ...)``.

        model, other: names of registered models.
        version: of the model; by default the latest.
        other_version: of the other; by default the latest.
        target, exclude, features, min_jaccard, read: as of ``find_models``.

        Returns a row for each feature of the target: which model's data is nearer there, both distances, all three ranges and
        reasons; where they differ most comes first. The result's ``summary`` says which is nearer as a whole.
        Raises ModelNotFoundError, DatasetError and OptionError.
        """
        return self._search(
            "compared_model",
            target,
            exclude=exclude,
            options=dict(features=features, min_jaccard=min_jaccard),
            explained=(model, version, other, other_version),
            also="compared_model",
            read=read,
        )

    def explain_model(
        self,
        model: str,
        target: Any,
        *,
        version: str | None = None,
        exclude: Sequence[str] = (),
        top: int | None = None,
        all_models: bool = False,
        task: str | None = None,
        framework: str | None = None,
        latest: bool = False,
        where: str | None = None,
        features: Features | None = None,
        min_overlap: float | None = None,
        min_jaccard: float | None = None,
        max_js: float | Literal["auto"] | None = None,
        min_adaptivity: float | None = None,
        max_divergence: float | None = None,
        sample_space: SampleSpace | None = None,
        rank_by: RankBy | None = None,
        search: SearchMethod | None = None,
        max_candidates: int | None = None,
        read: Mapping[str, Any] | None = None,
    ) -> Result:
        """The model as ``find_models`` judges it: ``FROM explain_model(model, target, ...)``.

        Arguments as of ``explain`` and ``find_models``. Returns one row: its rank and verdict, or which rule dropped it and by
        how much. Raises ModelNotFoundError, DatasetError and OptionError.
        """
        given = ("self", "model", "target", "version", "exclude", "read")
        options = {name: value for name, value in locals().items() if name not in (*given, "given")} | {"details": True}
        return self._search("explained_model", target, exclude=exclude, options=options, explained=(model, version), read=read)

    def explain_partitions(
        self,
        model: str,
        target: Any,
        *,
        version: str | None = None,
        exclude: Sequence[str] = (),
        features: Features | None = None,
        min_overlap: float | None = None,
        min_jaccard: float | None = None,
        max_js: float | Literal["auto"] | None = None,
        sample_space: SampleSpace | None = None,
        search: SearchMethod | None = None,
        max_candidates: int | None = None,
        read: Mapping[str, Any] | None = None,
    ) -> Result:
        """What covers a target: ``FROM explain_partitions(model, target, ...)``.

        Arguments as of ``explain`` and ``find_models``.

        Returns a row for each partition of the target: how many partitions of the model's
        dataset match it. Raises ModelNotFoundError, DatasetError and OptionError.
        """
        options = dict(
            features=features, min_overlap=min_overlap, min_jaccard=min_jaccard, max_js=max_js, sample_space=sample_space,
            search=search, max_candidates=max_candidates, details=True,
        )  # fmt: skip
        return self._search(
            "explained_partition", target, exclude=exclude, options=options, explained=(model, version), read=read
        )

    @in_turn
    def sketch(
        self,
        dataset: Any,
        *,
        exclude: Sequence[str] = (),
        hide_excluded: bool = False,
        read: Mapping[str, Any] | None = None,
    ) -> Sketch:
        """The sketch of a dataset, in the hub's format: all that a hub keeps of it. Nothing is stored.

        dataset, exclude, read: as of ``register``.
        hide_excluded: do not keep the names of the excluded columns.

        Returns a row for each feature; ``save`` writes a sketch file, which is
        taken wherever a dataset is. Raises DatasetError.
        """
        self._sketch(dataset, names_of(exclude), read)
        self._own.execute("FROM temp.main.target_sketch ORDER BY feature_id ASC")
        made = Sketch(self._con, fetched(self._own))
        return made.without_excluded_names() if hide_excluded else made

    @in_turn
    def columns_of(self, dataset: Any, *, read: Mapping[str, Any] | None = None) -> list[str]:
        """The columns of a dataset as ``exclude`` knows them: of a struct, its leaves by their path.

        dataset, read: as of ``register``. Raises DatasetError.
        """
        with self._dataset(dataset, read=read) as (_, layout):
            return [name for name, *_ in layout.columns]

    @in_turn
    def merge(self, sketches: Sequence[Sketch | str | os.PathLike[str]]) -> Sketch:
        """The sketch of a dataset from those of its parts, each of other rows. Nothing is stored.

        sketches: of this hub's format, or sketch files. What is counted of the whole (histograms, signatures, missing values) is
        what all rows together give, at the coarsest resolution that a part has; the partitions are those of the parts.

        Raises DatasetError where they are no parts of one dataset.
        """
        from modelhub_sql import merging

        return merging.merge(self, sketches)

    @in_turn
    def check(self, dataset: Any, *, exclude: Sequence[str] = (), read: Mapping[str, Any] | None = None) -> Result:
        """What of a dataset says nothing, before it is registered: a row for each column that is left out or should be.

        dataset, exclude, read: as of ``register``; nothing is stored.

        Keys, constants, columns that can't be compared, and names that most datasets of the hub exclude; the result's
        ``summary`` is the exclude to paste. Raises DatasetError.
        """
        from modelhub_sql import check

        return check.as_result(self, check.findings(self, dataset, exclude, read))

    def report(self, target: Any, path: str | os.PathLike[str], *, exclude: Sequence[str] = (), **options: Any) -> str:
        """Write a report on a target, one HTML file that opens without a network; returns its path. Extra ``plots``.

        target, exclude, options: as of ``find_models``.
        path: must end in .html. A file that is there already is replaced when the new one is whole.

        The answer in a sentence, the ranking, why each of the first five fits and why others are not listed, pictures, and
        what was left out. Raises DatasetError and OptionError.
        """
        from modelhub_sql import report

        return report.write(self, target, os.fspath(path), exclude=exclude, **options)

    @in_turn
    def page(self, output: str | os.PathLike[str], *, engine: str | os.PathLike[str] | None = None) -> str:
        """Write a page for the browser, a folder that any web server serves: who drops a table there sees what fits it.

        output: a folder that is not there yet, is empty, or holds an earlier page, which is replaced.
        engine: a page made elsewhere whose copy of DuckDB-Wasm is taken; without it npm is needed once (extra ``page``).

        Returns the folder. The page has the hub's tables and this package's logic; a dropped table stays in the browser.
        Raises OptionError, ExtraError and HubError.
        """
        from modelhub_sql import page

        return page.write(self, output, engine=engine)

    @in_turn
    def verify(self) -> Result:
        """What is wrong with the hub: a row for each fault, none where it is whole. Each block in use is read.

        What is stored in two ways is compared: partitions and whole, features and datasets, formats, hash functions.
        """
        from modelhub_sql import upkeep

        return upkeep.as_result(self, upkeep.faults(self))

    @in_turn
    def privacy(self) -> Result:
        """What whoever has the hub can learn of the training data: small partitions, values of few rows, words to be guessed.

        A row for each dataset or feature and kind; ``docs/privacy.md`` says what can be done.
        """
        from modelhub_sql import privacy

        return privacy.disclosed(self)

    def backup(self, output: str | os.PathLike[str], *, replace: bool = False) -> int:
        """Copy the hub to a file, with all that is committed; returns its bytes. The copy is verified.

        output: a new file.
        replace: take the place of an earlier copy there, once the new one is whole.

        Raises OptionError where there is a file already that is not to be replaced, and HubError: a damaged hub is not copied.
        """
        from modelhub_sql import upkeep

        return upkeep.backup(self.path, os.fspath(output), replace)

    @in_turn
    def steps(
        self,
        /,
        target: Any,
        *,
        exclude: Sequence[str] = (),
        until: str = "found_model",
        top: int | None = None,
        all_models: bool = False,
        details: bool = True,
        task: str | None = None,
        framework: str | None = None,
        latest: bool = False,
        where: str | None = None,
        features: Features | None = None,
        min_overlap: float | None = None,
        min_jaccard: float | None = None,
        max_js: float | Literal["auto"] | None = None,
        min_adaptivity: float | None = None,
        max_divergence: float | None = None,
        sample_space: SampleSpace | None = None,
        rank_by: RankBy | None = None,
        search: SearchMethod | None = None,
        max_candidates: int | None = None,
        read: Mapping[str, Any] | None = None,
    ) -> Result:
        """A search step by step: a row for each relation of ``sql/search``, with its rows and seconds.

        Arguments as of ``find_models``, with its details unless they are not wanted, and
        until: the last relation.

        Each can be looked at by ``step`` until the next search.
        """
        options = {name: value for name, value in locals().items() if name not in ("self", "target", "exclude", "until", "read")}
        taken: list[searching.Step] = []
        if until not in logic.relations("search"):
            raise OptionError(f"no step is called {until!r}; there are {', '.join(logic.relations('search'))}")
        with self._lock:
            self._search(until, target, exclude=exclude, options=options, read=read, taken=taken)
            self._own.execute(
                "CREATE OR REPLACE TEMP TABLE taken (step VARCHAR, rows UBIGINT, seconds DOUBLE, what_a_row_is VARCHAR)"
            )
            self._own.executemany("INSERT INTO taken VALUES (?, ?, ?, ?)", taken)
            return self._result("FROM taken")

    @in_turn
    def step(self, name: str) -> Result:
        """The rows of a step of the last ``steps``."""
        known = {*searching.HEADS, *logic.relations("search")}
        if name not in known:
            raise OptionError(f"no step is called {name!r}; there are {', '.join(sorted(known))}")
        if name not in self._taken:
            raise OptionError(f"the step {name} was not taken: call steps first")
        return self._result(f"FROM temp.main.{name}")

    @in_turn_late
    def models(
        self, *, task: str | None = None, framework: str | None = None, latest: bool = False, where: str | None = None
    ) -> Result:
        """The registered models: ``FROM list_models``.

        task, framework, latest, where: as of ``find_models``; by default all are listed.

        Raises OptionError.
        """
        self._check_process()
        query = f"FROM {self._place.logic}.main.list_models"
        if task is None and framework is None and not latest and where is None:
            return self._result(query)
        self._choose(task, framework, latest, where)
        return self._result(f"{query} SEMI JOIN temp.main.searched USING (model, version) ORDER BY model ASC, version ASC")

    @in_turn_late
    def show(self, name: str, *, version: str | None = None) -> Result:
        """The features of the dataset of a model; what is known of the model is the result's ``summary``.

        name: of a registered model. version: by default the latest. Raises ModelNotFoundError.
        """
        from modelhub_sql import keeping

        return keeping.shown(self, name, version)

    @in_turn_late
    def datasets(self) -> Result:
        """The sketched datasets, and the models that were trained on each."""
        from modelhub_sql import keeping

        return keeping.datasets_of(self)

    @in_turn
    def sql(self, query: str, params: Sequence[Any] | Mapping[str, Any] | None = None) -> Any:
        """Run any statement on ``con``; returns its rows, where it has any, or None."""
        try:
            if [statement.type for statement in self.con.extract_statements(query)] == [duckdb.StatementType.SELECT]:
                self.con.execute(query, params)
                return Result(self.con, fetched(self.con))
            result = self.con.sql(query, params=params) if params else self.con.sql(query)
            return None if result is None else Result(self.con, datasets.arrow(result))
        except duckdb.ConstraintException:
            # Of a table of the user's own, whatever its columns are called.
            raise
        except duckdb.Error as error:
            raise translated(error) from error
