-- Stores the models of modelhub_model, whose datasets are stored; those that they replace go, with what was measured of them.

-- The same list again, which DuckDB deletes and inserts: another transaction that removes a shared dataset is in conflict.
UPDATE _hub.datasets SET excluded = excluded WHERE dataset_id IN (SELECT dataset_id FROM temp.main.modelhub_model WHERE shares);

DELETE FROM _hub.models WHERE (model, version) IN (SELECT (model, version) FROM temp.main.modelhub_model WHERE replace);

DELETE FROM _hub.outcomes WHERE (model, version) IN (SELECT (model, version) FROM temp.main.modelhub_model WHERE replace);

INSERT INTO _hub.models
SELECT
    model, version, dataset_id, accuracy::DOUBLE, accuracy_rows::UBIGINT, task, framework, uri, metadata, registered_at
FROM temp.main.modelhub_model
ORDER BY registered_at ASC;
