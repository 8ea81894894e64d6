"""Models of an MLflow registry: imported by the data that they were trained on, found, loaded and measured.

python examples/registries/mlflow_registry.py
"""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path

import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import modelhub_sql

DATA = Path(__file__).parents[2] / "tests" / "data"


def main(folder: Path) -> None:
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    import mlflow

    from modelhub_sql.mlflow import import_models, log_sketch

    for noisy in ("mlflow", "alembic"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    store = f"sqlite:///{folder}/mlflow.db"
    mlflow.set_tracking_uri(store)
    mlflow.set_experiment(experiment_id=mlflow.create_experiment("sensors", artifact_location=str(folder / "artifacts")))
    for name in ("torso1", "leg1", "leg2"):
        table = pd.read_parquet(DATA / f"{name}.parquet")
        inputs = table.drop(columns="activity")
        with mlflow.start_run():
            # The sketch, so that nobody needs the data again.
            log_sketch(inputs)
            mlflow.sklearn.log_model(
                make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(inputs, table["activity"]), name="model",
                registered_model_name=name, signature=mlflow.models.infer_signature(inputs, table["activity"]),
                pip_requirements=["scikit-learn"],
            )  # fmt: skip
    with modelhub_sql.connect(folder / "hub.duckdb") as hub:
        print(import_models(hub, store, tag=True).summary)
        target = DATA / "torso2.parquet"
        print(hub.find_models(target, exclude=["activity"]).summary)
        tried = hub.try_models(target, label="activity", top=2, timeout=300, record=True)
        print(tried.select("model, score, low, high, verdict, problem"))
        print(tried.summary)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        main(Path(made))
