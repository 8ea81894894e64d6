-- that feature on both sides: of the dataset (owner), and of the target (owner 0)
SELECT f.dataset_id AS owner, f.feature_id, f.kind, f.k, f.b, f.bins, f.counts, f."values"
FROM _hub.features AS f
JOIN worst_match AS w ON f.dataset_id = w.dataset_id AND f.feature_id = w.feature_id
UNION ALL
SELECT 0, t.feature_id, t.kind, t.k, t.b, t.bins, t.counts, t."values"
FROM target_feature AS t
JOIN worst_match AS w ON t.feature_id = w.target_feature_id
