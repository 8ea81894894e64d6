"""One search of a hub, and all that rankings are computed from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

import modelhub_sql
from examples.evaluation.mmd import Embedding
from examples.evaluation.tasks import Draw

__all__ = ["FLOORS", "SPACES", "Evidence", "Search", "auto_quantile", "auto_threshold", "l2_collisions"]

SPACES = ("aligned", "flattened")
STAGES = files("examples.evaluation").joinpath("stages.sql").read_text()
OPTIONS: dict[str, Any] = dict(min_overlap=0.0, min_jaccard=0.0)
L2_FUNCTIONS = 128
#: The hub bounds an automatic threshold by so many sampling floors: it does not (see ``results/rankings.md``).
FLOORS = 0.0
Matrix = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class InSpace:
    """What a hub finds out about the candidates in one sample space.

    pairs: by model, JS divergences of target partitions (rows) and source partitions (columns), in
    [0, ln 2]. floor: the sampling floor. threshold: the automatic one. found, found_lsh: what
    find_models returns at that threshold, exactly and (in the default space) by JS-LSH. js_collisions: JS-LSH functions
    that put the whole target and the whole of a candidate's data into one bucket, as a share.
    """

    pairs: Mapping[str, Matrix]
    floor: float
    threshold: float
    found: pd.DataFrame
    found_lsh: pd.DataFrame | None
    js_collisions: pd.Series | None


@dataclass(frozen=True)
class Evidence:
    """One search. rows: of each candidate's data. features: JS divergence by candidate (rows) and
    target feature (columns). jaccard: mean Jaccard similarity of the target's features. l2_collisions: share of
    L2-LSH functions on which the centres collide. mmd: of raw rows, 0 or above."""

    rows: pd.Series
    target_rows: int
    partition_size: int
    spaces: Mapping[str, InSpace]
    features: pd.DataFrame
    jaccard: pd.Series
    l2_collisions: pd.Series
    mmd: pd.Series


class Search:
    """A hub with the models of a draw; calling it with a target searches it."""

    def __init__(self, draw: Draw, seed: int, spaces: Sequence[str] = SPACES, lsh: bool = True) -> None:
        self.draw = draw
        self.seed = seed
        self.spaces = spaces
        self.lsh = lsh
        self.hub = modelhub_sql.connect(":memory:", seed=seed, **{"max_candidates": 1000, **draw.settings})
        self.con = self.hub.con
        self.hub.register_many([dict(name=name, dataset=draw.tables[name]) for name in draw.models])
        self.rows = pd.Series({name: draw.tables[name].num_rows for name in draw.models}, dtype=float)
        self.embedding = Embedding(draw.tables, seed)

    def __enter__(self) -> Search:
        return self

    def __exit__(self, *_: object) -> None:
        self.hub.close()

    def __call__(self, target: str) -> Evidence:
        """Everything about a target's candidates that needs no accuracy."""
        candidates = list(self.draw.targets[target])
        table = self.draw.tables[target]
        self.con.register("evaluation_target", table)
        self.con.execute("CREATE OR REPLACE TEMP TABLE evaluation_sketch AS FROM sketch('evaluation_target')")
        self.con.unregister("evaluation_target")
        spaces = {space: self._in_space(space, candidates) for space in self.spaces}
        matches = self._frame(
            "SELECT model, target_feature_id, jaccard, js_divergence FROM evaluation_matches JOIN models USING (dataset_id)"
        )
        (features,) = self.con.execute("SELECT count(*) FROM evaluation_sketch").fetchall()[0]
        (partition_size,) = self.con.execute("SELECT partition_size FROM settings").fetchall()[0]
        return Evidence(
            rows=self.rows[candidates],
            target_rows=table.num_rows,
            partition_size=int(partition_size),
            spaces=spaces,
            features=matches.pivot(index="model", columns="target_feature_id", values="js_divergence").reindex(candidates),
            jaccard=(matches.groupby("model")["jaccard"].sum() / features).reindex(candidates),
            l2_collisions=self._l2_collisions().reindex(candidates),
            mmd=self.embedding.mmd(target, candidates),
        )

    def _frame(self, query: str) -> pd.DataFrame:
        frame: pd.DataFrame = self.con.execute(query).df()
        return frame

    def _in_space(self, space: str, candidates: list[str]) -> InSpace:
        self._options(space)
        self.con.execute(STAGES)
        found = self._frame("""
            SELECT model, source_partition, target_partition, js_divergence
            FROM evaluation_pairs
            JOIN evaluation_divergences USING (pair_id)
            JOIN models ON models.dataset_id = owner
            ORDER BY ALL
        """)
        pairs = {
            str(model): group.pivot(index="target_partition", columns="source_partition", values="js_divergence").to_numpy()
            for model, group in found[found["model"].isin(candidates)].groupby("model", sort=False)
        }
        floor = float(self.con.execute("SELECT max(sampling_floor) FROM evaluation_floors").fetchall()[0][0])
        threshold = auto_threshold(pairs, auto_quantile(len(pairs)), FLOORS * floor)
        return InSpace(
            pairs=pairs,
            floor=floor,
            threshold=threshold,
            found=self._find(space, threshold, "exact").reindex(candidates),
            found_lsh=self._find(space, threshold, "lsh").reindex(candidates) if self.lsh and space == SPACES[0] else None,
            js_collisions=self._js_collisions(threshold).reindex(candidates) if self.lsh else None,
        )

    def _options(self, space: str, max_js: float | None = None, search: str = "auto") -> None:
        self.con.execute(
            "CREATE OR REPLACE TEMP TABLE evaluation_options AS FROM search_options(min_overlap := $min_overlap, "
            "min_jaccard := $min_jaccard, sample_space := $space, max_js := $max_js, search := $search)",
            {**OPTIONS, "space": space, "max_js": max_js, "search": search},
        )

    def _find(self, space: str, threshold: float, search: str) -> pd.DataFrame:
        # What find_models does with a target that is sketched already.
        self._options(space, threshold, search)
        return self._frame("FROM rank_models('evaluation_sketch', 'evaluation_options')").set_index("model")

    def _js_collisions(self, threshold: float) -> pd.Series:
        self.con.execute(
            "CREATE OR REPLACE TEMP TABLE evaluation_threshold AS"
            " SELECT t AS max_js, jslsh_width * sqrt(2 * t / ln(2)) AS width FROM settings, (SELECT ?::DOUBLE AS t)",
            [threshold],
        )
        self.con.execute("CREATE OR REPLACE TEMP TABLE evaluation_functions AS FROM space_functions('evaluation_axis')")
        result = self._frame("""
            WITH source AS (FROM jslsh_signatures('evaluation_source_whole', 'evaluation_functions', 'evaluation_threshold')),
            target AS (FROM jslsh_signatures('evaluation_target_whole', 'evaluation_functions', 'evaluation_threshold')),
            hash AS (
                SELECT s.owner, unnest(s.signature) = unnest(t.signature) AS collides
                FROM source AS s
                JOIN target AS t USING (space_id, band)
            )
            SELECT model, count(*) FILTER (collides) / count(*) AS share
            FROM hash
            JOIN models ON models.dataset_id = owner
            GROUP BY model
        """)
        return result.set_index("model")["share"]

    def _l2_collisions(self) -> pd.Series:
        means = self._frame("""
            SELECT model, target_feature_id, s.mean AS source, t.mean AS target
            FROM evaluation_matches AS m
            JOIN features AS s USING (dataset_id, feature_id)
            JOIN evaluation_sketch AS t ON t.feature_id = m.target_feature_id
            JOIN models USING (dataset_id)
            WHERE isfinite(s.mean) AND isfinite(t.mean)
            ORDER BY ALL
        """)
        if means.empty:
            return pd.Series(dtype=float)
        source = means.pivot(index="model", columns="target_feature_id", values="source")
        target = means.pivot(index="model", columns="target_feature_id", values="target")
        shares = l2_collisions(source.fillna(0).to_numpy(), target.fillna(0).to_numpy(), L2_FUNCTIONS, self.seed)
        return pd.Series(shares, index=source.index)


