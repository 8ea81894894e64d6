-- such a pair and its distance, 1 - sum 2 p q / (p + q), in [0, 1]: 0 where the distributions are the same, 1 where they share no bin
-- A pair as one number: one column to group millions of bins by is much faster than three.
WITH source_bin AS NOT MATERIALIZED (
    SELECT
        (n.dataset_id::UBIGINT << 32) | (n.feature_id::UBIGINT << 16) | n.target_feature_id AS pair,
        resolution_id, n.k, n.b, n.is_finer,
        unnest(f.bins) AS bin, unnest(f.counts) AS n, f."values"
    FROM named_pair AS n
    JOIN named_resolution AS r ON r.target_feature_id = n.target_feature_id
        AND r.k IS NOT DISTINCT FROM n.k AND r.b IS NOT DISTINCT FROM n.b
    JOIN _hub.features AS f ON f.dataset_id = n.dataset_id AND f.feature_id = n.feature_id
),
-- Only what both sides have matters; bins of the finer side that fall together are added first.
common_bin AS (
    SELECT pair, s.n / s."values" AS p, t.q
    FROM source_bin AS s
    JOIN named_target_bin AS t ON t.resolution_id = s.resolution_id AND t.target_bin = s.bin
    WHERE NOT s.is_finer
    UNION ALL
    SELECT pair, sum(s.n) / any_value(s."values") AS p, any_value(t.q) AS q
    FROM source_bin AS s
    JOIN named_target_bin AS t ON t.resolution_id = s.resolution_id AND t.target_bin = _logic.number_bin(s.bin, s.k, s.b)
    WHERE s.is_finer
    GROUP BY pair, t.target_bin
),
common AS (
    SELECT pair, sum(2 * p * q / (p + q)) AS affinity FROM common_bin GROUP BY pair
)
SELECT n.target_feature_id, n.dataset_id, n.feature_id, greatest(0, 1 - coalesce(affinity, 0)) AS distance
FROM named_pair AS n
LEFT JOIN common AS c
    ON c.pair = (n.dataset_id::UBIGINT << 32) | (n.feature_id::UBIGINT << 16) | n.target_feature_id
