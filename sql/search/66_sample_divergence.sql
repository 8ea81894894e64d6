-- such a pair and its JS divergence, as ln 2 + (sum p ln p + sum q ln q - sum (p + q) ln (p + q)) / 2
WITH vector_bin AS (
    SELECT owner, space_id, partition_id, unnest(roots) AS root
    FROM sample_vector AS v
    WHERE owner = 0 OR EXISTS (FROM sample_pair AS p WHERE p.owner = v.owner AND p.source_partition = v.partition_id)
),
vector_entropy AS MATERIALIZED (
    SELECT owner, space_id, partition_id, sum(_logic.negentropy(root * root)) AS negentropy
    FROM vector_bin
    GROUP BY owner, space_id, partition_id
),
-- optimizer: one row that it takes for many makes it take the pairs for many, too. Else a join may keep each pair with a
-- copy of its roots, gigabytes, where it should keep the vectors and look them up (100 models, 1,000 target partitions).
one AS (
    SELECT i FROM range(1000000) AS r(i) WHERE i = 0
),
many_pairs AS MATERIALIZED (
    SELECT p.* FROM sample_pair AS p CROSS JOIN one
),
pair_bin AS (
    SELECT p.pair_id, unnest(s.roots) AS source_root, unnest(t.roots) AS target_root
    FROM many_pairs AS p
    JOIN sample_vector AS s ON s.owner = p.owner AND s.partition_id = p.source_partition
    JOIN sample_vector AS t ON t.owner = 0 AND t.space_id = p.space_id AND t.partition_id = p.target_partition
),
pair_entropy AS (
    SELECT pair_id, sum(_logic.negentropy(source_root * source_root + target_root * target_root)) AS negentropy
    FROM pair_bin
    GROUP BY pair_id
)
SELECT p.pair_id, least(ln(2), greatest(0, ln(2) + (s.negentropy + t.negentropy - m.negentropy) / 2)) AS js_divergence
FROM sample_pair AS p
JOIN pair_entropy AS m USING (pair_id)
JOIN vector_entropy AS s ON s.owner = p.owner AND s.partition_id = p.source_partition
JOIN vector_entropy AS t ON t.owner = 0 AND t.space_id = p.space_id AND t.partition_id = p.target_partition
