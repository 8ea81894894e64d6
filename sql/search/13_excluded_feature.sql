-- a feature of the target that does not count in a dataset: its owner left it out (a label, say), or its sketch, as a key or empty
WITH exclusion AS (
    SELECT dataset_id, unnest(excluded) AS excluded FROM known_dataset
),
skipped_column AS (
    SELECT dataset_id, rows, unnest(skipped) AS skipped FROM known_dataset
),
-- Most datasets leave out the same.
meant AS (
    SELECT x.excluded, t.feature_id, t.feature
    FROM (SELECT DISTINCT excluded FROM exclusion) AS x
    JOIN target_feature AS t ON _logic.excludes(x.excluded, t.feature)
),
-- Whether a column is a key, or empty, its rows say: of two samples of one table it may be so in one of them.
unseen AS (
    SELECT s.skipped, t.feature_id, t.feature, _logic.most_rows_unseen(s.skipped, t.feature, t.kind, t.rows, t.nulls) AS most_rows
    FROM (SELECT DISTINCT skipped FROM skipped_column) AS s
    CROSS JOIN target_feature AS t
    WHERE most_rows > 0
),
left_out AS (
    SELECT x.dataset_id, m.feature_id AS target_feature_id, m.feature, true AS by_owner
    FROM exclusion AS x
    JOIN meant AS m USING (excluded)
    UNION ALL
    SELECT s.dataset_id, u.feature_id, u.feature, false
    FROM skipped_column AS s
    JOIN unseen AS u ON u.skipped = s.skipped AND s.rows < u.most_rows
)
SELECT dataset_id, target_feature_id, bool_or(by_owner) AS by_owner
FROM left_out AS l
-- A leaf of a struct may have the name of a column that was left out.
WHERE NOT EXISTS (
    FROM _hub.features AS f WHERE f.dataset_id = l.dataset_id AND _logic.folded(f.feature) = _logic.folded(l.feature)
)
GROUP BY dataset_id, target_feature_id
