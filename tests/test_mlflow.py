"""Models of an MLflow registry come into a hub by their training data, with a real store and real models."""

from __future__ import annotations

import json
import logging
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest
from click.testing import CliRunner
from conftest import data

import modelhub_sql
from modelhub_sql import OptionError
from modelhub_sql.cli import main

mlflow = pytest.importorskip("mlflow", reason="the extra mlflow is not installed")
pytest.importorskip("sqlalchemy", reason="MLflow can't open a database without sqlalchemy and alembic")

NUMBERS = ["age", "education_num", "hours_per_week"]


class Store(NamedTuple):
    uri: str
    folder: Path

    def run(self, dataset: str | None, context: str = "training", **told: Any) -> Any:
        """A run that logs a dataset of that file, metrics and parameters."""
        client = mlflow.MlflowClient(tracking_uri=self.uri)
        with mlflow.start_run() as run:
            if dataset is not None:
                frame = duckdb.read_parquet(dataset).df()
                mlflow.log_input(mlflow.data.from_pandas(frame, source=dataset), context=context or None)
            mlflow.log_metrics(told.get("metrics", {}))
            mlflow.log_params(told.get("params", {}))
        return client.get_run(run.info.run_id)

    def version(self, name: str, run: Any, source: str | None = None) -> None:
        """A version of a registered model that came of a run."""
        from mlflow.exceptions import MlflowException

        client = mlflow.MlflowClient(tracking_uri=self.uri)
        with suppress(MlflowException):  # it exists already
            client.create_registered_model(name)
        client.create_model_version(name, source or f"{run.info.artifact_uri}/model", run.info.run_id)


