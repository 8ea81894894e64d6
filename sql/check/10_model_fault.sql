-- a model whose dataset is not there, a dataset without a model, and an outcome that none can have
SELECT m.dataset_id, NULL::VARCHAR AS feature, 'the dataset of the model ' || m.model || ' is missing' AS fault
FROM _hub.models AS m
ANTI JOIN _hub.datasets USING (dataset_id)
UNION ALL
SELECT dataset_id, NULL, 'no model uses the dataset'
FROM _hub.datasets
ANTI JOIN _hub.models USING (dataset_id)
UNION ALL
SELECT NULL, NULL, 'there is an outcome of the model ' || model || ', which is missing'
FROM _hub.outcomes
ANTI JOIN _hub.models USING (model, version)
UNION ALL
SELECT NULL, NULL, 'an outcome of the model ' || model || ' is no measurement'
FROM _hub.outcomes
WHERE NOT (
    isfinite(score) AND score <= 1 AND metric IN ('accuracy', 'f1', 'r2') AND (metric = 'r2' OR score >= 0)
    AND (verdict IS NULL OR verdict IN ('same', 'close', 'partly', 'far'))
    AND (distance IS NULL OR distance BETWEEN 0 AND 1 + 1e-9)
)
