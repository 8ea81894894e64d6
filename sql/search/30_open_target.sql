-- a feature of the target without a match so far, in a dataset that may be among the nearest
SELECT
    d.dataset_id, t.feature_id AS target_feature_id, t.kind,
    count(*) OVER (PARTITION BY d.dataset_id) > _logic.few_features() AS many
FROM possible_dataset AS d
CROSS JOIN target_feature AS t
ANTI JOIN settled_match AS m ON m.dataset_id = d.dataset_id AND m.target_feature_id = t.feature_id
