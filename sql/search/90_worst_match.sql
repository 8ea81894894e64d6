-- the feature of the target that differs most from the model of rank 1, and what it is compared with there, if anything (one row)
SELECT d.dataset_id, t.feature_id AS target_feature_id, m.feature_id, m.distance
FROM (SELECT dataset_id FROM judged_model WHERE rank = 1) AS d
CROSS JOIN target_feature AS t
ANTI JOIN excluded_feature AS x ON x.dataset_id = d.dataset_id AND x.target_feature_id = t.feature_id
LEFT JOIN feature_match AS m ON m.dataset_id = d.dataset_id AND m.target_feature_id = t.feature_id
-- What differs much before what is lacking, and that before what differs little.
ORDER BY
    CASE WHEN m.distance > 0.5 THEN 0 WHEN m.distance IS NULL THEN 1 ELSE 2 END ASC, m.distance DESC, t.feature_id ASC
LIMIT 1
