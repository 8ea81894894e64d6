-- Claims of sql/values/80_models.sql.

SELECT 'a variable that is not set is NULL as text', _logic.text_variable('no such variable') IS NULL;

SET VARIABLE number_of_claims = 7;

SELECT 'a variable that is set is text', _logic.text_variable('number_of_claims') = '7';

SELECT 'every dataset has a model', count(*) = 0 FROM _logic.unused_datasets;

SELECT 'the time does not depend on the time zone', _logic.utc_now() = now() AT TIME ZONE 'UTC';

SELECT 'a script that is not run was told nothing', _logic.registering() IS NULL AND _logic.removing() IS NULL;

SELECT 'the dataset of a model is found by its name: ' || model,
    _logic.dataset_of(model, NULL) = dataset_id AND _logic.dataset_of(model, version) = dataset_id
FROM models;

SELECT 'a model that is not there is told, and the nearest name',
    _logic.unknown_model('bear', NULL) LIKE 'ModelNotFoundError: no model is called bear%' AND _logic.unknown_model('bear', NULL) LIKE '%beer';

SELECT 'a version that is not there is told, and those that are',
    _logic.unknown_model('beer', '7') LIKE '%no model is called beer, version 7%' AND _logic.unknown_model('beer', '7') LIKE '%its versions are ''''';

SELECT 'a name of any length makes a short message', len(_logic.unknown_model(repeat('x', 10000), repeat('y', 10000))) < 1500;

SELECT 'a model that is explained is one, the latest', count(*) = 1 AND bool_and(e.dataset_id = m.dataset_id AND e.version = '')
FROM _logic.explained('beer', NULL) AS e
JOIN models AS m USING (model);
