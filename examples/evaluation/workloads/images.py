"""Images: subsets with skewed classes (section 4.1, workload 3), and Office-Caltech's four domains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from examples.evaluation.tasks import Context, Draw, Outcome, matrix, read

__all__ = ["cifar_skewed", "mnist_skewed", "office"]

Array = np.ndarray[Any, Any]
SUBSETS = ("balanced", "skewed_1", "skewed_2", "skewed_3", "skewed_4")


def mnist_skewed(context: Context) -> Iterator[Draw]:
    """MNIST: models read 14 x 14 pixels, sketches hold 7 x 7 (each a feature, values 0 to 255)."""
    images, labels = _load(context, "images/mnist10k.parquet", side=28, channels=1)
    yield from _skewed(context, "mnist_skewed", _pooled(images, 2), _pooled(images, 4), labels)


def cifar_skewed(context: Context) -> Iterator[Draw]:
    """CIFAR-10: models read 8 x 8 pixels in 3 channels, sketches hold 4 x 4."""
    images, labels = _load(context, "images/cifar10_10k.parquet", side=32, channels=3)
    yield from _skewed(context, "cifar_skewed", _pooled(images, 4), _pooled(images, 8), labels)


def office(context: Context) -> Iterator[Draw]:
    """Office-Caltech10: four domains, 800 SURF counts (a sketch holds 100 of them), halves drawn at random."""
    path = context.file("images/office_caltech10_surf.parquet")
    data = read(f"FROM '{path}'")
    features = [column for column in data if column not in ("domain", "label")]
    draws = 1 if context.fast else 6
    for draw in range(draws):
        rng = context.rng("office", draw)
        taken = data[rng.random(len(data)) < 0.6]
        sketched = sorted(rng.choice(features, 40 if context.fast else 100, replace=False))
        groups = {str(domain): group for domain, group in taken.groupby("domain", sort=True)}
        chosen = list(groups)[:2] if context.fast else list(groups)
        data_of = {name: (group[features].to_numpy(dtype=float), group["label"].to_numpy()) for name, group in groups.items()}
        outcome = context.cached(f"office-{draw}", partial(linear_outcome, data_of, rng))
        yield Draw(
            name=f"office-{draw}",
            tables={name: pa.Table.from_pandas(group[sketched], preserve_index=False) for name, group in groups.items()},
            models=list(groups),
            targets={target: [model for model in groups if model != target] for target in chosen},
            outcomes={"linear": outcome},
            settings={"partition_size": 100},
            tune=frozenset(groups) if draw < draws // 3 else frozenset(),
        )


def linear_outcome(groups: dict[str, tuple[Array, Array]], rng: np.random.Generator) -> Outcome:
    """A logistic regression trained on 70 % of each group and tried on all others."""
    rows: dict[str, dict[str, float]] = {}
    source: dict[str, float] = {}
    for name, (features, label) in groups.items():
        held_out = rng.random(len(label)) < 0.3
        model: Any = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=60))
        model.fit(features[~held_out], label[~held_out])
        rows[name] = {other: float(model.score(*data)) for other, data in groups.items()}
        source[name] = float(model.score(features[held_out], label[held_out]))
    return Outcome(matrix(rows), pd.Series(source))


def _load(context: Context, name: str, *, side: int, channels: int) -> tuple[Array, Array]:
    columns: pa.Table = duckdb.read_parquet(str(context.file(name))).to_arrow_table()
    pixels: Any = columns["pixels"].combine_chunks()
    values: Array = pixels.flatten().to_numpy().reshape(-1, side, side, channels).astype(np.float32)
    if channels == 3 and not _smooth(values):
        values = values.reshape(-1, channels, side, side).transpose(0, 2, 3, 1)
    return values, columns["label"].to_numpy()


def _smooth(values: Array) -> bool:
    # Images change little from a pixel to the next: tells (row, column, channel) from (channel, row, column).
    other = values.reshape(len(values), 3, values.shape[1], values.shape[2]).transpose(0, 2, 3, 1)
    return float(np.abs(np.diff(values[:200], axis=2)).mean()) <= float(np.abs(np.diff(other[:200], axis=2)).mean())


def _pooled(images: Array, size: int) -> Array:
    count, side, _, channels = images.shape
    means: Array = (
        images[:, : side - side % size, : side - side % size]
        .reshape(count, side // size, size, side // size, size, channels)
        .mean(axis=(2, 4))
    )
    return means.reshape(count, -1)


def _skewed(context: Context, name: str, features: Array, sketched: Array, labels: Array) -> Iterator[Draw]:
    draws = 1 if context.fast else 9
    for draw in range(draws):
        rng = context.rng(name, draw)
        groups = _subsets(labels, rng)
        chosen = list(groups)[:2] if context.fast else list(groups)
        data_of = {key: (features[rows], labels[rows]) for key, rows in groups.items()}
        outcome = context.cached(f"{name}-{draw}", partial(linear_outcome, data_of, rng))
        yield Draw(
            name=f"{name}-{draw}",
            tables={
                key: pa.table({f"pixel_{i}": sketched[rows, i] for i in range(sketched.shape[1])}) for key, rows in groups.items()
            },
            models=list(groups),
            targets={target: [model for model in groups if model != target] for target in chosen},
            outcomes={"linear": outcome},
            settings={"partition_size": 300},
            tune=frozenset(groups) if draw < draws // 3 else frozenset(),
        )


def _subsets(labels: Array, rng: np.random.Generator) -> dict[str, Array]:
    # As in section 4.1, at the size of 10,000 images: 50 of each class, and 500 more of one class
    # for three subsets (the same class for two of them), of two classes for another. Which classes is drawn.
    first, second, third, fourth = rng.permutation(10)[:4]
    extra: Sequence[Sequence[int]] = ((), (first,), (second, third), (first,), (fourth,))
    pools = {label: list(rng.permutation(np.flatnonzero(labels == label))) for label in range(10)}
    subsets = {}
    for name, added in zip(SUBSETS, extra, strict=True):
        rows: list[int] = []
        for label in range(10):
            rows += [pools[label].pop() for _ in range(50)]
        for label in added:
            rows += [pools[label].pop() for _ in range(min(350, len(pools[label]) - 100))]
        subsets[name] = np.sort(np.array(rows))
    return subsets
