-- a feature of such a dataset that has the name and kind of a feature of the target
SELECT row_number() OVER () AS pair, target_feature_id, dataset_id, feature_id, k, b, is_finer
FROM named_pair
SEMI JOIN possible_dataset USING (dataset_id)
