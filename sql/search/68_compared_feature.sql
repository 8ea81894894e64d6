-- a feature of the explained dataset (owner), or of the target (owner 0)
-- inlined: it would be a copy of the hub's
SELECT f.dataset_id AS owner, f.feature_id, f.kind, f.k, f.b, f.bins, f.counts, f."values"
FROM _hub.features AS f
SEMI JOIN explained AS e ON e.dataset_id = f.dataset_id
UNION ALL
SELECT 0, feature_id, kind, k, b, bins, counts, "values" FROM target_feature
