-- Registers a model: all or nothing. In a stock shell: set the variables `model` and `dataset` (a
-- file, a glob, a table or a view) and run this script; the others are optional. `like_model` names
-- a registered model (`like_version`: which version, by default the latest) whose dataset is shared
-- instead of `dataset`. The hub is changed in one transaction, at the end.

SET VARIABLE registering = {
    model: text_variable('model'),
    version: coalesce(text_variable('version'), ''),
    has_dataset: text_variable('dataset') IS NOT NULL,
    dataset: coalesce(text_variable('dataset'), 'no_dataset'),
    exclude: coalesce(getvariable('exclude')::VARCHAR[], []),
    source: coalesce(text_variable('source'), text_variable('dataset')),
    dataset_name: coalesce(text_variable('dataset_name'), text_variable('model')),
    like_model: text_variable('like_model'),
    like_version: text_variable('like_version'),
    accuracy: text_variable('accuracy'),
    task: text_variable('task'),
    framework: text_variable('framework'),
    uri: text_variable('uri'),
    metadata: text_variable('metadata'),
    replace: coalesce(getvariable('replace')::BOOLEAN, false)
};

-- What is said of this model is not said of the next, whether or not this one can be registered.
RESET VARIABLE model;
RESET VARIABLE version;
RESET VARIABLE dataset;
RESET VARIABLE exclude;
RESET VARIABLE source;
RESET VARIABLE dataset_name;
RESET VARIABLE like_model;
RESET VARIABLE like_version;
RESET VARIABLE accuracy;
RESET VARIABLE task;
RESET VARIABLE framework;
RESET VARIABLE uri;
RESET VARIABLE metadata;
RESET VARIABLE replace;

