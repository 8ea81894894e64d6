-- a feature and the histograms of its partitions, in the order of the partitions
WITH feature_element AS (
    SELECT
        feature_id, list(partition_id::UINTEGER) AS partition_ids, list(bin) AS bins,
        list(occurrences::UINTEGER) AS occurrences
    FROM element
    WHERE bin IS NOT NULL AND partition_id < (SELECT r.partitions FROM row_permutation AS r)
    GROUP BY feature_id
)
SELECT
    feature_id,
    modelhub_histograms(
        f.bins, coalesce(e.partition_ids, []::UINTEGER[]), coalesce(e.bins, []::DOUBLE[]),
        coalesce(e.occurrences, []::UINTEGER[]), (SELECT r.partitions FROM row_permutation AS r)::UINTEGER
    ) AS partitions
FROM feature_histogram AS f
LEFT JOIN feature_element AS e USING (feature_id)
