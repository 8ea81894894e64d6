-- a space of reachable datasets
SELECT DISTINCT space_id
FROM dataset_space
SEMI JOIN reachable_dataset USING (dataset_id)