pytestmark = pytest.mark.filterwarnings("ignore")  # of MLflow


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """An MLflow store, to which the session of MLflow belongs from now on."""
    for noisy in ("alembic", "mlflow"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    folder = tmp_path_factory.mktemp("mlflow")
    made = Store(f"sqlite:///{folder}/mlflow.db", folder)
    mlflow.set_tracking_uri(made.uri)
    mlflow.create_experiment("census", artifact_location=str(folder / "artifacts"))
    mlflow.set_experiment("census")
    return made


def outcomes(found: Any) -> dict[tuple[str, str], tuple[str, str]]:
    return {(row["model"], row["version"]): (row["outcome"], row["note"] or "") for row in found.dicts()}


def test_models_come_with_data_label_accuracy_uri_and_what_can_not_come_with_a_reason(
    store: Store, hub: modelhub_sql.Hub
) -> None:
    from mlflow.models import infer_signature
    from sklearn.linear_model import LogisticRegression

    from modelhub_sql.mlflow import import_models, log_sketch

    adult, gone = str(store.folder / "adult.parquet"), str(store.folder / "gone.parquet")
    shutil.copy(data("adult"), adult)
    shutil.copy(data("beer"), gone)
    frame = duckdb.read_parquet(adult).df()
    fitted = LogisticRegression().fit(frame[NUMBERS], frame.income)
    run = store.run(adult, metrics={"test_accuracy": 0.8, "accuracy": 0.9, "loss": float("nan")})
    with mlflow.start_run(run_id=run.info.run_id):
        mlflow.sklearn.log_model(
            fitted, name="model", registered_model_name="signed", pip_requirements=["scikit-learn"],
            signature=infer_signature(frame[NUMBERS], frame.income),
        )  # fmt: skip
    mlflow.MlflowClient().set_registered_model_alias("signed", "champion", 1)
    again = store.run(adult, metrics={"accuracy": 80.0}, params={"target": "income"})
    store.version("told", again)
    store.version("told", store.run(adult, params={"target": "income"}))
    store.version("lost", store.run(gone))
    Path(gone).unlink()
    store.version("nothing", store.run(None))
    store.version("measured", store.run(adult, context="eval"))
    with mlflow.start_run() as sketched:
        place = log_sketch(frame, exclude=["income", "fnlwgt"], hub=hub)
    store.version("sketched", sketched)
    with pytest.raises(OptionError, match="no run of MLflow is active"):
        log_sketch(frame)
    hub.register("told", data("beer"), exclude=["label"], version="3")
    store.version("told", store.run(adult))

    dry = outcomes(import_models(hub, store.uri, dry_run=True))
    assert dry[("signed", "1")][0] == "to be registered"
    assert len(hub.models()) == 1
    found = import_models(hub, store.uri, tag=True)
    came = outcomes(found)
    assert {key for key, (outcome, _) in came.items() if outcome == "registered"} == {
        ("signed", "1"), ("told", "1"), ("told", "2"), ("sketched", "1"),
    }  # fmt: skip
    for key, reason in {
        ("lost", "1"): "not here",
        ("nothing", "1"): "log_sketch",
        ("measured", "1"): "only datasets for eval",
        ("told", "1"): "accuracy is 80",
        ("told", "3"): "another model of that name",
    }.items():
        assert reason in came[key][1], key
    assert found.summary == "4 left out, 4 registered"

    rows = hub.sql(
        "SELECT m.model, m.version, dataset_id, source_accuracy, framework, uri, metadata, d.source, d.rows, "
        "(SELECT list(feature ORDER BY feature) FROM features f WHERE f.dataset_id = d.dataset_id) AS features "
        "FROM models m JOIN datasets d USING (dataset_id)"
    ).dicts()
    models = {(row["model"], row["version"]): row for row in rows}
    signed, told = models[("signed", "1")], models[("told", "1")]
    assert (signed["source_accuracy"], signed["framework"], signed["uri"], signed["source"], signed["rows"]) == (
        0.8, "sklearn", "models:/signed/1", Path(adult).name, len(frame),
    )  # fmt: skip
    assert signed["features"] == sorted(NUMBERS)
    origin = json.loads(signed["metadata"])["mlflow"]
    assert (origin["aliases"], origin["experiment"], origin["run"]) == (["champion"], "census", run.info.run_id)
    assert origin["metrics"] == {"test_accuracy": 0.8, "accuracy": 0.9}
    assert told["source_accuracy"] is None
    assert "income" not in told["features"]
    assert "age" in told["features"]
    # Same digest, same sketch.
    assert told["dataset_id"] == models[("told", "2")]["dataset_id"] != signed["dataset_id"]
    assert models[("sketched", "1")]["source"] == place.rpartition("/")[2]
    assert not {"income", "fnlwgt"} & set(models[("sketched", "1")]["features"])
    assert mlflow.MlflowClient().get_model_version("signed", "1").tags["modelhub.hub"] == hub.path

    before = hub.models().fetchall()
    store.version("told", store.run(adult, params={"target": "income"}))
    assert import_models(hub, store.uri).summary == "4 left out, 4 known already, 1 registered"
    assert len(hub.models()) == len(before) + 1
    assert len(import_models(hub, store.uri, experiment=["Default"])) == 0
    with pytest.raises(OptionError, match="no experiment 'x'; there are Default, census"):
        import_models(hub, store.uri, experiment=["x"])


def test_the_names_of_columns_that_are_left_out_need_not_be_kept(store: Store, tmp_path: Path) -> None:
    from modelhub_sql.mlflow import log_sketch

    file, path = str(tmp_path / "hidden.parquet"), str(tmp_path / "hub.duckdb")
    shutil.copy(data("beer"), file)
    mlflow.set_experiment(experiment_id=mlflow.create_experiment("hidden", artifact_location=str(tmp_path / "artifacts")))
    try:
        for _ in range(2):
            store.version("hidden", store.run(file, params={"target": "label"}))
        with mlflow.start_run() as sketched:
            log_sketch(file, exclude=["label", "split"], hide_excluded=True)
        store.version("hidden sketch", sketched)
    finally:
        mlflow.set_experiment("census")
    given = ["import", "mlflow", store.uri, path, "--experiment", "hidden", "--exclude", "split", "--hide-excluded"]
    told = CliRunner().invoke(main, given)
    assert told.exit_code == 0, told.stderr
    with modelhub_sql.connect(path, read_only=True) as hub:
        # Versions of the same data share its sketch all the same.
        counted = "SELECT excluded, count(*) AS n FROM models JOIN datasets USING (dataset_id) GROUP BY dataset_id, excluded"
        assert hub.sql(f"{counted} ORDER BY n").fetchall() == [([None], 1), ([None], 2)]
        assert "label" not in {row["feature"] for row in hub.sql("FROM features").dicts()}


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    ran = CliRunner().invoke(main, ["import", "mlflow", f"sqlite:///{tmp_path}/typo.db", str(tmp_path / "hub.duckdb")])
    assert (ran.exit_code, "no MLflow store" in ran.stderr) == (1, True)
    assert not (tmp_path / "typo.db").exists()


#: An import that is killed before the seventh dataset is committed.
KILLED = """
import itertools, os, signal, sys
from modelhub_sql import registering
from modelhub_sql.cli import main
calls = itertools.count(1)
registering.warn_of_skipped = lambda *_, **__: next(calls) == 7 and os.kill(os.getpid(), signal.SIGKILL)
main(sys.argv[1:])
"""


@pytest.mark.long
def test_fifty_versions_come_and_an_import_that_is_killed_goes_on_where_it_was(store: Store, tmp_path: Path) -> None:
    for number in range(50):
        file = str(tmp_path / f"shop{number % 10}.parquet")
        if number < 10:
            duckdb.sql(f"COPY (SELECT i + {number} AS a, i % 7 AS b FROM range(2000) r(i)) TO '{file}'")
        store.version("shop", store.run(file, params={"target": "b"}))
    path = tmp_path / "hub.duckdb"
    arguments = ["import", "mlflow", store.uri, str(path)]
    killed = subprocess.run([sys.executable, "-c", KILLED, *arguments], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    count = "SELECT count(*) FROM models WHERE model = 'shop'"
    with modelhub_sql.connect(path) as hub:
        ((came,),) = hub.sql(count).fetchall()
        assert 0 < came < 50
        used = hub.sql("SELECT count(*) FROM datasets SEMI JOIN models USING (dataset_id)").fetchall()
        assert used == hub.sql("SELECT count(*) FROM datasets").fetchall() == [(6,)]
    ran = CliRunner().invoke(main, arguments)
    assert ran.exit_code == 0, ran.output
    with modelhub_sql.connect(path, read_only=True) as hub:
        assert hub.sql(count).fetchall() == [(50,)]
        assert hub.sql("SELECT count(DISTINCT dataset_id) FROM models WHERE model = 'shop'").fetchall() == [(10,)]


@pytest.mark.long
def test_a_registered_model_is_loaded_and_measured_and_one_that_is_gone_is_said(
    store: Store, hub: modelhub_sql.Hub, tmp_path: Path
) -> None:
    from mlflow.models import infer_signature
    from sklearn.linear_model import LogisticRegression

    from modelhub_sql.mlflow import import_models, log_sketch

    frame = duckdb.read_parquet(data("adult")).df()[[*NUMBERS, "income"]]
    mlflow.create_experiment("tried", artifact_location=str(tmp_path / "artifacts"))
    fitted = LogisticRegression(max_iter=1000).fit(frame[NUMBERS], frame.income)
    with mlflow.start_run(experiment_id=mlflow.get_experiment_by_name("tried").experiment_id):
        log_sketch(frame, exclude=["income"], hub=hub)
        mlflow.sklearn.log_model(
            fitted, name="model", registered_model_name="tried", pip_requirements=["scikit-learn"],
            signature=infer_signature(frame[NUMBERS], frame.income),
        )  # fmt: skip
    assert import_models(hub, store.uri, experiment=["tried"], tag=True).summary == "1 registered"
    hub.register("gone", like="tried", uri="models:/no such model/1", metadata={"mlflow": {"tracking_uri": store.uri}})
    # By the address that the import left, from a process that knows no other.
    rows = {row["model"]: row for row in hub.try_models(frame, label="income", rows=len(frame), timeout=300).dicts()}
    assert rows["tried"]["problem"] is None
    assert rows["tried"]["score"] == pytest.approx(fitted.score(frame[NUMBERS], frame.income))
    assert (rows["tried"]["format"], rows["tried"]["runs_code"]) == ("mlflow", True)
    assert rows["gone"]["score"] is None
    assert "no such model" in rows["gone"]["problem"]
    safe = hub.try_models(frame, label="income", safe=True).dicts()
    assert {row["problem"] for row in safe} == {"an MLflow model runs code, and safe is asked for"}
