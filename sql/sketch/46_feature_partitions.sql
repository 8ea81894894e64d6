-- a feature and the histograms of its partitions, in the order of the partitions
SELECT feature_id, list(counts ORDER BY partition_id ASC) AS partitions
FROM partition_histogram
GROUP BY feature_id
