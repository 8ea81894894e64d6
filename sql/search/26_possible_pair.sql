-- a feature of such a dataset that has the name and kind of a feature of the target
FROM named_pair SEMI JOIN possible_dataset USING (dataset_id)
