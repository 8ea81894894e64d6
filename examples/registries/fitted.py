"""A model that keeps the sketch of what it was fitted on: its file alone is registered, and found.

python examples/registries/fitted.py [FOLDER]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pandas as pd
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import modelhub_sql

DATA = Path(__file__).parents[2] / "tests" / "data"


def main(folder: Path) -> None:
    # Where the data are: a model for each table.
    for name in ("torso1", "leg1"):
        table = pd.read_parquet(DATA / f"{name}.parquet")
        model = modelhub_sql.sketching(make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)))
        skops.io.dump(model.fit(table.drop(columns="activity"), table["activity"]), folder / f"{name}.skops")

    # Where they are not: the files suffice, and none is loaded before one is tried.
    with modelhub_sql.connect(folder / "hub.duckdb") as hub:
        for file in sorted(folder.glob("*.skops")):
            hub.register(file.stem, file)
        target = DATA / "torso2.parquet"
        print(hub.find_models(target, exclude=["activity"]).summary)
        tried = hub.try_models(target, label="activity", safe=True)
        print(tried.select("model, score, low, high, verdict, problem"))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as made:
            main(Path(made))
