-- such a pair and how much its distributions differ: 1 - sum 2 p q / (p + q), in [0, 1]
-- Millions of bins are grouped by one number, of the pair and the bin: much faster than by several columns.
WITH numbered_pair AS MATERIALIZED (
    SELECT n.*, r.resolution_id, row_number() OVER () AS pair
    FROM named_pair AS n
    JOIN named_resolution AS r ON r.target_feature_id = n.target_feature_id
        AND r.k IS NOT DISTINCT FROM n.k AND r.b IS NOT DISTINCT FROM n.b
),
source_bin AS NOT MATERIALIZED (
    SELECT pair, resolution_id, n.k, n.b, n.is_finer, unnest(f.bins) AS bin, unnest(f.counts) / f."values" AS p
    FROM numbered_pair AS n
    JOIN _hub.features AS f ON f.dataset_id = n.dataset_id AND f.feature_id = n.feature_id
),
-- Bins of the finer side that fall together.
merged_bin AS (
    SELECT (pair << 32) | t.place AS cell, sum(s.p) AS p
    FROM source_bin AS s
    JOIN named_target_bin AS t ON t.resolution_id = s.resolution_id AND t.target_bin = _logic.number_bin(s.bin, s.k, s.b)
    WHERE s.is_finer
    GROUP BY cell
),
-- Only what both sides have matters.
common_bin AS (
    SELECT pair, s.p, t.q
    FROM source_bin AS s
    JOIN named_target_bin AS t ON t.resolution_id = s.resolution_id AND t.target_bin = s.bin
    WHERE NOT s.is_finer
    UNION ALL
    SELECT m.cell >> 32, m.p, t.q
    FROM merged_bin AS m
    JOIN named_target_bin AS t ON t.place = m.cell & 4294967295
),
common AS (
    SELECT pair, sum(2 * p * q / (p + q)) AS affinity FROM common_bin GROUP BY pair
)
SELECT n.target_feature_id, n.dataset_id, greatest(0, 1 - coalesce(affinity, 0)) AS distance
FROM numbered_pair AS n
LEFT JOIN common AS c USING (pair)
