-- a feature of such a dataset that says enough, and has no match so far
SELECT f.dataset_id, f.feature_id, f.kind
FROM _hub.features AS f
SEMI JOIN open_target USING (dataset_id)
ANTI JOIN named_match AS m ON m.dataset_id = f.dataset_id AND m.feature_id = f.feature_id
WHERE _logic.is_telling(f.kind, f.effective_bins) OR (SELECT options.features FROM options) = 'values'
