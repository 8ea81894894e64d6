-- how the rows are shuffled: row r is number (r * stride + shift) mod rows; a sample by sample_stride, seed (a row for each dataset)
-- filled: rows that the first partition has already; partitions: of so many the histograms are kept
SELECT
    dataset_number,
    features_before,
    rows,
    _logic.stride(greatest(rows, 1)) AS sample_stride,
    CASE _format.partitioning() WHEN 'sequential' THEN 1 ELSE sample_stride END AS stride,
    CASE _format.partitioning() WHEN 'sequential' THEN 0 ELSE _format.seed() END AS shift,
    0 AS filled,
    _logic.whole_partitions(rows) AS whole_partitions,
    _logic.kept_partitions(rows) AS partitions
FROM dataset_size
