-- a cell of a feature of the target, and how often it is replicated for MinHash
WITH cell AS (
    SELECT feature_id AS target_feature_id, cells.cell AS cell, sum(cells.n) AS n
    FROM (SELECT feature_id, unnest(_logic.grid_cells(kind, bins, counts, k, b)) AS cells FROM target_feature)
    GROUP BY ALL
),
scaled AS (
    SELECT *, _logic.replica_scale(max(n) OVER (PARTITION BY target_feature_id), sum(n)
        OVER (PARTITION BY target_feature_id)) AS scale
    FROM cell
)
SELECT target_feature_id, cell, _logic.replicas_of(n, scale) AS replicas FROM scaled
