-- a bin of a feature in a partition and its occurrences, at the resolution of the sample
SELECT _logic.partition_at(place) AS partition_id, c.feature_id, bin, occurrences::UBIGINT AS occurrences
FROM form_element AS e
JOIN typed_column AS c ON c.form = e.form AND c.feature_id = _logic.feature_at(place)
ANTI JOIN left_out AS l ON l.feature_id = c.feature_id
