"""What was measured is kept, and the next search says what a verdict has cost here.

    python examples/registries/outcomes.py

Models of what the sensors on a body tell, each of one person and place, are tried on the tables of the others.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from sklearn.ensemble import RandomForestClassifier

import modelhub_sql

DATA = Path(__file__).parents[2] / "tests" / "data"


def main() -> None:
    tables = {name: pd.read_parquet(DATA / f"{name}.parquet") for name in ("torso1", "torso2", "leg1", "leg2")}
    with modelhub_sql.connect() as hub:
        models = {}
        for name, table in tables.items():
            half = table.iloc[::2]
            models[name] = RandomForestClassifier(30, random_state=0).fit(half.drop(columns="activity"), half["activity"])
            own = float(models[name].score(table.iloc[1::2].drop(columns="activity"), table.iloc[1::2]["activity"]))
            hub.register(name, half, exclude=["activity"], accuracy=own)
        for target, table in tables.items():
            for name in tables.keys() - {target}:
                accuracy = float(models[name].score(table.drop(columns="activity"), table["activity"]))
                hub.record(name, table, accuracy, rows=len(table), exclude=["activity"], source=target)
        print(hub.sql("SELECT model, target, verdict, round(source_accuracy - score, 2) AS lost FROM outcomes ORDER BY ALL"))
        print(hub.sql("SELECT verdict, usual_loss, targets, measured_loss, expected_loss FROM calibration"))
        hub.remove("torso1")
        print(hub.find_models(tables["torso1"], exclude=["activity"]).summary)


if __name__ == "__main__":
    main()
