"""A hub in a process of its own, which may be killed or crash; and all that a hub holds."""

from __future__ import annotations

import os
import pickle
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import datasketch  # noqa: F401  (as pandas and some of ModelHub: what a hub imports when it needs it, once, not in each fork)
import duckdb
import numpy as np
import pandas  # noqa: F401  (see datasketch)
import pyarrow as pa
import pyarrow.dataset

import modelhub_sql
from modelhub_sql import exchange, keeping, merging, udfs, upkeep  # noqa: F401  (see datasketch)

#: What a hub stores.
_TABLES = (
    "datasets", "defaults", "features", "format", "logic", "minhash_functions", "models", "outcomes", "partition_counts", "verbs",
)  # fmt: skip

__all__ = ["Ended", "example_hub", "forked", "held", "table_of", "without_hub"]


class Ended(NamedTuple):
    """How a process ended: ok, refused (by an error of ModelHub), raised (any other) or killed (by a signal)."""

    how: str
    value: Any


def forked(work: Callable[[], Any], *, kill_after: float | None = None) -> Ended:
    """Run in a fork of this process, which must never have opened a hub itself: DuckDB's threads are not forked."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            ended = Ended("ok", work())
        except modelhub_sql.HubError as error:
            ended = Ended("refused", f"{type(error).__name__}: {error}")
        except BaseException as error:
            ended = Ended("raised", f"{type(error).__name__}: {error}")
        with os.fdopen(writer, "wb") as stream:
            pickle.dump(ended, stream)
        os._exit(0)
    os.close(writer)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reader, "rb") as stream:
        answer = stream.read()
    _, status = os.waitpid(child, 0)
    return Ended("killed", os.WTERMSIG(status)) if os.WIFSIGNALED(status) else pickle.loads(answer)


def table_of(rows: int, seed: int) -> pa.Table:
    """Rows of two numbers, a time and a text."""
    rng = np.random.default_rng(seed)
    words = np.array(["red", "green", "deep sea", "white", "gold"])
    return pa.table({
        "x": rng.normal(seed, 1, rows), "n": rng.integers(0, 9 + seed, rows), "word": words[rng.integers(0, 5, rows)],
        "day": pa.array(rng.integers(0, 4000, rows).astype("datetime64[D]")),
    })  # fmt: skip


def example_hub(path: Path) -> None:
    """Makes a hub of five models and four datasets."""
    with modelhub_sql.connect(path, partition_size=100) as hub:
        for seed in range(4):
            hub.register(f"model {seed}", table_of(400 + 90 * seed, seed), accuracy=0.9)
        hub.register("model 0", like="model 0", version="2")


def held(path: Path) -> dict[str, list[Any]]:
    """The rows of all tables of a hub, but for the times of changes."""
    with duckdb.connect(str(path), read_only=True) as con:
        found = {}
        for name in _TABLES:
            described = con.execute(f"DESCRIBE _hub.{name}").fetchall()
            columns = [name for name, *_ in described if name not in ("registered_at", "recorded_at")]
            quoted = ", ".join(f'"{column}"' for column in columns)
            found[name] = con.execute(f"SELECT {quoted} FROM _hub.{name} ORDER BY ALL").fetchall()
        return found


def without_hub(path: Path) -> None:
    """Removes a hub and whatever lies beside it."""
    for left in path.parent.glob(path.name + "*"):
        left.unlink()
