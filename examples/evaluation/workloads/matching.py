"""Entity matching: 17 tasks of candidate record pairs (section 4.1, workload 2).

Two matchers of different kinds are tried, because they transfer differently. One reads *words*: a
linear model on the hashed words that the two records share and those that only one has. The other
reads *similarity features* (token overlap and the like), which mean the same in every vocabulary.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from examples.evaluation.tasks import Context, Draw, MissingData, Outcome, matrix, read

__all__ = ["interactions", "matching_columns", "matching_words"]

TASKS = (
    "abt_buy", "dblp_acm", "dblp_scholar", "walmart_amazon", "bikedekho_bikewale", "rottentomatoes_imdb",
    "amazon_barnes", "goodreads_barnes", "imdb_rotten", "imdb_tmdb", "amazon_rottentomatoes", "yelp_zomato",
    "amazon_goodreads", "amazon_google", "beer", "fodors_zagats", "itunes_amazon",
)  # fmt: skip
WORD = re.compile(r"[a-z0-9]+")
HASHES = 1 << 14


def matching_columns(context: Context) -> Iterator[Draw]:
    """The tasks sketched as they are: every attribute a feature."""
    tasks = _load(context)
    yield _draw(context, "matching_columns", {name: task.drop(columns="label") for name, task in tasks.items()}, tasks)


def matching_words(context: Context) -> Iterator[Draw]:
    """The tasks sketched as the paper does: a bag of words over one shared (hashed) dictionary."""
    tasks = _load(context)
    bags = {
        name: pd.DataFrame({"words": [f"{left} {right}" for left, right in zip(*_records(task), strict=True)]})
        for name, task in tasks.items()
    }
    yield _draw(context, "matching_words", bags, tasks)


def interactions(left: list[str], right: list[str]) -> csr_matrix:
    """Hashed words that both texts of a pair have, and those that only the left or right has."""
    columns: list[int] = []
    edges = [0]
    for one, other in zip(left, right, strict=True):
        a, b = set(WORD.findall(one.lower())), set(WORD.findall(other.lower()))
        for kind, words in (("both", a & b), ("left", a - b), ("right", b - a)):
            columns.extend(zlib.crc32(f"{kind}:{word}".encode()) % HASHES for word in sorted(words))
        edges.append(len(columns))
    values = np.repeat([1 / np.sqrt(max(1, edges[i + 1] - edges[i])) for i in range(len(left))], np.diff(edges))
    return csr_matrix((values, columns, edges), shape=(len(left), HASHES))


def _load(context: Context) -> dict[str, pd.DataFrame]:
    tasks: dict[str, pd.DataFrame] = {}
    names = TASKS[4:10] if context.fast else TASKS
    for name in names:
        path = context.file(f"em/{name}.parquet")
        task = read(f"FROM '{path}'").drop(columns="split", errors="ignore")
        limit = 400 if context.fast else 1500
        if len(task) > limit:
            task = task.iloc[np.sort(context.rng(name).choice(len(task), limit, replace=False))].reset_index(drop=True)
        tasks[name] = task
    if not tasks:
        raise MissingData("no task of em/ is in the data folder")
    return tasks


def _records(task: pd.DataFrame) -> tuple[list[str], list[str]]:
    sides = []
    for side in ("left_", "right_"):
        columns = [column for column in task.columns if column.startswith(side)]
        sides.append(task[columns].fillna("").astype(str).agg(" ".join, axis=1).tolist())
    return sides[0], sides[1]


def _similarities(left: list[str], right: list[str]) -> np.ndarray[Any, np.dtype[np.float64]]:
    rows = []
    for one, other in zip(left, right, strict=True):
        a, b = set(WORD.findall(one.lower())), set(WORD.findall(other.lower()))
        numbers_a, numbers_b = {w for w in a if w.isdigit()}, {w for w in b if w.isdigit()}
        grams_a, grams_b = {one[i : i + 3] for i in range(len(one) - 2)}, {other[i : i + 3] for i in range(len(other) - 2)}
        rows.append(
            [
                len(a & b) / max(1, len(a | b)),
                len(a & b) / max(1, min(len(a), len(b))),
                len(numbers_a & numbers_b) / max(1, len(numbers_a | numbers_b)),
                len(grams_a & grams_b) / max(1, len(grams_a | grams_b)),
                min(len(one), len(other)) / max(1, len(one), len(other)),
            ]
        )
    return np.array(rows)


def _draw(context: Context, name: str, sketched: dict[str, pd.DataFrame], tasks: dict[str, pd.DataFrame]) -> Draw:
    order = list(tasks)
    targets = order[::3] if context.fast else order
    return Draw(
        name=name,
        tables={task: pa.Table.from_pandas(table, preserve_index=False) for task, table in sketched.items()},
        models=order,
        targets={target: [model for model in order if model != target] for target in targets},
        outcomes=context.cached("matching", lambda: _outcomes(context, tasks)),
        settings={"partition_size": 300},
    )


def _outcomes(context: Context, tasks: dict[str, pd.DataFrame]) -> dict[str, Outcome]:
    records = {name: _records(task) for name, task in tasks.items()}
    labels = {name: task["label"].to_numpy() for name, task in tasks.items()}
    outcomes: dict[str, Outcome] = {}
    for matcher, featurise in (("words", interactions), ("similarity", _similarities)):
        features: dict[str, Any] = {name: featurise(*pair) for name, pair in records.items()}
        tries = [_try(context, matcher, features, labels, split) for split in range(2 if context.fast else 5)]
        for measure in ("F1", "accuracy"):
            accuracy = sum(result[measure].accuracy for result in tries) / len(tries)
            source = sum(result[measure].source for result in tries) / len(tries)
            outcomes[f"{matcher}, {measure}"] = Outcome(accuracy, source)
    return outcomes


def _try(context: Context, matcher: str, features: dict[str, Any], labels: dict[str, Any], split: int) -> dict[str, Outcome]:
    # One training of all matchers; the mean of several is reported, because small tasks are noisy.
    measures: dict[str, Callable[[Any, Any], float]] = {
        "F1": lambda truth, predicted: float(f1_score(truth, predicted, zero_division=0)),
        "accuracy": lambda truth, predicted: float((truth == predicted).mean()),
    }
    rows: dict[str, dict[str, dict[str, float]]] = {measure: {} for measure in measures}
    source: dict[str, dict[str, float]] = {measure: {} for measure in measures}
    for name in features:
        held_out = context.rng(name, "held out", split).random(len(labels[name])) < 0.3
        scaler = [] if matcher == "words" else [StandardScaler()]
        model: Any = make_pipeline(*scaler, LogisticRegression(C=10.0, class_weight="balanced", max_iter=300))
        model.fit(features[name][~held_out], labels[name][~held_out])
        predicted = {other: model.predict(features[other]) for other in features}
        for measure, score in measures.items():
            rows[measure][name] = {other: score(labels[other], predicted[other]) for other in features}
            source[measure][name] = score(labels[name][held_out], predicted[name][held_out])
    return {measure: Outcome(matrix(rows[measure]), pd.Series(source[measure])) for measure in measures}
