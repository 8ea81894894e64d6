-- a feature of the same name, in a dataset that may be among the nearest
FROM named_similarity
SEMI JOIN possible_dataset USING (dataset_id)
