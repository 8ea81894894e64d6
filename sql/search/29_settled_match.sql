-- such a pair and how much its distributions differ: JS divergence (Eq. 2.1) and distance, 1 - sum 2 p q / (p + q), in [0, 1]
-- A pair as one number: one column to group millions of bins by is much faster than three.
WITH source_bin AS NOT MATERIALIZED (
    SELECT
        (n.dataset_id::UBIGINT << 32) | (n.feature_id::UBIGINT << 16) | n.target_feature_id AS pair,
        resolution_id, n.k, n.b, n.is_finer,
        unnest(f.bins) AS bin, unnest(f.counts) AS n, f."values"
    FROM settled_pair AS n
    JOIN named_resolution AS r ON r.target_feature_id = n.target_feature_id
        AND r.k IS NOT DISTINCT FROM n.k AND r.b IS NOT DISTINCT FROM n.b
    JOIN _hub.features AS f ON f.dataset_id = n.dataset_id AND f.feature_id = n.feature_id
),
-- Only what both sides have matters; bins of the finer side that fall together are added first.
common_bin AS (
    SELECT pair, s.n / s."values" AS p, t.q, t.q_entropy
    FROM source_bin AS s
    JOIN named_target_bin AS t ON t.resolution_id = s.resolution_id AND t.target_bin = s.bin
    WHERE NOT s.is_finer
    UNION ALL
    SELECT pair, sum(s.n) / any_value(s."values") AS p, any_value(t.q) AS q, any_value(t.q_entropy) AS q_entropy
    FROM source_bin AS s
    JOIN named_target_bin AS t ON t.resolution_id = s.resolution_id AND t.target_bin = _logic.number_bin(s.bin, s.k, s.b)
    WHERE s.is_finer
    GROUP BY pair, t.target_bin
),
common AS (
    SELECT
        pair,
        sum(_logic.negentropy(p) + q_entropy - _logic.negentropy(p + q)) AS entropy_gain,
        sum(2 * p * q / (p + q)) AS affinity
    FROM common_bin
    GROUP BY pair
)
SELECT
    n.target_feature_id, n.dataset_id, n.feature_id, n.k, n.b,
    -- In sums of p ln p: what only one side has cancels.
    greatest(0, ln(2) + coalesce(entropy_gain, 0) / 2) AS js_divergence,
    greatest(0, 1 - coalesce(affinity, 0)) AS distance
FROM settled_pair AS n
LEFT JOIN common AS c
    ON c.pair = (n.dataset_id::UBIGINT << 32) | (n.feature_id::UBIGINT << 16) | n.target_feature_id
