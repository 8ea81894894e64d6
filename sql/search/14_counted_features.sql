-- a dataset and how many features of the target count there
SELECT dataset_id, (SELECT count(*) FROM target_feature) - count(x.target_feature_id) AS features
FROM known_dataset
LEFT JOIN excluded_feature AS x USING (dataset_id)
GROUP BY dataset_id
