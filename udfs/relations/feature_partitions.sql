-- a feature and the histograms of its partitions, in the order of the partitions
WITH kept AS (
    SELECT feature_id, partitions FROM feature_histogram JOIN row_permutation USING (dataset_number)
),
feature_element AS (
    SELECT
        feature_id, list(partition_id::UINTEGER) AS partition_ids, list(bin) AS bins,
        list(occurrences::UINTEGER) AS occurrences
    FROM element
    JOIN kept USING (feature_id)
    WHERE bin IS NOT NULL AND partition_id < partitions
    GROUP BY feature_id
)
SELECT
    feature_id,
    modelhub_histograms(
        f.bins, coalesce(e.partition_ids, []::UINTEGER[]), coalesce(e.bins, []::DOUBLE[]),
        coalesce(e.occurrences, []::UINTEGER[]), k.partitions::UINTEGER
    ) AS partitions
FROM feature_histogram AS f
JOIN kept AS k USING (feature_id)
LEFT JOIN feature_element AS e USING (feature_id)
