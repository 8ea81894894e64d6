-- a pair of partitions that may match, ln 2 * H2 <= t, of all pairs (search exact)
-- optimizer: limited, so that what is one row is joined with the partitions of the target and not with all pairs, which are
-- kept with both vectors for it by DuckDB 1.5 (100 models, 1,000 target partitions: 15 GB instead of 1)
WITH target_side AS (
    SELECT space_id, partition_id, roots, (SELECT threshold.max_js FROM threshold) / ln(2) AS most
    FROM partition_vector
    WHERE owner = 0 AND (SELECT search_method.search FROM search_method) = 'exact'
    LIMIT 4294967296
),
pair AS (
    SELECT
        s.owner, s.space_id, s.partition_id AS source_partition, t.partition_id AS target_partition, t.most,
        greatest(0, 1 - list_inner_product(s.roots, t.roots)) AS hellinger2
    FROM partition_vector AS s
    JOIN target_side AS t ON t.space_id = s.space_id
    WHERE s.owner <> 0
)
-- optimizer: unnested instead of filtered; a filter would have the distance computed twice (100 models, 1,000 target partitions)
SELECT
    _logic.pair_number(owner, source_partition, target_partition) AS pair_id,
    owner, space_id, source_partition, target_partition,
    unnest(CASE WHEN hellinger2 <= most THEN [hellinger2] ELSE [] END) AS hellinger2
FROM pair
