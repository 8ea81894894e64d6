-- a row of the dataset in the sample that the resolution of numbers is chosen from
-- inlined: it is read once
SELECT COLUMNS(n.* EXCLUDE ("_modelhub row 5f1c"))
FROM dataset_row AS n, row_permutation AS p
WHERE (n."_modelhub row 5f1c" * p.sample_stride + _format.seed()) % p.rows < _format.sample_rows()
