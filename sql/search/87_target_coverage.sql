-- a partition of the target and a candidate: how many of its partitions match
WITH match_count AS (
    SELECT owner AS dataset_id, target_partition, count(*) AS matches FROM partition_match GROUP BY ALL
),
target_partition AS (
    SELECT unnest(range((SELECT max(len(partitions)) FROM target_sketch)))::UINTEGER AS target_partition
)
SELECT dataset_id, target_partition, coalesce(matches, 0) AS matches
FROM candidate_dataset
CROSS JOIN target_partition
LEFT JOIN match_count USING (dataset_id, target_partition)
