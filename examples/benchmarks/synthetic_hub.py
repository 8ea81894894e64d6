"""A hub of any size with known answers, made fast.

Models come in families: a family has its own distribution of every feature, and each model's
dataset is drawn around it. A target drawn from a family must find that family's models first.

    python examples/benchmarks/synthetic_hub.py hub.duckdb --models 1000
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

import modelhub_sql
from modelhub_sql import logic

FEATURES = 20
PARTITIONS = 100
#: Numbers that a feature takes, side by side, all in one octave.
SUPPORT, LEAST = 48, 128
CHUNK = 100

# The features of a chunk as the sketch makes them, from their histograms on.
FEATURES_OF_CHUNK = """
    SELECT
        c.dataset_id, c.feature_number AS feature_id, c.feature, 'number' AS kind, c."values", 0 AS nulls,
        len(c.bins) AS distincts,
        c.k, c.b, c.bins, c.counts, _logic.effective_bins(c.counts) AS effective_bins,
        _logic.bins_mean('number', c.bins, c.counts, c.k, c.b) AS mean, m.elements, m.minhash, c.spread
    FROM temp.main.feature_histogram AS c
    JOIN temp.main.minhash_signature AS m USING (feature_id)
"""


def family_distribution(family: int, features: int = FEATURES) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """First number (features,) and probabilities (features, SUPPORT) of each feature of a family."""
    rng = np.random.default_rng(family)
    first = LEAST + 3 * (np.arange(features) % FEATURES) + rng.integers(0, 13, features)
    centre = rng.uniform(SUPPORT / 4, 3 * SUPPORT / 4, (features, 1))
    # An eighth of the interquartile range is between a half and two: neighbours differ in resolution, as real tables do.
    spread = rng.uniform(3, 9, (features, 1))
    p = np.exp(-(((np.arange(SUPPORT) - centre) / spread) ** 2) / 2)
    return first, p / p.sum(axis=1, keepdims=True)


def dataset_distribution(
    family: int, member: int, features: int = FEATURES
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The family's distribution, tilted a little: the farther, the higher the member's number."""
    first, p = family_distribution(family, features)
    rng = np.random.default_rng([family, member, 1])
    tilted = p * np.exp(rng.normal(0, 0.02 * (1 + member % 50), p.shape).cumsum(axis=1))
    return first, tilted / tilted.sum(axis=1, keepdims=True)


def values(first: npt.NDArray[np.int64], p: npt.NDArray[np.float64], rows: int, seed: int) -> pa.Table:
    """A table of ``rows`` rows drawn from a distribution; the numbers are whole."""
    rng = np.random.default_rng(seed)
    return pa.table(
        {f"f{feature}": (first[feature] + rng.choice(SUPPORT, rows, p=p[feature])).astype(float) for feature in range(len(first))}
    )


