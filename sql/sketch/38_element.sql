-- a bin of a feature in a partition and its occurrences; bin NULL counts what is missing
SELECT partition_id, feature_id, bin, occurrences
FROM fine_element
ANTI JOIN coarsening USING (feature_id)
UNION ALL
SELECT partition_id, feature_id, _logic.number_bin(bin, k, b) AS bin, sum(occurrences)::UBIGINT AS occurrences
FROM fine_element
JOIN coarsening USING (feature_id)
GROUP BY ALL
