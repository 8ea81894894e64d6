-- Models by name, and what a script that changes the hub is told.

CREATE MACRO _logic.text_variable(name) AS getvariable(name)::VARCHAR;
COMMENT ON MACRO _logic.text_variable IS 'a variable of the session as text; NULL when it is not set';

CREATE VIEW _logic.unused_datasets AS
FROM _hub.datasets ANTI JOIN _hub.models USING (dataset_id);
COMMENT ON VIEW _logic.unused_datasets IS 'a dataset that no model uses: removed with its last model';

CREATE MACRO _logic.utc_now() AS make_timestamp(epoch_us(now()));
COMMENT ON MACRO _logic.utc_now IS 'the time at which the transaction began, UTC whatever the time zone of the session';

CREATE MACRO _logic.registering() AS getvariable('registering');
COMMENT ON MACRO _logic.registering IS 'what the script that registers was told, as a struct';

CREATE MACRO _logic.removing() AS getvariable('removing');
COMMENT ON MACRO _logic.removing IS 'what the script that removes was told, as a struct';

CREATE MACRO _logic.recording() AS getvariable('recording');
COMMENT ON MACRO _logic.recording IS 'what the script that records was told, as a struct';

CREATE MACRO _logic.unknown_model(model_name, model_version) AS
    'ModelNotFoundError: no model is called ' || coalesce(left(model_name, 200), 'NULL')
    || coalesce(', version ' || left(model_version, 200), '')
    || coalesce(
        '; its versions are ' || (
            SELECT left(string_agg('''' || v.version || '''', ', ' ORDER BY v.registered_at DESC, v.version ASC), 600)
            FROM _hub.models AS v
            WHERE v.model = model_name
        ),
        '; the nearest name is ' || (
            SELECT left(max_by(n.model, jaro_winkler_similarity(left(n.model, 200), left(model_name, 200))), 200)
            FROM _hub.models AS n
        ),
        ''
    );
COMMENT ON MACRO _logic.unknown_model IS 'says that there is no such model, and which versions there are of it or which name is like it';

CREATE MACRO _logic.aliases_of(metadata) AS
    CASE WHEN json_valid(metadata) THEN coalesce(json_extract_string(metadata, '$.aliases[*]'), []) ELSE []::VARCHAR[] END;
COMMENT ON MACRO _logic.aliases_of IS 'the aliases of a version of a model, as champion: what its metadata says';

CREATE MACRO _logic.is_version(version, metadata, wanted) AS wanted IS NULL OR version = wanted
    OR (starts_with(wanted, '@') AND list_contains(_logic.aliases_of(metadata), substr(wanted, 2)));
COMMENT ON MACRO _logic.is_version IS 'whether a version of a model is wanted: any, that of the name, or that of an alias (@champion)';

CREATE MACRO _logic.dataset_of(model_name, model_version) AS coalesce(
    (
        SELECT dataset_id FROM _hub.models
        WHERE model = model_name AND _logic.is_version(version, metadata, model_version)
        ORDER BY registered_at DESC, version DESC
        LIMIT 1
    ),
    error(_logic.unknown_model(model_name, model_version))
);
COMMENT ON MACRO _logic.dataset_of IS 'the dataset of a model: of the version given, or the latest';

CREATE MACRO _logic.next_dataset(last, count) AS CASE
    WHEN last >= 4294967295 - count THEN error('HubFormatError: the hub has no number left for a dataset')
    ELSE coalesce(last, 0) + 1
END;
COMMENT ON MACRO _logic.next_dataset IS 'the number of the first of so many datasets that come after the last';

CREATE MACRO _logic.registration_fault(model_name, model_version, accuracy, accuracy_rows, replace) AS CASE
    WHEN coalesce(trim(model_name), '') = '' THEN 'OptionError: a model needs a name: SET VARIABLE model = ''...'''
    WHEN accuracy IS NOT NULL AND NOT coalesce(TRY_CAST(accuracy AS DOUBLE) BETWEEN 0 AND 1, false)
        THEN 'OptionError: the accuracy must be a number in [0, 1], got ' || accuracy
    WHEN accuracy_rows IS NOT NULL
        AND NOT coalesce(TRY_CAST(accuracy_rows AS UBIGINT) > 0 AND TRY_CAST(accuracy_rows AS DOUBLE) % 1 = 0, false)
        THEN 'OptionError: accuracy_rows must be a whole number above 0, got ' || accuracy_rows
    WHEN NOT replace AND EXISTS (FROM _hub.models AS m WHERE m.model = model_name AND m.version = model_version)
        THEN 'ModelExistsError: model ' || left(model_name, 200) || ', version ''' || model_version
        || ''', is registered already: set replace, or give another version'
END;
COMMENT ON MACRO _logic.registration_fault IS 'why a model cannot be registered as it is told; NULL where it can';

CREATE MACRO _logic.recording_fault(model_name, target, score, metric, counted) AS CASE
    WHEN model_name IS NULL OR target IS NULL OR score IS NULL
        THEN 'OptionError: set the variables model, target (a file, table or view) and score'
    WHEN metric NOT IN ('accuracy', 'f1', 'r2')
        THEN 'OptionError: metric must be one of accuracy, f1, r2; got ' || left(metric, 200)
    WHEN NOT coalesce(isfinite(TRY_CAST(score AS DOUBLE)) AND TRY_CAST(score AS DOUBLE) <= 1
        AND (metric = 'r2' OR TRY_CAST(score AS DOUBLE) >= 0), false)
        THEN 'OptionError: the score, a value of ' || metric || ', must be a number '
        || CASE metric WHEN 'r2' THEN 'of at most 1' ELSE 'in [0, 1]' END || ', got ' || left(score, 200)
    WHEN counted IS NOT NULL AND NOT coalesce(TRY_CAST(counted AS UBIGINT) > 0 AND TRY_CAST(counted AS DOUBLE) % 1 = 0, false)
        THEN 'OptionError: rows must be a whole number above 0, got ' || left(counted, 200)
END;
COMMENT ON MACRO _logic.recording_fault IS 'why a measurement cannot be recorded as it is told; NULL where it can';

CREATE MACRO _logic.searched_models(task, framework, latest, condition) AS TABLE
    SELECT l.model, l.version, l.dataset_id
    FROM (
        SELECT
            m.model, m.version, source_accuracy, accuracy_rows, m.task, m.framework, uri, metadata, dataset, rows, partitions,
            source, excluded, m.registered_at, dataset_id,
            row_number() OVER (PARTITION BY m.model ORDER BY m.registered_at DESC, m.version DESC) = 1 AS is_latest
        FROM _hub.models AS m
        JOIN _hub.datasets USING (dataset_id)
    ) AS l
    WHERE coalesce(l.task = task::VARCHAR, task IS NULL)
        AND coalesce(l.framework = framework::VARCHAR, framework IS NULL)
        AND (l.is_latest OR NOT _logic.checked_flag('latest', latest))
        AND (condition);
COMMENT ON MACRO TABLE _logic.searched_models IS 'a model that is searched: of this task and framework where they are given, its latest version where that is asked, and what fulfils a condition on the columns of list_models';

CREATE MACRO _logic.explained(model_name, model_version) AS TABLE
    SELECT m.model, m.version, coalesce(m.dataset_id, error(_logic.unknown_model(model_name, model_version))) AS dataset_id
    FROM (SELECT 1) AS one
    LEFT JOIN (
        SELECT
            d.model, d.version,
            CASE
                WHEN d.dataset_id IN (SELECT dataset_id FROM _hub.datasets) THEN d.dataset_id
                ELSE error('HubFormatError: there is no dataset of model ' || left(d.model, 200))
            END AS dataset_id
        FROM _hub.models AS d
        WHERE d.model = model_name AND _logic.is_version(d.version, d.metadata, model_version)
        ORDER BY d.registered_at DESC, d.version DESC
        LIMIT 1
    ) AS m ON true;
COMMENT ON MACRO TABLE _logic.explained IS 'the model of a name, of the version given or the latest (one row)';

CREATE MACRO _logic.both_explained(model_name, model_version, other_name, other_version) AS TABLE
    SELECT
        e.side, e.model, e.version,
        CASE
            WHEN count(*) OVER (PARTITION BY e.model, e.version) = 1 THEN e.dataset_id
            ELSE error('OptionError: compare takes two models, got ' || left(e.model, 200) || ' twice')
        END AS dataset_id
    FROM (
        SELECT 1 AS side, l.model, l.version, l.dataset_id FROM _logic.explained(model_name, model_version) AS l
        UNION ALL
        SELECT 2, r.model, r.version, r.dataset_id FROM _logic.explained(other_name, other_version) AS r
    ) AS e;
COMMENT ON MACRO TABLE _logic.both_explained IS 'two models that are compared, of the versions given or the latest';
