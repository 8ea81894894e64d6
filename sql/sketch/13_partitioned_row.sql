-- a row of the dataset, after its place: the partition that it falls into (Def. 2; the one after the last counts in the whole alone)
-- and the features before its own
-- inlined: each form of cells computes it from the rows as they are; to keep it would be a copy of the dataset
SELECT
    _logic.place(
        _logic.kept_partition(
            least(
                ((n."_modelhub row 5f1c" * p.stride + p.shift) % p.rows + p.filled) // _format.partition_size(),
                p.whole_partitions - 1
            ),
            p.partitions, p.whole_partitions
        ),
        p.features_before
    ) AS "_modelhub place 5f1c",
    n.* EXCLUDE ("_modelhub row 5f1c")
FROM dataset_row AS n, row_permutation AS p