def auto_quantile(candidates: int) -> float:
    """Quantile of the pair divergences that a hub puts an automatic threshold at, by default."""
    return min(0.25, 3.0 / candidates)


def auto_threshold(pairs: Mapping[str, Matrix], quantile: float, least: float) -> float:
    """A threshold as the hub chooses it: a quantile of the divergences of the first partitions, each dataset
    of the same weight however many it has, but not below ``least``."""
    samples = [divergences[:4, :4].ravel() for divergences in pairs.values()]
    sample = np.concatenate(samples)
    weights = np.concatenate([np.full(len(own), 1 / len(own)) for own in samples])
    order = np.argsort(sample)
    enough = np.cumsum(weights[order]) >= quantile * len(samples) - 1e-9
    return float(min(np.log(2) - 1e-6, max(sample[order][np.argmax(enough)], least, 1e-9)))


def l2_collisions(source: Matrix, target: Matrix, functions: int, seed: int) -> Matrix:
    """Share of L2-LSH functions, ceil((a x + b) / r), that agree (Datar et al. 2004).

    source, target: pairs of centres over d features, both of shape (n, d). r is the median distance
    of the pairs. Returns n shares in [0, 1].
    """
    rng = np.random.default_rng(seed)
    distances = np.linalg.norm(source - target, axis=1)
    r = max(float(np.median(distances)), 1e-9)
    a, b = rng.normal(size=(source.shape[1], functions)), rng.uniform(0, r, functions)
    collide: Matrix = np.ceil((source @ a + b) / r) == np.ceil((target @ a + b) / r)
    return np.asarray(collide.mean(axis=1))
