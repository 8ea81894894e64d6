-- a feature of a partition: the succinct representation of Fig. 2; counts are the occurrences of each of features.bins
-- example: FROM histograms WHERE dataset_id = 1 AND partition_id = 0
CREATE VIEW histograms AS
SELECT dataset_id, feature_id, partition_id, frequent || rare AS counts
FROM _hub.partition_counts
