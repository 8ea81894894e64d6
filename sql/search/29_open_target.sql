-- a feature of the target that says enough to be known by its values, and has no match so far, in a dataset that may be among the nearest
SELECT d.dataset_id, t.feature_id AS target_feature_id, t.kind
FROM possible_dataset AS d
CROSS JOIN target_feature AS t
ANTI JOIN named_match AS m ON m.dataset_id = d.dataset_id AND m.target_feature_id = t.feature_id
ANTI JOIN excluded_feature AS x ON x.dataset_id = d.dataset_id AND x.target_feature_id = t.feature_id
WHERE _logic.is_telling(t.kind, t.effective_bins) OR (SELECT options.features FROM options) = 'values'
