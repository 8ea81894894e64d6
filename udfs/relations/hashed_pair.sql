-- such a pair that may match, ln 2 * H2 <= t
WITH space_pair AS (
    SELECT
        space_id,
        list(pair_id) AS pair_ids,
        list((owner::UBIGINT << 32) | source_partition::UINTEGER) AS pair_sources,
        list(target_partition::UBIGINT) AS pair_targets
    FROM colliding_pair
    GROUP BY space_id
),
source_matrix AS (
    SELECT space_id, flatten(list(roots)) AS source_roots, list((owner::UBIGINT << 32) | partition_id::UINTEGER) AS source_keys
    FROM partition_vector AS v
    SEMI JOIN colliding_pair AS p ON p.owner = v.owner AND p.source_partition = v.partition_id
    GROUP BY space_id
),
target_matrix AS (
    SELECT space_id, flatten(list(roots)) AS target_roots, list(partition_id::UBIGINT) AS target_keys
    FROM partition_vector
    WHERE owner = 0
    GROUP BY space_id
),
distance AS (
    SELECT
        unnest(pair_ids) AS pair_id,
        unnest(modelhub_pair_hellinger2(source_roots, source_keys, target_roots, target_keys, pair_sources,
            pair_targets)) AS hellinger2
    FROM space_pair
    JOIN source_matrix USING (space_id)
    JOIN target_matrix USING (space_id)
)
SELECT c.pair_id, c.owner, c.space_id, c.source_partition, c.target_partition, hellinger2
FROM colliding_pair AS c
JOIN distance USING (pair_id)
WHERE hellinger2 <= (SELECT threshold.max_js FROM threshold) / ln(2)
