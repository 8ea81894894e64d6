-- a model whose dataset is not there, and a dataset without a model
SELECT m.dataset_id, NULL::VARCHAR AS feature, 'the dataset of the model ' || m.model || ' is missing' AS fault
FROM _hub.models AS m
ANTI JOIN _hub.datasets USING (dataset_id)
UNION ALL
SELECT dataset_id, NULL, 'no model uses the dataset'
FROM _hub.datasets
ANTI JOIN _hub.models USING (dataset_id)
