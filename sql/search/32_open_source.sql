-- a feature of such a dataset without a match so far
SELECT f.dataset_id, f.feature_id, f.kind
FROM _hub.features AS f
SEMI JOIN open_target USING (dataset_id)
ANTI JOIN settled_match AS m ON m.dataset_id = f.dataset_id AND m.feature_id = f.feature_id
