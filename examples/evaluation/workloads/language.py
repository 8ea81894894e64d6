"""Language: sentence pairs (section 4.1, workload 4: equivalence and inference), and reviews across domains.

The models are linear on hashed words (of a pair: shared, only left, only right), which need no
pre-trained network; accuracies are therefore below those of the paper's BERT.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from examples.evaluation.tasks import Context, Draw, Outcome, matrix, read
from examples.evaluation.workloads.matching import interactions

__all__ = ["equivalence", "inference", "reviews"]

EQUIVALENCE = {
    "mrpc": "SELECT sentence1, sentence2, label FROM '{}'",
    "qqp": "SELECT question1 AS sentence1, question2 AS sentence2, label FROM '{}'",
    "paws": "SELECT sentence1, sentence2, label FROM '{}'",
}
INFERENCE = {
    "rte": "SELECT sentence1, sentence2, label FROM '{}'",
    "qnli": "SELECT sentence AS sentence1, question AS sentence2, (label = 'entailment')::INTEGER AS label FROM '{}'",
    "scitail": "SELECT premise AS sentence1, hypothesis AS sentence2, (label = 'entails')::INTEGER AS label FROM '{}'",
}
DOMAINS = ("books", "dvd", "electronics", "kitchen")


def equivalence(context: Context) -> Iterator[Draw]:
    """MRPC, QQP, PAWS: do two sentences mean the same? Random samples of 2,000 pairs of each."""
    yield from _pairs(context, "equivalence", EQUIVALENCE)


def inference(context: Context) -> Iterator[Draw]:
    """RTE, QNLI, SciTail: does the first sentence entail the second? Random samples of 2,000 pairs of each."""
    yield from _pairs(context, "inference", INFERENCE)


def reviews(context: Context) -> Iterator[Draw]:
    """Amazon reviews, positive or negative: 12 sources, each its own mix of four domains and size; a target a domain."""
    path = context.file("text/amazon_reviews.parquet")
    data = read(f"SELECT domain, label, coalesce(title, '') || ' ' || text AS text FROM '{path}'")
    words = _bag(data["text"].tolist())
    label = data["label"].to_numpy()
    draws = 1 if context.fast else 6
    for draw in range(draws):
        rng = context.rng("reviews", draw)
        pools = {d: list(rng.permutation(np.flatnonzero((data["domain"] == d).to_numpy()))) for d in DOMAINS}
        groups = {f"target_{domain}": np.array([pools[domain].pop() for _ in range(500)]) for domain in DOMAINS}
        models = []
        for i in range(6 if context.fast else 12):
            rows = int(rng.choice([250, 500, 1000]))
            counts = rng.multinomial(rows, rng.dirichlet([0.5] * 4))
            name = f"mix_{i}"
            groups[name] = np.concatenate([rng.choice(pools[d], n, replace=False) for d, n in zip(DOMAINS, counts, strict=True)])
            models.append(name)
        features = {name: words[rows] for name, rows in groups.items()}
        labels = {name: label[rows] for name, rows in groups.items()}
        outcomes = context.cached(f"reviews-{draw}", partial(_outcomes, features, labels, models, rng))
        targets = [name for name in groups if name.startswith("target")][: 2 if context.fast else None]
        yield Draw(
            name=f"reviews-{draw}",
            tables={name: pa.table({"text": data["text"].iloc[rows].tolist()}) for name, rows in groups.items()},
            models=models,
            targets=dict.fromkeys(targets, models),
            outcomes={"accuracy": outcomes["accuracy"]},
            settings={"partition_size": 125},
            tune=frozenset(targets) if draw < draws // 3 else frozenset(),
        )


def _pairs(context: Context, name: str, queries: Mapping[str, str]) -> Iterator[Draw]:
    data = {key: read(query.format(context.file(f"text/{key}.parquet"))) for key, query in queries.items()}
    draws = 1 if context.fast else 6
    size = 800 if context.fast else 2000
    for draw in range(draws):
        rng = context.rng(name, draw)
        groups = {key: frame.iloc[np.sort(rng.choice(len(frame), size, replace=False))].copy() for key, frame in data.items()}
        labels = {key: frame.pop("label").to_numpy() for key, frame in groups.items()}
        features = {key: interactions(frame["sentence1"].tolist(), frame["sentence2"].tolist()) for key, frame in groups.items()}
        outcomes = context.cached(f"{name}-{draw}", partial(_outcomes, features, labels, list(groups), rng))
        yield Draw(
            name=f"{name}-{draw}",
            tables={key: pa.Table.from_pandas(frame, preserve_index=False) for key, frame in groups.items()},
            models=list(groups),
            targets={target: [model for model in groups if model != target] for target in groups},
            outcomes=outcomes,
            settings={"partition_size": 500},
            tune=frozenset(groups) if draw < draws // 3 else frozenset(),
        )


def _bag(texts: list[str]) -> csr_matrix:
    columns: list[int] = []
    edges = [0]
    for text in texts:
        columns.extend(sorted({zlib.crc32(word.encode()) % (1 << 15) for word in re.findall(r"[a-z']+", text.lower())}))
        edges.append(len(columns))
    words = np.diff(edges)
    values = np.repeat(1 / np.sqrt(np.maximum(1, words)), words)
    return csr_matrix((values, columns, edges), shape=(len(texts), 1 << 15))


def _outcomes(
    features: Mapping[str, Any], labels: Mapping[str, Any], models: list[str], rng: np.random.Generator
) -> dict[str, Outcome]:
    # Balanced accuracy (the mean recall of both labels) of models that weigh both labels alike is told
    # beside accuracy, which rewards a source that merely has the target's share of positive labels.
    splits = {name: rng.random(len(labels[name])) < 0.3 for name in models}
    outcomes = {}
    for measure, score, weight in (
        ("accuracy", accuracy_score, None),
        ("balanced accuracy", balanced_accuracy_score, "balanced"),
    ):
        rows: dict[str, dict[str, float]] = {}
        source: dict[str, float] = {}
        for name, held_out in splits.items():
            model: Any = LogisticRegression(C=10.0, max_iter=200, class_weight=weight)
            model.fit(features[name][~held_out], labels[name][~held_out])
            rows[name] = {other: float(score(labels[other], model.predict(features[other]))) for other in features}
            source[name] = float(score(labels[name][held_out], model.predict(features[name][held_out])))
        outcomes[measure] = Outcome(matrix(rows), pd.Series(source))
    return outcomes
