-- a registered model and the dataset that it was trained on
-- example: SELECT model, version, source_accuracy, rows FROM list_models
CREATE VIEW list_models AS
SELECT
    model, version, source_accuracy, task, framework, uri, metadata,
    dataset, rows, partitions, source, excluded, m.registered_at
FROM _hub.models AS m
JOIN _hub.datasets USING (dataset_id)
ORDER BY model ASC, version ASC
