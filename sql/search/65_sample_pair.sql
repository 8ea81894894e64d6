-- a pair of partitions of the sample
SELECT
    _logic.pair_number(s.owner, s.partition_id, t.partition_id) AS pair_id,
    s.owner, s.space_id, s.partition_id AS source_partition, t.partition_id AS target_partition
FROM sample_vector AS s
JOIN sample_vector AS t ON t.space_id = s.space_id AND t.owner = 0
WHERE s.owner <> 0
