-- Removes the model of the variable `model` (one version of it with `version`), and the sketch
-- that no model is left to use. One transaction.

BEGIN TRANSACTION;

SET VARIABLE remove_check = (SELECT CASE
    WHEN NOT EXISTS (
        FROM models WHERE model = text_variable('model') AND version = coalesce(text_variable('version'), version)
    ) THEN error('ModelNotFoundError: no model is called ' || coalesce(left(text_variable('model'), 200), 'NULL') || coalesce(', version ' || text_variable('version'), ''))
END);

DELETE FROM models WHERE model = text_variable('model') AND version = coalesce(text_variable('version'), version);

DELETE FROM partition_counts WHERE dataset_id IN (SELECT dataset_id FROM unused_datasets);
DELETE FROM features WHERE dataset_id IN (SELECT dataset_id FROM unused_datasets);
DELETE FROM datasets WHERE dataset_id IN (SELECT dataset_id FROM unused_datasets);

COMMIT;

RESET VARIABLE model;
RESET VARIABLE version;
