-- a pair that H2 alone does not decide, an estimate of its JS divergence by one cosine, and the most that it is off
WITH undecided AS MATERIALIZED (
    FROM close_pair WHERE hellinger2 > (SELECT threshold.max_js FROM threshold)
),
source_waves AS MATERIALIZED (
    SELECT v.owner, v.partition_id, _logic.waves(v.roots) AS waves
    FROM partition_vector AS v
    SEMI JOIN undecided AS p ON p.owner = v.owner AND p.source_partition = v.partition_id
),
target_waves AS MATERIALIZED (
    SELECT v.space_id, v.partition_id, _logic.waves(v.roots) AS waves
    FROM partition_vector AS v
    SEMI JOIN undecided AS p ON p.space_id = v.space_id AND p.target_partition = v.partition_id
    WHERE v.owner = 0
),
-- optimizer: as in sample_divergence
one AS (
    SELECT i FROM range(1000000) AS r(i) WHERE i = 0
),
many_pairs AS MATERIALIZED (
    SELECT p.* FROM undecided AS p CROSS JOIN one
)
SELECT
    p.*,
    _logic.js_estimate(p.hellinger2, list_inner_product(s.waves, t.waves)) AS js_divergence,
    _logic.js_cosine().error * p.hellinger2 AS error
-- optimizer: LEFT joins keep their order, with the pairs streamed past the waves, where a stored macro has lost that a CTE is
-- MATERIALIZED; else each pair is kept with its waves (100 models, 1,000 target partitions: 8.7 GB instead of 1)
FROM many_pairs AS p
LEFT JOIN source_waves AS s ON s.owner = p.owner AND s.partition_id = p.source_partition
LEFT JOIN target_waves AS t ON t.space_id = p.space_id AND t.partition_id = p.target_partition
