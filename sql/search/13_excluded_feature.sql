-- a feature of the target that the owner of a dataset left out of its sketch (a label, say): it does not count
WITH exclusion AS (
    SELECT dataset_id, unnest(excluded) AS excluded FROM known_dataset
),
-- Most datasets leave out the same.
meant AS (
    SELECT x.excluded, t.feature_id, t.feature
    FROM (SELECT DISTINCT excluded FROM exclusion) AS x
    JOIN target_feature AS t ON _logic.excludes(x.excluded, t.feature)
)
SELECT DISTINCT x.dataset_id, m.feature_id AS target_feature_id
FROM exclusion AS x
JOIN meant AS m USING (excluded)
-- A leaf of a struct may have the name of a column that was left out.
WHERE NOT EXISTS (
    FROM _hub.features AS f WHERE f.dataset_id = x.dataset_id AND _logic.folded(f.feature) = _logic.folded(m.feature)
)
