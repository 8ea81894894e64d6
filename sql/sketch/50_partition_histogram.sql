-- a feature of a partition: occurrences of each bin of the feature; empty where it has no value
-- A bin is looked up in a list. Lists of hundreds (texts) are first cut into blocks of about 128 bins.
WITH feature_layout AS MATERIALIZED (
    SELECT
        feature_id, bins, list_grade_up(list_grade_up(bins, 'ASC'), 'ASC') AS places,
        list_min(bins) AS low, ceil((list_max(bins) - list_min(bins) + 1) / ceil(len(bins) / 128))::USMALLINT AS width
    FROM feature_histogram
),
feature_block AS MATERIALIZED (
    SELECT feature_id, (bin - low) // width AS block, list(bin ORDER BY bin ASC) AS bins
    FROM (SELECT feature_id, low, width, unnest(bins) AS bin FROM feature_layout)
    GROUP BY ALL
),
partition_block AS (
    SELECT partition_id, feature_id, block, bins
    FROM (SELECT unnest(range(max(partition_id) + 1))::UINTEGER AS partition_id FROM element), feature_block
),
occurring AS (
    SELECT partition_id, feature_id, (bin - low) // width AS block, list(bin) AS bins, list(occurrences::UINTEGER) AS counts
    FROM element
    JOIN feature_layout USING (feature_id)
    WHERE bin IS NOT NULL
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
),
ascending AS (
    SELECT feature_id, partition_id, bool_or(occurs) AS occurs, flatten(list(counts ORDER BY block ASC)) AS counts
    FROM block_histogram
    GROUP BY feature_id, partition_id
)
SELECT
    feature_id,
    partition_id,
    CASE WHEN occurs THEN list_select(counts, places)::UINTEGER[] ELSE []::UINTEGER[] END AS counts
FROM ascending
JOIN feature_layout USING (feature_id)
