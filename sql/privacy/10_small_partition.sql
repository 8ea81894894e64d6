-- a dataset whose last partition is so small that its rows show
SELECT
    dataset_id, dataset, NULL::VARCHAR AS feature, 'a small partition' AS what,
    (rows - (partitions - 1) * _format.partition_size())::UBIGINT AS rows,
    'the last partition has so few rows: of each of them nearly all values can be put together' AS meaning
FROM _hub.datasets
WHERE rows - (partitions - 1) * _format.partition_size() <= 5
