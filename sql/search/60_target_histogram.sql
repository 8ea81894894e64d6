-- a feature of a partition of the target (owner 0): occurrences of each bin of the feature
SELECT 0 AS owner, feature_id, unnest(range(len(partitions)))::UINTEGER AS partition_id, unnest(partitions) AS counts
FROM target_sketch
