-- such a pair and how much its distributions differ: 1 - sum 2 p q / (p + q), in [0, 1]
WITH common AS (
    SELECT pair, sum(2 * p * q / (p + q)) AS affinity FROM named_common_bin GROUP BY pair
)
SELECT n.target_feature_id, n.dataset_id, greatest(0, 1 - coalesce(affinity, 0)) AS distance
FROM named_pair AS n
LEFT JOIN common AS c USING (pair)
