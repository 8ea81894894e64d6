-- a pair of partitions that may match, ln 2 * H2 <= t, of all pairs (search exact)
WITH pair AS (
    SELECT
        s.owner, s.space_id, s.partition_id AS source_partition, t.partition_id AS target_partition,
        greatest(0, 1 - list_inner_product(s.roots, t.roots)) AS hellinger2
    FROM partition_vector AS s
    JOIN partition_vector AS t ON t.space_id = s.space_id AND t.owner = 0
    WHERE s.owner <> 0 AND (SELECT search_method.search FROM search_method) = 'exact'
)
-- optimizer: unnested instead of filtered; a filter would have the distance computed twice (100 models, 1,000 target partitions)
SELECT
    _logic.pair_number(owner, source_partition, target_partition) AS pair_id,
    owner, space_id, source_partition, target_partition,
    unnest(CASE WHEN hellinger2 <= (SELECT threshold.max_js FROM threshold) / ln(2) THEN [hellinger2] ELSE [] END) AS hellinger2
FROM pair
