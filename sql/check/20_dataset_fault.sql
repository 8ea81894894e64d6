-- a dataset whose sketch is of another format, or lacks features or partitions; and what belongs to no dataset
SELECT dataset_id, NULL::VARCHAR AS feature, 'its sketch has another format than the hub' AS fault
FROM _hub.datasets
WHERE fingerprint <> _format.fingerprint()
UNION ALL
SELECT dataset_id, NULL, 'it has ' || partitions || ' partitions, not those of ' || rows || ' rows'
FROM _hub.datasets
-- Parts that were merged may have fewer than the rows would have together.
WHERE partitions NOT BETWEEN 1 AND _logic.kept_partitions(rows)
UNION ALL
SELECT dataset_id, NULL, 'it has no features'
FROM _hub.datasets
ANTI JOIN _hub.features USING (dataset_id)
UNION ALL
SELECT DISTINCT dataset_id, feature, 'the feature is of a dataset that is missing'
FROM _hub.features
ANTI JOIN _hub.datasets USING (dataset_id)
UNION ALL
SELECT DISTINCT dataset_id, NULL, 'it has histograms of the feature ' || feature_id || ', which is missing'
FROM _hub.partition_counts
ANTI JOIN _hub.features USING (dataset_id, feature_id)
