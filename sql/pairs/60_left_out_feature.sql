-- a dataset, another, and how many features of the first the owner of the other left out: they do not count there
WITH exclusion AS (
    SELECT dataset_id AS other_id, unnest(excluded) AS excluded FROM paired_dataset
),
-- Most datasets leave out the same.
meant AS (
    SELECT x.excluded, f.folded_name
    FROM (SELECT DISTINCT excluded FROM exclusion) AS x
    JOIN (SELECT DISTINCT folded_name FROM named_feature) AS f ON _logic.excludes(x.excluded, f.folded_name)
)
SELECT f.dataset_id, x.other_id, count(DISTINCT f.feature_id) AS left_out
FROM exclusion AS x
JOIN meant AS m USING (excluded)
JOIN named_feature AS f USING (folded_name)
-- A leaf of a struct may have the name of a column that was left out.
ANTI JOIN named_feature AS o ON o.dataset_id = x.other_id AND o.folded_name = m.folded_name
GROUP BY f.dataset_id, x.other_id
