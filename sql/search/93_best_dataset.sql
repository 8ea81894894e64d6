-- the dataset of the model of rank 1
SELECT dataset_id FROM judged_model WHERE rank = 1
