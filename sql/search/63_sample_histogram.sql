-- a feature of a partition that an automatic t is chosen from; none when t is given
-- optimizer: the limit, which no search reaches, makes it read the histograms of the candidates only (10,000 models)
WITH size AS (
    SELECT dataset_id AS owner, partitions FROM known_dataset
    UNION ALL
    SELECT 0 AS owner, max(len(partitions)) AS partitions FROM target_sketch
),
histogram AS (
    SELECT dataset_id AS owner, feature_id, partition_id, frequent || rare AS counts
    FROM _hub.partition_counts
    SEMI JOIN (SELECT dataset_id FROM candidate_dataset LIMIT 10000) AS candidate USING (dataset_id)
    UNION ALL
    FROM target_histogram
)
SELECT owner, feature_id, partition_id, counts
FROM histogram
JOIN size USING (owner)
WHERE _logic.is_sampled(partition_id, partitions) AND (SELECT options.max_js FROM options) IS NULL
