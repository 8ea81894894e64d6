-- such a pair and how much its distributions differ: JS divergence (Eq. 2.1) and distance, 1 - sum 2 p q / (p + q), in [0, 1]
WITH common AS (
    SELECT
        pair,
        sum(_logic.negentropy(p) + q_entropy - _logic.negentropy(p + q)) AS entropy_gain,
        sum(2 * p * q / (p + q)) AS affinity
    FROM possible_common_bin
    GROUP BY pair
)
SELECT
    n.target_feature_id, n.dataset_id, n.feature_id, n.k, n.b,
    -- In sums of p ln p: what only one side has cancels.
    greatest(0, ln(2) + coalesce(entropy_gain, 0) / 2) AS js_divergence,
    greatest(0, 1 - coalesce(affinity, 0)) AS distance
FROM possible_pair AS n
LEFT JOIN common AS c USING (pair)
