-- how the rows are shuffled: row r is number (r * stride + shift) mod rows (one row)
SELECT
    rows,
    CASE _format.partitioning() WHEN 'sequential' THEN 1 ELSE _logic.stride(greatest(rows, 1)) END AS stride,
    CASE _format.partitioning() WHEN 'sequential' THEN 0 ELSE _format.seed() END AS shift
FROM (SELECT count(*) AS rows FROM dataset_row)
