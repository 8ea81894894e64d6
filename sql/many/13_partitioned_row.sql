-- a row of a dataset, after its place: the partition that it falls into (Def. 2) and the features before its own
SELECT
    _logic.place(
        _logic.kept_partition(
            least(
                (_logic.row_at(n."_modelhub row 5f1c") * p.stride + p.shift) % p.rows // _format.partition_size(),
                p.whole_partitions - 1
            ),
            p.partitions, p.whole_partitions
        ),
        p.features_before
    ) AS "_modelhub place 5f1c",
    n.* EXCLUDE ("_modelhub row 5f1c")
FROM dataset_row AS n
JOIN row_permutation AS p ON p.dataset_number = _logic.dataset_at(n."_modelhub row 5f1c")
