-- Registers a model in one transaction: all or nothing. In a stock shell: set the variables
-- `model` and `dataset` (a file, a glob, a table or a view) and run this script; the others are
-- optional. `like_model` names a registered model whose dataset is shared instead of `dataset`.

BEGIN TRANSACTION;

SET VARIABLE register_check = (SELECT CASE
    WHEN coalesce(trim(text_variable('model')), '') = '' THEN error('OptionError: a model needs a name: SET VARIABLE model = ''...''')
    WHEN (text_variable('dataset') IS NULL) = (text_variable('like_model') IS NULL)
        THEN error('OptionError: set one of the variables dataset (a file, table or view) and like_model (a registered model)')
    WHEN getvariable('source_accuracy') IS NOT NULL
     AND NOT coalesce(TRY_CAST(getvariable('source_accuracy') AS DOUBLE) BETWEEN 0 AND 1, false)
        THEN error('OptionError: the accuracy must be a number in [0, 1], got ' || text_variable('source_accuracy'))
    WHEN NOT coalesce(getvariable('replace')::BOOLEAN, false) AND EXISTS (
        FROM models WHERE model = text_variable('model') AND version = coalesce(text_variable('version'), '')
    ) THEN error('ModelExistsError: model ' || left(text_variable('model'), 200) || ', version ''' || coalesce(text_variable('version'), '')
        || ''', is registered already: set replace, or give another version')
    WHEN text_variable('like_model') IS NOT NULL AND NOT EXISTS (FROM models WHERE model = text_variable('like_model'))
        THEN error('ModelNotFoundError: no model is called ' || left(text_variable('like_model'), 200))
END);

-- Before the old version is deleted: it may be the one whose dataset is shared.
SET VARIABLE registering_dataset = coalesce(
    (SELECT dataset_id FROM models WHERE model = text_variable('like_model') ORDER BY registered_at DESC LIMIT 1),
    (SELECT coalesce(max(dataset_id), 0) + 1 FROM datasets)
);

DELETE FROM models
WHERE model = text_variable('model') AND version = coalesce(text_variable('version'), '') AND getvariable('replace')::BOOLEAN;

SET VARIABLE registering = coalesce(text_variable('dataset'), 'no_dataset');
SET VARIABLE registering_excluded = coalesce(getvariable('excluded')::VARCHAR[], []::VARCHAR[]);

CREATE OR REPLACE TEMP TABLE registering_columns AS
FROM dataset_columns(getvariable('registering'), exclude := getvariable('registering_excluded'));

SET VARIABLE registering_forms = (SELECT list(DISTINCT form)::VARCHAR[] FROM registering_columns);

SET VARIABLE registering_skipped = (
    SELECT string_agg(feature || ' (' || type || ')', ', ' ORDER BY feature_id) FROM registering_columns WHERE kind IS NULL
);

CREATE OR REPLACE TEMP TABLE registering_elements AS
WITH dataset_row AS MATERIALIZED (
    FROM numbered_rows(getvariable('registering'), exclude := getvariable('registering_excluded'))
)
FROM elements('dataset_row', 'registering_columns', forms := coalesce(getvariable('registering_forms'), []));

CREATE OR REPLACE TEMP TABLE registering_features AS FROM sketched_features('registering_elements');

CREATE OR REPLACE TEMP TABLE registering_histograms AS
FROM partition_histograms('registering_elements', 'registering_features');

CREATE OR REPLACE TEMP TABLE registering_distances AS FROM whole_distances('registering_features', 'registering_histograms');

DROP TABLE registering_elements;

SET VARIABLE registering_rows = (SELECT count(*) FROM leaves(getvariable('registering'), exclude := getvariable('registering_excluded')));

SET VARIABLE register_check = (SELECT CASE
    WHEN text_variable('like_model') IS NOT NULL THEN NULL
    WHEN getvariable('registering_rows') = 0 THEN error('DatasetError: '
        || coalesce(text_variable('source'), text_variable('dataset')) || ' has no rows: there is nothing to sketch')
    WHEN NOT EXISTS (FROM registering_features) THEN error('DatasetError: '
        || coalesce(text_variable('source'), text_variable('dataset')) || ' has no column that can be compared: '
        || (SELECT string_agg(feature || ' (' || type || ')', ', ' ORDER BY feature_id) FROM registering_columns)
        || CASE WHEN len(getvariable('registering_excluded')) > 0 THEN '; excluded: ' || array_to_string(getvariable('registering_excluded'), ', ') ELSE '' END
        || '. Pass a table with numbers, text, dates or lists that are not all NULL')
END);

SET VARIABLE registering_partitions = (SELECT ceil(getvariable('registering_rows') / partition_size) FROM settings);

INSERT INTO datasets
SELECT
    getvariable('registering_dataset'),
    coalesce(text_variable('dataset_name'), text_variable('model')),
    getvariable('registering_rows'),
    getvariable('registering_partitions'),
    coalesce(text_variable('source'), text_variable('dataset')),
    getvariable('registering_excluded'),
    now()::TIMESTAMP,
    settings_fingerprint(),
    spread
FROM settings, dataset_spread('registering_distances')
WHERE text_variable('like_model') IS NULL;

INSERT INTO features BY NAME
SELECT getvariable('registering_dataset') AS dataset_id, s.*, spread, least(d.distincts, s."values") AS distincts
FROM registering_features AS s
JOIN feature_spreads('registering_distances') USING (feature_id)
LEFT JOIN distincts(getvariable('registering'), exclude := getvariable('registering_excluded')) AS d USING (feature_id);

INSERT INTO partition_counts
SELECT getvariable('registering_dataset'), feature_id, partition_id, counts[:frequent], counts[frequent + 1:]
FROM registering_histograms
JOIN (SELECT feature_id, frequent_bins(counts, getvariable('registering_partitions')) AS frequent FROM registering_features)
    USING (feature_id)
ORDER BY feature_id, partition_id;

INSERT INTO models
SELECT
    text_variable('model'), coalesce(text_variable('version'), ''), getvariable('registering_dataset'),
    getvariable('source_accuracy'), text_variable('task'), text_variable('framework'), text_variable('uri'), text_variable('metadata'),
    now()::TIMESTAMP;

DELETE FROM partition_counts WHERE dataset_id IN (SELECT dataset_id FROM unused_datasets);
DELETE FROM features WHERE dataset_id IN (SELECT dataset_id FROM unused_datasets);
DELETE FROM datasets WHERE dataset_id IN (SELECT dataset_id FROM unused_datasets);

DROP TABLE registering_columns;
DROP TABLE registering_features;
DROP TABLE registering_histograms;
DROP TABLE registering_distances;

COMMIT;

-- What was said of this model is not said of the next.
RESET VARIABLE model;
RESET VARIABLE version;
RESET VARIABLE dataset;
RESET VARIABLE like_model;
RESET VARIABLE excluded;
RESET VARIABLE source;
RESET VARIABLE dataset_name;
RESET VARIABLE source_accuracy;
RESET VARIABLE task;
RESET VARIABLE framework;
RESET VARIABLE uri;
RESET VARIABLE metadata;
RESET VARIABLE replace;
