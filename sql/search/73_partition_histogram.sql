-- a feature of a partition of a reachable dataset (owner), or of the target: occurrences of each of its bins
-- inlined: it would be a copy of the hub's
-- optimizer: the limit, which no search reaches, makes it read the histograms of these datasets only (10,000 models)
SELECT dataset_id AS owner, feature_id, partition_id, frequent || rare AS counts
FROM _hub.partition_counts
SEMI JOIN (SELECT dataset_id FROM reachable_dataset LIMIT 10000) AS reachable USING (dataset_id)
UNION ALL
FROM target_histogram
