-- a feature of a dataset that has the name and kind of a feature of the target
-- inlined: its histograms would be a copy of the hub's
SELECT t.feature_id AS target_feature_id, s.dataset_id, s.feature_id, s.bins, s.counts, s."values", s.elements
FROM target_feature AS t
JOIN _hub.features AS s ON _logic.folded(s.feature) = _logic.folded(t.feature) AND s.kind = t.kind
SEMI JOIN known_dataset AS d ON d.dataset_id = s.dataset_id
