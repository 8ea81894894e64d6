-- rows of a dataset, and how many features come before its own
SELECT dataset_number, features_before, rows
FROM (SELECT _logic.dataset_at("_modelhub row 5f1c") AS dataset_number, count(*) AS rows FROM dataset_row GROUP BY ALL)
JOIN (SELECT dataset_number, min(feature_id)::UBIGINT - 1 AS features_before FROM typed_column GROUP BY dataset_number)
    USING (dataset_number)
