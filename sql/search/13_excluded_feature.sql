-- a feature of the target that the owner of a dataset left out of its sketch (a label, say): it does not count
SELECT DISTINCT dataset_id, t.feature_id AS target_feature_id
FROM (SELECT dataset_id, unnest(excluded) AS name FROM known_dataset)
JOIN target_feature AS t ON _logic.folded(name) = _logic.folded(t.feature)