SET VARIABLE register_check = (SELECT CASE
    WHEN coalesce(trim(registering().model), '') = '' THEN error('OptionError: a model needs a name: SET VARIABLE model = ''...''')
    WHEN registering().has_dataset = (registering().like_model IS NOT NULL)
        THEN error('OptionError: set one of the variables dataset (a file, table or view) and like_model (a registered model)')
    WHEN registering().accuracy IS NOT NULL AND NOT coalesce(TRY_CAST(registering().accuracy AS DOUBLE) BETWEEN 0 AND 1, false)
        THEN error('OptionError: the accuracy must be a number in [0, 1], got ' || registering().accuracy)
    WHEN NOT registering().replace AND EXISTS (FROM models WHERE model = registering().model AND version = registering().version)
        THEN error('ModelExistsError: model ' || left(registering().model, 200) || ', version ''' || registering().version
        || ''', is registered already: set replace, or give another version')
    WHEN NOT registering().has_dataset THEN dataset_of(registering().like_model, registering().like_version)
END);

SET VARIABLE registering_nested = (FROM has_structs(registering().dataset));

CREATE OR REPLACE TEMP TABLE modelhub_registering_columns AS
FROM dataset_columns(registering().dataset, exclude := registering().exclude, nested := getvariable('registering_nested'));

SET VARIABLE registering_forms = (SELECT coalesce(list(DISTINCT form), [])::VARCHAR[] FROM modelhub_registering_columns);

CREATE OR REPLACE TEMP TABLE modelhub_registering_elements AS
WITH dataset_row AS MATERIALIZED (
    FROM numbered_rows(registering().dataset, exclude := registering().exclude, nested := getvariable('registering_nested'))
)
FROM elements('dataset_row', 'modelhub_registering_columns', forms := getvariable('registering_forms'));

CREATE OR REPLACE TEMP TABLE modelhub_registering_features AS FROM sketched_features('modelhub_registering_elements');

SET VARIABLE registering_skipped = (
    SELECT string_agg(feature || ' (' || type || CASE WHEN kind IS NULL THEN ')' ELSE ', only NULL)' END, ', ' ORDER BY feature_id)
    FROM modelhub_registering_columns
    ANTI JOIN modelhub_registering_features USING (feature_id)
);

CREATE OR REPLACE TEMP TABLE modelhub_registering_histograms AS
FROM partition_histograms('modelhub_registering_elements', 'modelhub_registering_features');

CREATE OR REPLACE TEMP TABLE modelhub_registering_distances AS
FROM whole_distances('modelhub_registering_features', 'modelhub_registering_histograms');

DROP TABLE modelhub_registering_elements;

SET VARIABLE registering_rows = (SELECT count(*) FROM query_table(quoted_path(registering().dataset)));
SET VARIABLE registering_partitions = (SELECT ceil(getvariable('registering_rows') / partition_size) FROM settings);

SET VARIABLE register_check = (SELECT CASE
    WHEN NOT registering().has_dataset THEN NULL
    WHEN getvariable('registering_rows') = 0 THEN error('DatasetError: ' || registering().source || ' has no rows: there is nothing to sketch')
    WHEN NOT EXISTS (FROM modelhub_registering_features) THEN error('DatasetError: ' || registering().source || ' has no column that can be compared: '
        || (SELECT string_agg(feature || ' (' || type || ')', ', ' ORDER BY feature_id) FROM modelhub_registering_columns)
        || CASE WHEN len(registering().exclude) > 0 THEN '; excluded: ' || array_to_string(registering().exclude, ', ') ELSE '' END
        || '. Pass a table with numbers, text, dates or lists that are not all NULL')
END);

BEGIN TRANSACTION;

-- Before the old version is deleted: it may be the one whose dataset is shared.
SET VARIABLE registering_dataset = (SELECT CASE
    WHEN registering().has_dataset THEN (SELECT coalesce(max(dataset_id), 0) + 1 FROM datasets)
    ELSE dataset_of(registering().like_model, registering().like_version)
END);

-- The same list again, which DuckDB deletes and inserts: another transaction that removes the shared dataset is in conflict.
UPDATE datasets SET excluded = excluded WHERE dataset_id = getvariable('registering_dataset');

DELETE FROM models WHERE model = registering().model AND version = registering().version AND registering().replace;

INSERT INTO datasets
SELECT
    getvariable('registering_dataset'),
    registering().dataset_name,
    getvariable('registering_rows'),
    getvariable('registering_partitions'),
    registering().source,
    registering().exclude,
    utc_now(),
    settings_fingerprint(),
    spread
FROM settings, dataset_spread('modelhub_registering_distances')
WHERE registering().has_dataset;

INSERT INTO features BY NAME
SELECT getvariable('registering_dataset') AS dataset_id, s.*, spread, least(d.distincts, s."values") AS distincts
FROM modelhub_registering_features AS s
JOIN feature_spreads('modelhub_registering_distances') USING (feature_id)
LEFT JOIN distincts(registering().dataset, exclude := registering().exclude, nested := getvariable('registering_nested')) AS d
    USING (feature_id);

INSERT INTO partition_counts
SELECT getvariable('registering_dataset'), feature_id, partition_id, counts[:frequent], counts[frequent + 1:]
FROM modelhub_registering_histograms
JOIN (SELECT feature_id, frequent_bins(counts, getvariable('registering_partitions')) AS frequent FROM modelhub_registering_features)
    USING (feature_id)
ORDER BY feature_id, partition_id;

INSERT INTO models
SELECT
    registering().model, registering().version, getvariable('registering_dataset'), registering().accuracy::DOUBLE,
    registering().task, registering().framework, registering().uri, registering().metadata,
    -- Later than any other, in one transaction too, so that the latest version is known.
    (SELECT greatest(utc_now(), max(registered_at) + INTERVAL 1 MICROSECOND) FROM models);

DELETE FROM partition_counts WHERE dataset_id IN (SELECT dataset_id FROM unused_datasets);
DELETE FROM features WHERE dataset_id IN (SELECT dataset_id FROM unused_datasets);
DELETE FROM datasets WHERE dataset_id IN (SELECT dataset_id FROM unused_datasets);

COMMIT;

SELECT
    registering().model AS registered, registering().version AS version,
    dataset, rows, partitions, getvariable('registering_skipped') AS skipped
FROM datasets
WHERE dataset_id = getvariable('registering_dataset');

DROP TABLE modelhub_registering_columns;
DROP TABLE modelhub_registering_features;
DROP TABLE modelhub_registering_histograms;
DROP TABLE modelhub_registering_distances;
