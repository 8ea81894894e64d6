"""All metrics of one search, from the hub: for each candidate model, the greater the better."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

import modelhub_sql
from examples.evaluation.mmd import Embedding
from examples.evaluation.tasks import Draw

__all__ = ["QUANTILES", "SPACES", "Search", "SearchScores", "auto_quantile", "auto_threshold"]

SPACES = ("aligned", "flattened")
QUANTILES = (0.02, 0.05, 0.1, 0.25, 0.5)
PAIRS = files("examples.evaluation").joinpath("pairs.sql").read_text()
OPTIONS: dict[str, Any] = dict(min_overlap=0.0, min_jaccard=0.0)


@dataclass(frozen=True)
class SearchScores:
    """scores: a row a candidate, a column a metric. disagreement: the largest difference between an
    adaptivity counted from all pair divergences and the one that find_models returns; 0 expected."""

    scores: pd.DataFrame
    disagreement: float


class Search:
    """A hub with the models of a draw; ``score`` searches it for one target."""

    def __init__(self, draw: Draw, seed: int) -> None:
        self.draw = draw
        self.hub = modelhub_sql.connect(":memory:", seed=seed, **{"max_candidates": 1000, **draw.settings})
        self.hub.register_many([dict(name=name, dataset=draw.tables[name]) for name in draw.models])
        self.rows = pd.Series({name: draw.tables[name].num_rows for name in draw.models}, dtype=float)
        self.partition_size = int(self.hub.sql("SELECT partition_size FROM settings").fetchall()[0][0])
        self.embedding = Embedding(draw.tables, seed)

    def __enter__(self) -> Search:
        return self

    def __exit__(self, *_: object) -> None:
        self.hub.close()

    def score(self, target: str) -> SearchScores:
        """Scores of the target's candidates by every metric that needs no accuracy."""
        candidates = list(self.draw.targets[target])
        table = self.draw.tables[target]
        self.hub.con.register("evaluation_target", table)
        self.hub.con.execute("CREATE OR REPLACE TEMP TABLE evaluation_sketch AS FROM sketch('evaluation_target')")
        self.hub.con.unregister("evaluation_target")
        columns: dict[str, pd.Series] = {}
        disagreement = 0.0
        for space in SPACES:
            pairs = self._pairs(space)
            pairs = pairs[pairs["model"].isin(candidates)]
            partitions = pairs["target_partition"].max() + 1
            floor = self._floor(space)
            threshold = auto_threshold(pairs, auto_quantile(len(candidates)), floor)
            found = self._find(table, space, threshold).reindex(candidates)
            metrics = _of_pairs(pairs, partitions, floor, self.rows[candidates])
            disagreement = max(disagreement, _disagreement(pairs, threshold, partitions, found))
            metrics |= {
                "adaptivity auto": found["adaptivity"],
                "coverage auto": found["coverage"],
                "js": -found["js_divergence"],
                "kl target|source": -found["kl_target_source"],
                "kl source|target": -found["kl_source_target"],
            }
            # Two samples of one distribution over B bins have E[JS] = (B - 1) / 8 * (1 / n_source + 1 / n_target).
            excess = floor * min(self.partition_size, table.num_rows) / (2 * self.rows[candidates])
            metrics["js less sampling noise"] = -(found["js_divergence"] - excess)
            for cost in (0.005, 0.01, 0.02, 0.05, 0.1):
                metrics[f"js, size {cost}"] = -found["js_divergence"] - cost / np.sqrt(self.rows[candidates] / 500)
            columns |= {f"{metric} · {space}": values for metric, values in metrics.items()}
            columns["l2 of centres"] = -found["l2_distance"]
        columns["jaccard"] = self._jaccard(candidates)
        columns["mmd"] = -self.embedding.mmd(target, candidates)
        columns["source rows"] = self.rows[candidates]
        return SearchScores(pd.DataFrame(columns, index=candidates), disagreement)

    def _options(self, space: str) -> None:
        self.hub.con.execute(
            "CREATE OR REPLACE TEMP TABLE evaluation_options AS FROM search_options("
            "min_overlap := $min_overlap, min_jaccard := $min_jaccard, sample_space := $space)",
            {**OPTIONS, "space": space},
        )

    def _pairs(self, space: str) -> pd.DataFrame:
        self._options(space)
        result: pd.DataFrame = self.hub.con.execute(PAIRS).df()
        return result

    def _floor(self, space: str) -> float:
        self._options(space)
        rows = self.hub.con.execute("""
            WITH matches AS MATERIALIZED (FROM feature_matches('evaluation_sketch', 'evaluation_options')),
            related AS MATERIALIZED (FROM dataset_overlap('matches', 'evaluation_sketch', 'evaluation_options')),
            spaces AS MATERIALIZED (FROM dataset_spaces('matches', 'related'))
            SELECT max(sampling_floor) FROM sampling_floors('spaces', 'evaluation_sketch', 'evaluation_options')
        """).fetchall()
        return float(rows[0][0])

    def _find(self, table: pa.Table, space: str, threshold: float) -> pd.DataFrame:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            found = self.hub.find_models(table, sample_space=space, max_js=threshold, search="exact", **OPTIONS)
            frame: pd.DataFrame = found.df()
        return frame.set_index("model")

    def _jaccard(self, candidates: Sequence[str]) -> pd.Series:
        rows = self.hub.con.execute("""
            SELECT model, sum(jaccard) / (SELECT count(*) FROM evaluation_sketch)
            FROM feature_matches('evaluation_sketch', 'evaluation_options')
            JOIN models USING (dataset_id)
            GROUP BY model
        """).fetchall()
        return pd.Series(dict(rows), dtype=float).reindex(candidates)


