"""What an evaluation is made of: tables, models tried on each other, and who may answer whom."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

__all__ = ["Context", "Draw", "MissingData", "Outcome", "Workload", "matrix", "read"]

Value = TypeVar("Value")


class MissingData(Exception):
    """A file that a workload needs is not in the data folder."""


@dataclass(frozen=True)
class Outcome:
    """What models really do on targets.

    accuracy: rows are models, columns are targets; in [0, 1]. source: accuracy of each model on
    held-out rows of its own table, in [0, 1].
    """

    accuracy: pd.DataFrame
    source: pd.Series


@dataclass(frozen=True)
class Draw:
    """One hub and the searches in it.

    tables: by name, the columns that are sketched (no labels). models: the tables that candidate
    models were trained on. targets: each target table and its candidates. outcomes: by the kind of
    model or measure. settings: of the hub. tune: for choosing defaults, not for reporting.
    """

    name: str
    tables: Mapping[str, pa.Table]
    models: Sequence[str]
    targets: Mapping[str, Sequence[str]]
    outcomes: Mapping[str, Outcome]
    settings: Mapping[str, Any] = field(default_factory=dict)
    tune: frozenset[str] = frozenset()


class Workload(Protocol):
    """Yields draws. ``fast``: few and small ones."""

    def __call__(self, context: Context) -> Iterator[Draw]: ...


@dataclass(frozen=True)
class Context:
    """Where data is, how much to do, and the seed of everything random."""

    data: Path
    fast: bool = False
    seed: int = 1
    cache: Path | None = None

    def file(self, name: str) -> Path:
        """The path of a file of the data folder; raises MissingData where there is none."""
        path = self.data / name
        if not path.is_file():
            raise MissingData(f"{name} is not in the data folder {self.data}")
        return path

    def rng(self, *key: object) -> np.random.Generator:
        """A generator of its own for every purpose, so that one draw does not depend on another."""
        digest = hashlib.sha1(repr((self.seed, *key)).encode()).digest()
        return np.random.default_rng(np.frombuffer(digest, dtype=np.uint32))

    def cached(self, key: str, compute: Callable[[], Value]) -> Value:
        """The value of an earlier run from the cache folder, or computed (and kept there)."""
        if self.cache is None:
            return compute()
        path = self.cache / f"{key}-{self.seed}{'-fast' if self.fast else ''}.pickle"
        if path.is_file():
            value: Value = pickle.loads(path.read_bytes())
            return value
        value = compute()
        self.cache.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps(value))
        return value


def read(query: str) -> pd.DataFrame:
    """The result of a query, its rows always in the same order."""
    frame: pd.DataFrame = duckdb.execute(f"FROM ({query}) ORDER BY ALL").df()
    return frame


def matrix(rows: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    """Accuracies by model (rows) and target (columns)."""
    return pd.DataFrame.from_dict({model: dict(values) for model, values in rows.items()}, orient="index")
