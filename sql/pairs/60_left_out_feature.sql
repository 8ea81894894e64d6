-- a dataset, another, and how many features of the first the owner of the other left out, or its sketch: they do not count there
WITH exclusion AS (
    SELECT dataset_id AS other_id, unnest(excluded) AS excluded FROM paired_dataset
),
skipped_column AS (
    SELECT dataset_id AS other_id, rows, unnest(skipped) AS skipped FROM paired_dataset
),
-- Most datasets leave out the same.
meant AS (
    SELECT x.excluded, f.folded_name
    FROM (SELECT DISTINCT excluded FROM exclusion) AS x
    JOIN (SELECT DISTINCT folded_name FROM named_feature) AS f ON _logic.excludes(x.excluded, f.folded_name)
),
unseen AS (
    SELECT
        s.skipped, f.dataset_id, f.feature_id, f.folded_name,
        _logic.most_rows_unseen(s.skipped, f.folded_name, f.kind, d.rows, f.nulls) AS most_rows
    FROM (SELECT DISTINCT skipped FROM skipped_column) AS s
    JOIN named_feature AS f ON starts_with(_logic.folded(s.skipped), f.folded_name || ' (')
    JOIN paired_dataset AS d ON d.dataset_id = f.dataset_id
    WHERE most_rows > 0
),
left_out AS (
    SELECT f.dataset_id, x.other_id, f.feature_id, f.folded_name
    FROM exclusion AS x
    JOIN meant AS m USING (excluded)
    JOIN named_feature AS f USING (folded_name)
    UNION ALL
    SELECT u.dataset_id, s.other_id, u.feature_id, u.folded_name
    FROM skipped_column AS s
    JOIN unseen AS u ON u.skipped = s.skipped AND s.rows < u.most_rows
)
SELECT l.dataset_id, l.other_id, count(DISTINCT l.feature_id) AS left_out
FROM left_out AS l
-- A leaf of a struct may have the name of a column that was left out.
ANTI JOIN named_feature AS o ON o.dataset_id = l.other_id AND o.folded_name = l.folded_name
GROUP BY l.dataset_id, l.other_id
