-- a bin of a feature in a partition and its occurrences, at the resolution of the sample
SELECT (place >> 16)::UINTEGER AS partition_id, c.feature_id, bin, occurrences::UBIGINT AS occurrences
FROM form_element AS e
JOIN typed_column AS c ON c.form = e.form AND c.feature_id = place & 65535
ANTI JOIN left_out AS l ON l.feature_id = c.feature_id
