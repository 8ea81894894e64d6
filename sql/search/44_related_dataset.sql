-- a dataset that shares more than min_overlap of the target's features (Def. 3)
SELECT dataset_id, count(*) AS shared_features, count(*) / (SELECT count(*) FROM target_feature) AS overlap
FROM feature_match
GROUP BY dataset_id
HAVING overlap > (SELECT options.min_overlap FROM options)
