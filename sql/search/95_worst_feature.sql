-- the feature of the target that differs most in the best dataset (one row)
SELECT
    t.feature AS target_feature, coalesce(m.distance, 1) AS distance, f.feature AS source_feature,
    tr.shown AS target_range, sr.shown AS source_range
FROM best_dataset AS d
CROSS JOIN target_feature AS t
ANTI JOIN excluded_feature AS x ON x.dataset_id = d.dataset_id AND x.target_feature_id = t.feature_id
LEFT JOIN feature_match AS m ON m.dataset_id = d.dataset_id AND m.target_feature_id = t.feature_id
LEFT JOIN _hub.features AS f ON f.dataset_id = m.dataset_id AND f.feature_id = m.feature_id
LEFT JOIN feature_range AS tr ON tr.owner = 0 AND tr.feature_id = t.feature_id
LEFT JOIN feature_range AS sr ON sr.owner = m.dataset_id AND sr.feature_id = m.feature_id
-- What differs much before what is lacking, and that before what differs little.
ORDER BY
    CASE WHEN m.distance > 0.5 THEN 0 WHEN m.distance IS NULL THEN 1 ELSE 2 END ASC, round(m.distance, 12) DESC, t.feature_id ASC
LIMIT 1
