"""One search of a hub, and all that rankings are computed from: what find_models judges by, its steps, and raw-data rivals."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

import modelhub_sql
from examples.evaluation.rivals import Embedding
from examples.evaluation.tasks import Draw

__all__ = ["Evidence", "Search"]

# What a feature's distance has of chance alone if the bias of (p - q)^2 is taken off bin by bin; the study's alternative
# to the error that the hub computes (sql/search/46_sampling_error.sql).
NAIVE_BIAS = """
    WITH side AS (
        SELECT m.dataset_id, m.target_feature_id, m.k, m.b, unnest(f.bins) AS bin, unnest(f.counts) / f."values" AS p, 0 AS q,
            f."values" AS source_values, t."values" AS target_values
        FROM evaluation_match AS m
        JOIN features AS f USING (dataset_id, feature_id)
        JOIN evaluation_target AS t ON t.feature_id = m.target_feature_id
        UNION ALL
        SELECT m.dataset_id, m.target_feature_id, m.k, m.b, unnest(t.bins), 0, unnest(t.counts) / t."values",
            f."values", t."values"
        FROM evaluation_match AS m
        JOIN features AS f USING (dataset_id, feature_id)
        JOIN evaluation_target AS t ON t.feature_id = m.target_feature_id
    ),
    bin AS (
        SELECT dataset_id, target_feature_id, source_values, target_values, sum(p) AS p, sum(q) AS q
        FROM (SELECT * REPLACE (CASE WHEN k IS NULL THEN bin ELSE _logic.number_bin(bin, k, b) END AS bin) FROM side)
        GROUP BY dataset_id, target_feature_id, source_values, target_values, bin
    )
    SELECT dataset_id, target_feature_id, sum((p / source_values + q / target_values) / (p + q)) / 2 AS bias
    FROM bin
    GROUP BY ALL
"""

# Sums over the features that both have; one that the model lacks is wholly different.
ALTERNATIVES = f"""
    SELECT
        m.dataset_id, any_value(c.features) AS features,
        (sum(CASE t.kind WHEN 'text' THEN distance ELSE distance - bias END) + any_value(c.features) - count(*))
            / any_value(c.features) AS unbiased,
        (sum(CASE t.kind WHEN 'text' THEN js_divergence ELSE (distance - bias) / 2 END) + (any_value(c.features) - count(*)) / 2)
            / any_value(c.features) AS readme
    FROM evaluation_match AS m
    JOIN ({NAIVE_BIAS}) USING (dataset_id, target_feature_id)
    JOIN evaluation_target AS t ON t.feature_id = m.target_feature_id
    JOIN evaluation_features AS c USING (dataset_id)
    GROUP BY m.dataset_id
"""


@dataclass(frozen=True)
class Evidence:
    """One search. models: a row a candidate, as find_models judges it where no accuracy was given (``judged_model``), with the
    number of features that count, the distances ``unbiased`` and ``readme`` of the study, and the distances ``mmd``,
    ``energy`` and ``rkme`` of the raw rows; NaN where the hub did not judge it. target_rows: of the target.
    """

    models: pd.DataFrame
    target_rows: int


class Search:
    """A hub with the models of a draw; calling it with a target searches it, as users do."""

    def __init__(self, draw: Draw, seed: int, rivals: bool = True) -> None:
        self.draw = draw
        self.hub = modelhub_sql.connect(":memory:", seed=seed, **draw.settings)
        self.con = self.hub.con
        self.con.execute("SET enable_progress_bar = false; SET threads = 1")
        with warnings.catch_warnings():
            # Columns that hold nothing are skipped.
            warnings.simplefilter("ignore", UserWarning)
            self.hub.register_many([dict(name=name, dataset=draw.tables[name]) for name in draw.models])
        self.con.execute("CREATE TEMP TABLE evaluation_datasets AS FROM memory._hub.datasets")
        self.embedding = Embedding(draw.tables, seed) if rivals else None

    def __enter__(self) -> Search:
        return self

    def __exit__(self, *_: object) -> None:
        self.hub.close()

    def __call__(self, target: str, **options: Any) -> Evidence:
        """Everything about a target's candidates that needs no accuracy; options: as of find_models."""
        candidates = list(self.draw.targets[target])
        self._only(candidates)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            self.hub.steps(self.draw.tables[target], until="judged_model", all_models=True, **options)
        judged: pd.DataFrame = self.hub.step("judged_model").df()
        shown = {"match": "feature_match", "target": "target_feature", "features": "counted_features"}
        for name, step in shown.items():
            self.con.register(f"evaluation_{name}", self.hub.step(step).arrow())
        alternatives: pd.DataFrame = self.con.execute(ALTERNATIVES).df()
        models = judged.merge(alternatives, on="dataset_id", how="left").set_index("model").reindex(candidates)
        if self.embedding is not None:
            models = models.join(self.embedding.distances(target, candidates))
        return Evidence(models, self.draw.tables[target].num_rows)

    def _only(self, candidates: Sequence[str]) -> None:
        """Leave the candidates in the hub; the target's own model is none."""
        self.con.execute("DELETE FROM memory._hub.datasets")
        self.con.execute(
            "INSERT INTO memory._hub.datasets FROM evaluation_datasets WHERE dataset IN (SELECT unnest(?))", [list(candidates)]
        )
