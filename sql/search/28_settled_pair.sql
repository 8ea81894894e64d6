-- such a pair, in a dataset that may be among the nearest
FROM named_pair
SEMI JOIN possible_dataset USING (dataset_id)