def auto_quantile(candidates: int) -> float:
    """Quantile of the pair divergences that a hub puts an automatic threshold at, by default."""
    return min(0.25, 3.0 / candidates)


def auto_threshold(pairs: pd.DataFrame, quantile: float, floor: float) -> float:
    """The hub's automatic threshold: a quantile of the divergences of the first partitions, and at
    least twice the sampling floor."""
    sample = np.sort(pairs.loc[(pairs["source_partition"] < 4) & (pairs["target_partition"] < 4), "js_divergence"].to_numpy())
    position = int(np.ceil(len(sample) * quantile))
    return float(min(np.log(2), max(sample[max(position, 1) - 1], 2 * floor, 1e-9)))


def _disagreement(pairs: pd.DataFrame, threshold: float, partitions: int, found: pd.DataFrame) -> float:
    margin = (pairs["js_divergence"] - threshold).abs() > 1e-9
    counted = pairs[(pairs["js_divergence"] <= threshold) & margin].groupby("model").size() / partitions
    unsure = pairs[~margin].groupby("model").size() / partitions
    difference = (found["adaptivity"] - counted.reindex(found.index).fillna(0)).fillna(0)
    allowed = unsure.reindex(found.index).fillna(0)
    return float(np.maximum(0, np.maximum(difference - allowed, -difference)).max())


def _of_pairs(pairs: pd.DataFrame, partitions: int, floor: float, rows: pd.Series) -> dict[str, pd.Series]:
    models = rows.index
    groups: dict[str, Any] = {
        str(model): group.pivot(index="target_partition", columns="source_partition", values="js_divergence").to_numpy()
        for model, group in pairs.groupby("model", sort=False)
    }

    def each(score: Any) -> pd.Series:
        return pd.Series({model: float(score(groups[model])) if model in groups else np.nan for model in models})

    metrics: dict[str, pd.Series] = {}
    adaptivities = []
    for quantile in QUANTILES:
        t = auto_threshold(pairs, quantile, floor)
        adaptivity = each(lambda d, t=t: (d <= t).sum() / len(d))
        metrics[f"adaptivity {quantile:.0%}"] = adaptivity
        metrics[f"coverage {quantile:.0%}"] = each(lambda d, t=t: (d <= t).any(axis=1).mean())
        metrics[f"adaptivity per source partition {quantile:.0%}"] = each(lambda d, t=t: (d <= t).mean())
        adaptivities.append(adaptivity)
    metrics["adaptivity, mean of thresholds"] = sum(a / max(a.max(), 1e-12) for a in adaptivities) / len(adaptivities)
    for nearest in (1, 3, 5):
        metrics[f"nearest {nearest}"] = -each(lambda d, k=nearest: np.sort(d, axis=1)[:, :k].mean())
    scale = auto_threshold(pairs, 0.1, floor)
    metrics["soft adaptivity"] = each(lambda d: np.exp(-d / scale).sum(axis=1).mean())
    metrics["soft coverage"] = each(lambda d: np.log1p(np.exp(-d / scale).sum(axis=1)).mean())
    metrics["mean pair js"] = -each(np.mean)
    return metrics
