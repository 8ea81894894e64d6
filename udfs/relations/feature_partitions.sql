-- a feature and the histograms of its partitions, in the order of the partitions
WITH feature_element AS (
    SELECT
        feature_id, list(partition_id::UINTEGER) AS partition_ids, list(bin) AS bins,
        list(occurrences::UINTEGER) AS occurrences
    FROM element
    WHERE bin IS NOT NULL
    GROUP BY feature_id
)
SELECT
    feature_id,
    modelhub_histograms(
        f.bins, e.partition_ids, e.bins, e.occurrences, (SELECT max(partition_id) + 1 FROM element)::UINTEGER
    ) AS partitions
FROM feature_histogram AS f
JOIN feature_element AS e USING (feature_id)
