-- Registers a model: all or nothing. In a stock shell: set the variables `model` and `dataset` (a
-- file, a glob, a table or a view) and run this script; the others are optional. `like_model` names
-- a registered model (`like_version`: which version, by default the latest) whose dataset is shared
-- instead of `dataset`. The hub is changed in one transaction, at the end.

SET VARIABLE registering = {
    model: _logic.text_variable('model'),
    version: coalesce(_logic.text_variable('version'), ''),
    has_dataset: _logic.text_variable('dataset') IS NOT NULL,
    dataset: coalesce(_logic.text_variable('dataset'), '_logic.no_dataset'),
    exclude: coalesce(getvariable('exclude')::VARCHAR[], []),
    hide_excluded: coalesce(getvariable('hide_excluded')::BOOLEAN, false),
    nested: getvariable('nested')::BOOLEAN,
    forms: getvariable('forms')::VARCHAR[],
    -- The name of a file, without its folders.
    source: coalesce(_logic.text_variable('source'), regexp_replace(_logic.text_variable('dataset'), '^.*[/\\]', '')),
    dataset_name: coalesce(_logic.text_variable('dataset_name'), _logic.text_variable('model')),
    like_model: _logic.text_variable('like_model'),
    like_version: _logic.text_variable('like_version'),
    accuracy: _logic.text_variable('accuracy'),
    accuracy_rows: _logic.text_variable('accuracy_rows'),
    task: _logic.text_variable('task'),
    framework: _logic.text_variable('framework'),
    uri: _logic.text_variable('uri'),
    metadata: _logic.text_variable('metadata'),
    replace: coalesce(getvariable('replace')::BOOLEAN, false)
};

-- What is said of this model is not said of the next, whether or not this one can be registered.
/* resets */

SET VARIABLE registering_fault = _logic.registration_fault(
    _logic.registering().model, _logic.registering().version, _logic.registering().accuracy,
    _logic.registering().accuracy_rows, _logic.registering().replace
);

SET VARIABLE register_check = (SELECT CASE
    WHEN _logic.registering().has_dataset = (_logic.registering().like_model IS NOT NULL)
        THEN error('OptionError: set one of the variables dataset (a file, table or view) and like_model (a registered model)')
    WHEN getvariable('registering_fault') IS NOT NULL THEN error(getvariable('registering_fault'))
    WHEN NOT _logic.registering().has_dataset
        THEN _logic.dataset_of(_logic.registering().like_model, _logic.registering().like_version)
END);

-- Who knows the columns already may tell whether there are structs among them.
SET VARIABLE registering_nested = coalesce(_logic.registering().nested, (
    FROM _logic.has_structs(CASE WHEN _logic.registering().nested IS NULL THEN _logic.registering().dataset
        ELSE '_logic.no_dataset' END)
));

-- What is not in forms is not planned; NULL: anything may be there.
SET VARIABLE registering_forms = _logic.registering().forms;

CREATE OR REPLACE TEMP TABLE modelhub_sketch AS
SELECT 0 AS dataset_number, *
FROM _logic.sketch(
    _logic.registering().dataset, exclude := _logic.registering().exclude,
    forms := getvariable('registering_forms'), nested := getvariable('registering_nested')
);

SET VARIABLE registering_skipped = (SELECT coalesce(any_value(skipped), []) FROM temp.main.modelhub_sketch);

BEGIN TRANSACTION;

-- Before the old version is deleted: it may be the one whose dataset is shared.
SET VARIABLE registering_dataset = (SELECT CASE
    WHEN _logic.registering().has_dataset THEN (
        SELECT _logic.next_dataset(max(dataset_id), 1)
        FROM _hub.datasets
    )
    ELSE _logic.dataset_of(_logic.registering().like_model, _logic.registering().like_version)
END);

CREATE OR REPLACE TEMP TABLE modelhub_source AS
SELECT 0 AS dataset_number, _logic.registering().dataset_name AS dataset, _logic.registering().source AS source,
    -- NULL stands for names that are not kept: it means no column.
    CASE WHEN _logic.registering().hide_excluded AND len(any_value(excluded)) > 0 THEN [NULL::VARCHAR]
        ELSE any_value(excluded) END AS excluded
FROM temp.main.modelhub_sketch;

CREATE OR REPLACE TEMP TABLE modelhub_model AS
SELECT
    r.model, r.version, r.replace, getvariable('registering_dataset') AS dataset_id, NOT r.has_dataset AS shares,
    r.accuracy, r.accuracy_rows, r.task, r.framework, r.uri, r.metadata,
    -- Later than any other, in one transaction too, so that the latest version is known.
    (SELECT greatest(_logic.utc_now(), max(registered_at) + INTERVAL 1 MICROSECOND) FROM _hub.models) AS registered_at
FROM (SELECT unnest(_logic.registering())) AS r;

/* storing/dataset */

/* storing/features */

/* storing/models */

/* storing/unused */

COMMIT;

SELECT
    _logic.registering().model AS registered, _logic.registering().version AS version,
    dataset, rows, partitions, skipped
FROM _hub.datasets
WHERE dataset_id = getvariable('registering_dataset');

DROP TABLE temp.main.modelhub_sketch;
DROP TABLE temp.main.modelhub_source;
DROP TABLE temp.main.modelhub_model;
