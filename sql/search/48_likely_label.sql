-- a feature of the target that most datasets of the hub left out: a label?
SELECT target_feature_id, any_value(feature) AS feature
FROM excluded_feature
JOIN target_feature ON feature_id = target_feature_id
WHERE by_owner
GROUP BY target_feature_id
HAVING 2 * count(*) > (SELECT count(*) FROM known_dataset)
