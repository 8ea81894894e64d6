-- a row of the dataset, after the partition that it falls into (Def. 2)
-- inlined: each form of cells computes it from the rows as they are; to keep it would be a copy of the dataset
SELECT
    (((n."_modelhub row 5f1c" * p.stride + p.shift) % p.rows) // _format.partition_size())::UINTEGER
        AS "_modelhub partition 5f1c",
    n.* EXCLUDE ("_modelhub row 5f1c")
FROM dataset_row AS n, row_permutation AS p
