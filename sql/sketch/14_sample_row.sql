-- a row of the dataset, after its number, in the sample that the resolution of numbers is chosen from and keys are found in
SELECT n.*
FROM dataset_row AS n, row_permutation AS p
WHERE (n."_modelhub row 5f1c" * p.sample_stride + _format.seed()) % p.rows < _format.sample_rows()
