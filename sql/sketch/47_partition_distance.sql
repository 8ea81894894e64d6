-- a feature of a partition and its JS divergence from the feature as a whole; ln 2 where it has no value
-- Totals before the lists are unnested: once a histogram, not once a bin.
WITH listed_histogram AS (
    SELECT feature_id, unnest(range(len(partitions)))::UINTEGER AS partition_id, unnest(partitions) AS counts
        FROM feature_partitions
),
histogram AS (
    SELECT h.feature_id, h.partition_id, h.counts, greatest(list_sum(h.counts), 1) AS total, f.counts AS whole, f."values"
    FROM listed_histogram AS h
    JOIN feature_histogram AS f USING (feature_id)
),
listed AS (
    SELECT feature_id, partition_id, unnest(counts) AS n, total, unnest(whole) AS whole_n, "values" FROM histogram
),
partition_bin AS (
    SELECT feature_id, partition_id, coalesce(n, 0) / total AS p, whole_n / "values" AS q FROM listed
)
SELECT
    feature_id, partition_id,
    least(ln(2), greatest(0,
        ln(2) + sum(_logic.negentropy(p) + _logic.negentropy(q) - _logic.negentropy(p + q)) / 2)) AS js_divergence
FROM partition_bin
GROUP BY feature_id, partition_id
