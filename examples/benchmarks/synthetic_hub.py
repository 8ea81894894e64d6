"""A hub of any size with known answers, made fast.

Models come in families: a family has its own distribution of every feature, and each model's
dataset is drawn around it. A target drawn from a family must find that family's models first.

    python examples/benchmarks/synthetic_hub.py hub.duckdb --models 1000
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import numpy.typing as npt
import pyarrow as pa

import modelhub_sql

FEATURES = 20
PARTITIONS = 100
SUPPORT = 24
CHUNK = 100


def family_distribution(family: int, features: int = FEATURES) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """First bin (features,) and probabilities (features, SUPPORT) of each feature of a family."""
    rng = np.random.default_rng(family)
    first = 128 + 3 * np.arange(features) + rng.integers(-6, 7, features)
    centre = rng.uniform(6, SUPPORT - 6, (features, 1))
    spread = rng.uniform(2, 5, (features, 1))
    p = np.exp(-(((np.arange(SUPPORT) - centre) / spread) ** 2) / 2)
    return first, p / p.sum(axis=1, keepdims=True)


def dataset_distribution(family: int, member: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The family's distribution, tilted a little: the farther, the higher the member's number."""
    first, p = family_distribution(family)
    rng = np.random.default_rng([family, member, 1])
    tilted = p * np.exp(rng.normal(0, 0.02 * (1 + member % 50), p.shape).cumsum(axis=1))
    return first, tilted / tilted.sum(axis=1, keepdims=True)


def values(first: npt.NDArray[np.int64], p: npt.NDArray[np.float64], rows: int, seed: int) -> pa.Table:
    """A table of ``rows`` rows drawn from a distribution over the default number bins."""
    rng = np.random.default_rng(seed)
    step = np.arcsinh(1e9 / 0.01) / 128
    columns = {}
    for feature in range(len(first)):
        bins = first[feature] + rng.choice(SUPPORT, rows, p=p[feature])
        columns[f"f{feature}"] = 0.01 * np.sinh((bins - 128 + 0.5) * step)
    return pa.table(columns)


def fill(hub: modelhub_sql.Hub, models: int, families: int, partitions: int = PARTITIONS) -> None:
    """Insert sketches of ``models`` datasets, as if they had been registered."""
    con = hub.con
    size: int = con.sql("SELECT partition_size FROM settings").fetchall()[0][0]
    rng = np.random.default_rng(0)
    for start in range(0, models, CHUNK):
        ids = np.arange(start, min(start + CHUNK, models))
        first = np.empty((len(ids), FEATURES), np.int64)
        counts = np.empty((len(ids), FEATURES, partitions, SUPPORT), np.uint32)
        for at, model in enumerate(ids):
            first[at], p = dataset_distribution(int(model % families), int(model // families))
            counts[at] = rng.multinomial(size, p[:, None, :], (FEATURES, partitions))
        order = np.argsort(-counts.sum(axis=2), axis=2, kind="stable")
        bins = first[..., None] + order
        counts = np.take_along_axis(counts, order[:, :, None, :], axis=3)
        totals = counts.sum(axis=2)
        distances = divergences(counts / size, totals[:, :, None] / (size * partitions))
        dataset = np.repeat(ids + 1, FEATURES)
        feature = np.tile(np.arange(1, FEATURES + 1), len(ids))
        chunk_features = pa.table(
            {
                "dataset_id": pa.array(dataset, pa.uint32()),
                "feature_id": pa.array(np.arange(len(dataset)), pa.uint32()),
                "feature_number": pa.array(feature, pa.uint16()),
                "feature": [f"f{number - 1}" for number in feature],
                "spread": distances.max(axis=2).ravel(),
                "dataset_spread": np.repeat(distances.sum(axis=1).max(axis=1), FEATURES),
                "bins": _lists(bins.reshape(-1, SUPPORT), pa.uint16()),
                "counts": _lists(totals.reshape(-1, SUPPORT), pa.uint64()),
            }
        )
        chunk_histograms = pa.table(
            {
                "dataset_id": pa.array(np.repeat(dataset, partitions), pa.uint32()),
                "feature_id": pa.array(np.repeat(feature, partitions), pa.uint16()),
                "partition_id": pa.array(np.tile(np.arange(partitions), len(dataset)), pa.uint32()),
                "counts": _lists(counts.reshape(-1, SUPPORT), pa.uint32()),
            }
        )
        con.register("chunk_features_arrow", chunk_features)
        con.register("chunk_histograms", chunk_histograms)
        con.execute(
            """
            CREATE OR REPLACE TEMP TABLE chunk_features AS
            SELECT *, list_sum(counts)::UBIGINT AS "values" FROM chunk_features_arrow;
            CREATE OR REPLACE TEMP TABLE chunk_sketch AS
            SELECT f.*, m.elements, m.minhash
            FROM chunk_features AS f
            JOIN minhash_signatures('chunk_features') AS m USING (feature_id);
            BEGIN;
            INSERT INTO datasets
            SELECT DISTINCT dataset_id, 'd' || dataset_id, $partitions * $size, $partitions, 'synthetic', [],
                now()::TIMESTAMP, '', dataset_spread
            FROM chunk_features;
            INSERT INTO models SELECT 'm' || dataset_id, '', dataset_id, NULL, NULL, NULL, NULL, NULL, now()::TIMESTAMP
            FROM (SELECT DISTINCT dataset_id FROM chunk_features);
            INSERT INTO features
            SELECT dataset_id, feature_number, feature, 'number', "values", 0, NULL, NULL, bins, counts, elements, minhash, spread
            FROM chunk_sketch
            ORDER BY ALL;
            INSERT INTO partition_counts
            SELECT dataset_id, feature_id, partition_id, counts[:frequent], counts[frequent + 1:]
            FROM chunk_histograms
            JOIN (
                SELECT dataset_id, feature_number AS feature_id, frequent_bins(counts, $partitions) AS frequent
                FROM chunk_features
            ) USING (dataset_id, feature_id)
            ORDER BY dataset_id, feature_id, partition_id;
            COMMIT;
            """.replace("$partitions", str(partitions)).replace("$size", str(size))
        )
    con.unregister("chunk_features_arrow")
    con.unregister("chunk_histograms")
    con.execute("DROP TABLE IF EXISTS chunk_features; DROP TABLE IF EXISTS chunk_sketch; CHECKPOINT")


def divergences(p: npt.NDArray[np.float64], q: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Jensen-Shannon divergences (Eq. 2.1) over the last axis."""
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.nan_to_num(p * np.log(p / middle)) + np.nan_to_num(q * np.log(q / middle))
    result: npt.NDArray[np.float64] = terms.sum(axis=-1) / 2
    return result


def _lists(rows: npt.NDArray[np.int64] | npt.NDArray[np.uint32], kind: pa.DataType) -> pa.Array:
    ends = np.arange(len(rows) + 1, dtype=np.int32) * rows.shape[1]
    return pa.ListArray.from_arrays(pa.array(ends), pa.array(rows.ravel(), kind))


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
