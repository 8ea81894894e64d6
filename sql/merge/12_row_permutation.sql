-- rows of the parts together, and of how many partitions the histograms are kept (one row)
SELECT
    0::USMALLINT AS dataset_number, sum(rows)::BIGINT AS rows,
    _logic.kept_partitions(sum(rows)::BIGINT) AS partitions FROM part_size