def resolution(p: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """k and b that a sketch chooses for such features (features, SUPPORT): an eighth of the interquartile range."""
    share = p.cumsum(axis=-1)
    between = (share < 0.75).sum(axis=-1) - (share < 0.25).sum(axis=-1)
    k = np.floor(np.log2(np.maximum(1, between))).astype(np.int64) - 3
    return k, np.log2(LEAST).astype(np.int64) - k


def fill(
    hub: modelhub_sql.Hub,
    models: int,
    families: int,
    partitions: int = PARTITIONS,
    features: int = FEATURES,
    called: str = "feature",
) -> None:
    """Insert sketches of ``models`` datasets, as if they had been registered.

    called: SQL of what a feature is called, of feature (f0 and so on) and dataset_id.
    """
    con, place = hub.con.cursor(), hub._place
    con.execute(f"USE {place.logic}._logic")
    ((size,),) = con.execute("SELECT _format.partition_size()").fetchall()
    signature = logic.needed(logic.relations("sketch"), "FROM minhash_signature", ("feature_histogram",))
    rng = np.random.default_rng(0)
    chunk = max(1, CHUNK * FEATURES // features)
    for start in range(0, models, chunk):
        ids = np.arange(start, min(start + chunk, models))
        first = np.empty((len(ids), features), np.int64)
        k, b = np.empty_like(first), np.empty_like(first)
        counts = np.zeros((len(ids), features, partitions, SUPPORT), np.uint32)
        for at, model in enumerate(ids):
            first[at], p = dataset_distribution(int(model % families), int(model // families), features)
            k[at], b[at] = resolution(p)
            counts[at] = rng.multinomial(size, p[:, None, :], (features, partitions))
        histograms = [
            _binned(int(low), int(level), n)
            for low, level, n in zip(first.ravel(), k.ravel(), counts.reshape(-1, partitions, SUPPORT), strict=True)
        ]
        distances = np.array([divergences(n / size, n.sum(axis=0) / (size * partitions)) for _, n in histograms])
        spreads = distances.reshape(len(ids), features, partitions).sum(axis=1).max(axis=1)
        dataset = np.repeat(ids + 1, features)
        number = np.tile(np.arange(1, features + 1), len(ids))
        totals = [n.sum(axis=0) for _, n in histograms]
        made = pa.table(
            {
                "dataset_id": pa.array(dataset, pa.uint32()),
                "feature_id": pa.array(np.arange(len(dataset)), pa.uint32()),
                "feature_number": pa.array(number, pa.uint16()),
                "feature": [f"f{each - 1}" for each in number],
                "kind": ["number"] * len(dataset),
                "k": pa.array(k.ravel(), pa.int16()),
                "b": pa.array(b.ravel(), pa.int16()),
                "values": pa.array(np.full(len(dataset), size * partitions), pa.uint64()),
                "spread": distances.max(axis=1),
                "bins": _lists([bins for bins, _ in histograms], pa.float64()),
                "counts": _lists(totals, pa.uint64()),
            }
        )
        # How many are stored as frequent ones: frequent_bins.
        cut = [int((n >= 2 * partitions).sum()) for n in totals]
        parts = [(n[:, :at], n[:, at:]) for (_, n), at in zip(histograms, cut, strict=True)]
        counted = pa.table(
            {
                "dataset_id": pa.array(np.repeat(dataset, partitions), pa.uint32()),
                "feature_id": pa.array(np.repeat(number, partitions), pa.uint16()),
                "partition_id": pa.array(np.tile(np.arange(partitions), len(dataset)), pa.uint32()),
                "frequent": _lists([row for part in parts for row in part[0]], pa.uint32()),
                "rare": _lists([row for part in parts for row in part[1]], pa.uint32()),
            }
        )
        registered = pa.table({"dataset_id": pa.array(ids + 1, pa.uint32()), "spread": spreads})
        for name, table in (("chunk", made), ("counted", counted), ("registered", registered)):
            con.register(f"synthetic_{name}", table)
        con.execute("CREATE OR REPLACE TEMP TABLE feature_histogram AS FROM synthetic_chunk")
        for step in signature:
            con.execute(logic.placed(logic.step_statement(step), place))
        statements = f"""
            BEGIN;
            INSERT INTO _hub.datasets BY NAME
            SELECT
                dataset_id, 'd' || dataset_id AS dataset, {partitions} * {size} AS rows, {partitions} AS partitions,
                'synthetic' AS source, [] AS excluded, [] AS skipped, now()::TIMESTAMP AS registered_at,
                _format.fingerprint() AS fingerprint, spread
            FROM synthetic_registered;
            INSERT INTO _hub.models BY NAME
            SELECT 'm' || dataset_id AS model, '' AS version, dataset_id, now()::TIMESTAMP AS registered_at
            FROM synthetic_registered;
            INSERT INTO _hub.features BY NAME
            SELECT * REPLACE ({called} AS feature) FROM ({FEATURES_OF_CHUNK}) AS c ORDER BY dataset_id, feature_id;
            INSERT INTO _hub.partition_counts BY NAME FROM synthetic_counted ORDER BY dataset_id, feature_id, partition_id;
            COMMIT;
        """
        con.execute(logic.placed(statements, place))
        for step in reversed(signature):
            con.execute(f"DROP {'VIEW' if step.inlined else 'TABLE'} temp.main.{step.name}")
    for name in ("chunk", "counted", "registered"):
        con.unregister(f"synthetic_{name}")
    con.execute("DROP TABLE temp.main.feature_histogram")
    con.execute(f"CHECKPOINT {place.tables}")
    con.close()


def _binned(first: int, k: int, counts: npt.NDArray[np.uint32]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint32]]:
    """Bins of a feature, the most frequent first, and their counts in each partition (partitions, bins)."""
    bins, place = np.unique((first + np.arange(SUPPORT)) // 2.0**k * 2.0**k, return_index=True)
    found = np.add.reduceat(counts, place, axis=1, dtype=np.uint32)
    total = found.sum(axis=0)
    order = np.lexsort((bins, -total.astype(np.int64)))[: int((total > 0).sum())]
    return bins[order], found[:, order]


def divergences(p: npt.NDArray[np.float64], q: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Jensen-Shannon divergences (Eq. 2.1) over the last axis."""
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.nan_to_num(p * np.log(p / middle)) + np.nan_to_num(q * np.log(q / middle))
    result: npt.NDArray[np.float64] = terms.sum(axis=-1) / 2
    return result


def _lists(rows: Sequence[npt.NDArray[Any]], kind: pa.DataType) -> pa.Array:
    ends = np.cumsum([0, *map(len, rows)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), pa.array(np.concatenate(rows), kind))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("hub")
    parser.add_argument("--models", type=int, default=1000)
    parser.add_argument("--families", type=int, default=100)
    arguments = parser.parse_args()
    started = time.perf_counter()
    with modelhub_sql.connect(arguments.hub) as hub:
        fill(hub, arguments.models, arguments.families)
    print(f"{arguments.models} models in {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
