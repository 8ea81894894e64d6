-- a feature of the target that the owner of a dataset left out of its sketch (a label, say): it does not count
SELECT DISTINCT x.dataset_id, t.feature_id AS target_feature_id
FROM (SELECT dataset_id, unnest(excluded) AS name FROM known_dataset) AS x
JOIN target_feature AS t ON _logic.folded(x.name) = _logic.folded(t.feature)
-- A leaf of a struct may have the name of a column that was left out.
WHERE NOT EXISTS (
    FROM _hub.features AS f WHERE f.dataset_id = x.dataset_id AND _logic.folded(f.feature) = _logic.folded(t.feature)
)
