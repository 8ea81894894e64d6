-- such a pair that may match, ln 2 * H2 <= t
WITH one AS (
    SELECT i FROM range(1000000) AS r(i) WHERE i = 0
),
-- optimizer: as in sample_divergence
many_pairs AS MATERIALIZED (
    SELECT p.* FROM colliding_pair AS p CROSS JOIN one
)
SELECT
    c.pair_id, c.owner, c.space_id, c.source_partition, c.target_partition,
    greatest(0, 1 - list_inner_product(s.roots, t.roots)) AS hellinger2
FROM many_pairs AS c
JOIN partition_vector AS s ON s.owner = c.owner AND s.partition_id = c.source_partition
JOIN partition_vector AS t ON t.owner = 0 AND t.space_id = c.space_id AND t.partition_id = c.target_partition
WHERE hellinger2 <= (SELECT threshold.max_js FROM threshold) / ln(2)
