-- a bin of a feature in a partition and its occurrences; bin NULL counts the NULLs
SELECT
    (element >> 32)::UINTEGER AS partition_id,
    c.feature_id, feature, kind,
    nullif((element & 65535)::USMALLINT, _logic.missing_bin()) AS bin,
    occurrences::UBIGINT AS occurrences,
    CASE WHEN bin < _logic.first_bin(kind) + CASE kind WHEN 'time' THEN _logic.time_bins() ELSE _format.number_bins() END THEN total END AS total
FROM form_element AS e
JOIN dataset_column AS c ON c.form = e.form AND c.feature_id = (element >> 16) & 65535
