-- a pair of partitions that shares a band (search lsh)
SELECT DISTINCT
    _logic.pair_number(s.owner, s.partition_id, t.partition_id) AS pair_id,
    s.owner, s.space_id, s.partition_id AS source_partition, t.partition_id AS target_partition
FROM partition_band AS s
JOIN partition_band AS t ON t.space_id = s.space_id AND t.band = s.band AND t.signature = s.signature AND t.owner = 0
WHERE s.owner <> 0
