-- a feature of the target and the feature of the model's dataset that it matches, closest first; NULL where none does
SELECT
    t.feature AS target_feature, t.kind, s.feature AS source_feature, m.jaccard, m.js_divergence,
    t."values" AS target_values, t.nulls AS target_nulls, s."values" AS source_values, s.nulls AS source_nulls
FROM target_feature AS t
CROSS JOIN searched AS e
LEFT JOIN feature_match AS m ON m.target_feature_id = t.feature_id
LEFT JOIN _hub.features AS s ON s.dataset_id = e.dataset_id AND s.feature_id = m.feature_id
ORDER BY m.js_divergence ASC NULLS LAST, t.feature_id ASC
