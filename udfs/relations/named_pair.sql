-- a feature of a dataset that has the name and kind of a feature of the target; they are compared at the coarser resolution (k, b)
-- inlined: it is read once, with its histogram, and of what is possible again
SELECT
    t.feature_id AS target_feature_id, s.dataset_id, s.feature_id,
    greatest(t.k, s.k) AS k, least(t.b, s.b) AS b,
    coalesce(s.k < t.k OR s.b > t.b, false) AS is_finer, s."values" AS size, s.bins, s.counts
FROM target_feature AS t
JOIN _hub.features AS s ON _logic.folded(s.feature) = _logic.folded(t.feature) AND s.kind = t.kind
SEMI JOIN known_dataset AS d ON d.dataset_id = s.dataset_id
WHERE (SELECT options.features FROM options) = 'names'
