-- a row of a dataset, in the sample that the resolution of numbers is chosen from and keys are found in, after its place: its
-- number and the features before its own
SELECT
    _logic.place(_logic.row_at(n."_modelhub row 5f1c"), p.features_before) AS "_modelhub place 5f1c",
    n.* EXCLUDE ("_modelhub row 5f1c")
FROM dataset_row AS n
JOIN row_permutation AS p ON p.dataset_number = _logic.dataset_at(n."_modelhub row 5f1c")
WHERE (_logic.row_at(n."_modelhub row 5f1c") * p.sample_stride + _format.seed()) % p.rows < _format.sample_rows()
