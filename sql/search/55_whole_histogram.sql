-- a feature of a candidate (owner), or of the target, as one partition
-- inlined: it would be a copy of the hub's
SELECT dataset_id AS owner, feature_id, 0 AS partition_id, counts
FROM _hub.features
SEMI JOIN candidate_dataset USING (dataset_id)
UNION ALL
SELECT 0, feature_id, 0, counts FROM target_feature
