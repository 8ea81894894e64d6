-- a feature of a dataset: its histogram over the whole dataset and its MinHash signature
-- example: SELECT feature, kind, mean FROM features WHERE dataset_id = 1
CREATE VIEW features AS FROM _hub.features
