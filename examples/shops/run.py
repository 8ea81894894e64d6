"""Sixty shops, a model each. A new shop opens: which model serves it tomorrow?

    python examples/shops/run.py [FOLDER]

Made data, so that the right answer is known: the new shop is a twin of one of the sixty. Find the models that fit, label a
few rows, try the first five, decide; then measure all sixty on the days to come, and see what the choice cost. The same
follows with real people: models of what the motion of one's torso or leg tells, for another person.

Exits with 1 where the choice is worse than the tenth part of what a model taken at random loses.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeRegressor

import modelhub_sql

SHOPS, DAYS, TWIN = 60, 1500, 37
REAL = Path(__file__).parent.parent.parent / "tests" / "data"


def main(folder: str | None = None) -> None:
    if folder is None:
        with tempfile.TemporaryDirectory() as made:
            main(made)
        return
    good = [made_shops(Path(folder)), real_people(Path(folder))]
    sys.exit(0 if all(good) else 1)


def made_shops(folder: Path) -> bool:
    """Sixty shops and a new one."""
    shops = {f"shop_{number:02}": shop(number, seed=number) for number in range(SHOPS)}
    opened = shop(TWIN, seed=1000, days=300)
    models = {}
    with modelhub_sql.connect(folder / "shops.duckdb") as hub:
        for name, days in shops.items():
            models[name] = DecisionTreeRegressor(min_samples_leaf=10, random_state=0).fit(features(days), days["sold"])
            joblib.dump(models[name], folder / f"{name}.joblib")
        hub.register_many(
            {"name": name, "dataset": days, "exclude": ["sold"], "uri": f"{name}.joblib"} for name, days in shops.items()
        )
        print(f"{SHOPS} shops, a model each; the new shop is a twin of shop_{TWIN}.")
        chosen = choose(hub, opened, label="sold")
    tomorrow = shop(TWIN, seed=2000)
    lost = {name: error(model.predict(features(tomorrow)), tomorrow["sold"]) for name, model in models.items()}
    return tell(chosen, lost, "mean absolute error, items a day")


def real_people(folder: Path) -> bool:
    """Models of what torso and leg of one person tell of what he does, for the torso of another."""
    tables = {name: pd.read_parquet(REAL / f"{name}.parquet") for name in ("torso1", "leg1", "leg2", "torso2")}
    target = tables.pop("torso2")
    models = {}
    with modelhub_sql.connect(folder / "people.duckdb") as hub:
        for name, table in tables.items():
            models[name] = RandomForestClassifier(50, random_state=0).fit(table.drop(columns="activity"), table["activity"])
            joblib.dump(models[name], folder / f"{name}.joblib")
            hub.register(name, table, exclude=["activity"], uri=f"{name}.joblib")
        print("\nReal people: what do the sensors on the torso of a second person tell, by models of others?")
        chosen = choose(hub, target, label="activity")
    lost = {
        name: 1 - float((model.predict(target.drop(columns="activity")) == target["activity"]).mean())
        for name, model in models.items()
    }
    return tell(chosen, lost, "share of wrong answers")


def choose(hub: modelhub_sql.Hub, target: pd.DataFrame, label: str) -> str:
    """The search alone, and then the first five tried on fifty labelled rows."""
    found = hub.find_models(target, exclude=[label], top=5, all_models=True)
    print(found.select("rank, model, verdict, round(distance, 3) AS distance"))
    print(found.summary)
    tried = hub.try_models(target, label=label, top=5, rows=50)
    print(tried.select("model, metric, round(score, 2) AS score, round(low, 2) AS low, round(high, 2) AS high, problem"))
    print(tried.summary)
    # Those that so few rows can't tell from the best; of these the nearest.
    measured = [row for row in tried.dicts() if row["score"] is not None]
    alike = [row for row in measured if row["high"] >= measured[0]["score"]]
    return str(min(alike, key=lambda row: row["rank"])["model"])


def tell(chosen: str, lost: dict[str, float], what: str) -> bool:
    """What the choice costs, beside the best and one taken at random; whether it is worth a search."""
    best, mean = min(lost, key=lost.__getitem__), float(np.mean(list(lost.values())))
    print(f"Chosen: {chosen}, the nearest of those that the labelled rows do not tell from the best.")
    print(f"In the days to come ({what}): {lost[chosen]:.3g}; the best, {best}, {lost[best]:.3g}; one at random {mean:.3g}.")
    return lost[chosen] - lost[best] <= 0.1 * (mean - lost[best])


def shop(number: int, seed: int, days: int = DAYS) -> pd.DataFrame:
    """Days of a shop: its place decides how many pass, what they pay and how the weather is; all sell by one law."""
    place = np.random.default_rng(number)
    passing, price, warmth = place.lognormal(6, 0.8), place.uniform(2, 20), place.uniform(2, 24)
    random = np.random.default_rng(seed + 10_000)
    passers = random.poisson(passing * random.lognormal(0, 0.25, days))
    temperature = random.normal(warmth, 4, days)
    prices = price * random.uniform(0.9, 1.1, days)
    promotion = random.random(days) < 0.2
    expected = passers * (0.3 + 0.2 * promotion) * np.exp(-prices / 12) * (1 + 0.5 * np.sin(temperature / 6))
    return pd.DataFrame(
        {
            "passers": passers,
            "temperature": temperature.round(1),
            "price": prices.round(2),
            "promotion": promotion,
            "sold": random.poisson(expected).astype(float),
        }
    )


def features(days: pd.DataFrame) -> pd.DataFrame:
    return days.drop(columns="sold")


def error(predicted: Any, sold: Any) -> float:
    return float(np.abs(predicted - sold).mean())


if __name__ == "__main__":
    main(*sys.argv[1:])
