-- such a pair that is alike: the Jaccard similarity of its MinHash elements is above the bar of its kind; compared at the coarser resolution (k, b)
WITH cell AS (
    SELECT dataset_id, feature_id, cells.cell AS cell, sum(cells.n) AS n
    FROM (
        SELECT f.dataset_id, f.feature_id, unnest(_logic.grid_cells(f.kind, f.bins, f.counts, f.k, f.b)) AS cells
        FROM _hub.features AS f
        SEMI JOIN colliding_feature AS c ON c.dataset_id = f.dataset_id AND c.feature_id = f.feature_id
    )
    GROUP BY ALL
),
scaled AS (
    SELECT
        *,
        _logic.replica_scale(
            max(n) OVER (PARTITION BY dataset_id, feature_id), sum(n) OVER (PARTITION BY dataset_id, feature_id)
        ) AS scale
    FROM cell
),
source_cell AS (
    SELECT dataset_id, feature_id, cell, _logic.replicas_of(n, scale) AS replicas FROM scaled
),
common AS (
    SELECT c.target_feature_id, c.dataset_id, c.feature_id, sum(least(s.replicas, t.replicas)) AS intersection
    FROM colliding_feature AS c
    JOIN source_cell AS s USING (dataset_id, feature_id)
    JOIN target_cell AS t ON t.target_feature_id = c.target_feature_id AND t.cell = s.cell
    GROUP BY ALL
)
SELECT
    row_number() OVER () AS pair, c.target_feature_id, c.dataset_id, c.feature_id,
    intersection / (t.elements + s.elements - intersection) AS jaccard,
    greatest(t.k, s.k) AS k, least(t.b, s.b) AS b,
    coalesce(s.k < t.k OR s.b > t.b, false) AS is_finer
FROM common AS c
JOIN target_feature AS t ON t.feature_id = c.target_feature_id
JOIN _hub.features AS s ON s.dataset_id = c.dataset_id AND s.feature_id = c.feature_id
WHERE jaccard > coalesce((SELECT options.min_jaccard FROM options), _logic.least_jaccard(t.kind, (SELECT options.features
    FROM options)))
