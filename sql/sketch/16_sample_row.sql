-- a row of the dataset in the sample that the resolution of numbers is chosen from
-- inlined: it is read once
SELECT COLUMNS(n.* EXCLUDE ("modelhub row"))
FROM dataset_row AS n, row_permutation AS p
WHERE (n."modelhub row" * p.sample_stride + _format.seed()) % p.rows < _format.sample_rows()
