-- such a pair and its JS divergence
WITH space_pair AS (
    SELECT
        space_id,
        list(pair_id) AS pair_ids,
        list((owner::UBIGINT << 32) | source_partition::UINTEGER) AS pair_sources,
        list(target_partition::UBIGINT) AS pair_targets
    FROM sample_pair
    GROUP BY space_id
),
source_matrix AS (
    SELECT space_id, flatten(list(roots)) AS source_roots, list((owner::UBIGINT << 32) | partition_id::UINTEGER) AS source_keys
    FROM sample_vector AS v
    SEMI JOIN sample_pair AS p ON p.owner = v.owner AND p.source_partition = v.partition_id
    GROUP BY space_id
),
target_matrix AS (
    SELECT space_id, flatten(list(roots)) AS target_roots, list(partition_id::UBIGINT) AS target_keys
    FROM sample_vector
    WHERE owner = 0
    GROUP BY space_id
)
SELECT
    unnest(pair_ids) AS pair_id,
    unnest(modelhub_pair_divergences(source_roots, source_keys, target_roots, target_keys, pair_sources,
        pair_targets)) AS js_divergence
FROM space_pair
JOIN source_matrix USING (space_id)
JOIN target_matrix USING (space_id)
