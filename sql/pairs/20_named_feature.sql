-- a feature of such a dataset; those of one name and kind are compared, and have one number
SELECT
    dataset_id, feature_id, _logic.folded(feature) AS folded_name, kind, nulls, k, b,
    dense_rank() OVER (ORDER BY _logic.folded(feature) ASC, kind ASC) AS name_id
FROM _hub.features
SEMI JOIN paired_dataset USING (dataset_id)
