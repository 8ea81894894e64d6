-- Removes the model of the variable `model` (one version of it with `version`), and the sketch
-- that no model is left to use. One transaction.

SET VARIABLE removing = {model: text_variable('model'), version: text_variable('version')};
RESET VARIABLE model;
RESET VARIABLE version;

SET VARIABLE remove_check = (SELECT CASE
    WHEN NOT EXISTS (FROM models WHERE model = removing().model AND version = coalesce(removing().version, version))
        THEN error(unknown_model(removing().model, removing().version))
END);

BEGIN TRANSACTION;

DELETE FROM models WHERE model = removing().model AND version = coalesce(removing().version, version);

DELETE FROM partition_counts WHERE dataset_id IN (SELECT dataset_id FROM unused_datasets);
DELETE FROM features WHERE dataset_id IN (SELECT dataset_id FROM unused_datasets);
DELETE FROM datasets WHERE dataset_id IN (SELECT dataset_id FROM unused_datasets);

COMMIT;
