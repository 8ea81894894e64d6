-- a partition of the target and how many partitions of the model's dataset match it, uncovered ones first
SELECT c.target_partition, c.matches, d.partitions AS source_partitions, (SELECT threshold.max_js FROM threshold) AS max_js
FROM target_coverage AS c
JOIN explained USING (dataset_id)
JOIN known_dataset AS d USING (dataset_id)
ORDER BY c.matches ASC, c.target_partition ASC
