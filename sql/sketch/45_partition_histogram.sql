-- a feature of a partition: occurrences of each bin of the feature; empty where it has no value
-- A bin is looked up in a list. Lists of hundreds (texts) are first cut into blocks of about 128 bins.
WITH feature_bin AS (
    SELECT feature_id, dataset_number, unnest(bins) AS bin, unnest(range(len(bins))) AS place FROM feature_histogram
),
feature_block AS MATERIALIZED (
    SELECT feature_id, dataset_number, place // 128 AS block, list(bin ORDER BY place ASC) AS bins FROM feature_bin GROUP BY ALL
),
partition_block AS (
    SELECT partition_id, feature_id, block, bins
    FROM (SELECT dataset_number, unnest(range(partitions))::UINTEGER AS partition_id FROM row_permutation)
    JOIN feature_block USING (dataset_number)
),
occurring AS (
    SELECT partition_id, feature_id, place // 128 AS block, list(bin) AS bins, list(occurrences::UINTEGER) AS counts
    FROM element
    JOIN feature_bin USING (feature_id, bin)
    GROUP BY ALL
),
block_histogram AS (
    SELECT
        feature_id,
        partition_id,
        block,
        o.bins IS NOT NULL AS occurs,
        list_transform(
            list_select(coalesce(o.counts, []), list_transform(b.bins, lambda bin: coalesce(list_position(o.bins, bin), 0))),
            lambda n: coalesce(n, 0)
        ) AS counts
    FROM partition_block AS b
    LEFT JOIN occurring AS o USING (feature_id, partition_id, block)
)
SELECT
    feature_id, partition_id,
    CASE WHEN bool_or(occurs) THEN flatten(list(counts ORDER BY block ASC))::UINTEGER[] ELSE []::UINTEGER[] END AS counts
FROM block_histogram
GROUP BY feature_id, partition_id
