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

CREATE MACRO _logic.unknown_model(model_name, model_version) AS
    'ModelNotFoundError: no model is called ' || coalesce(left(model_name, 200), 'NULL')
    || coalesce(', version ' || left(model_version, 200), '')
    || coalesce(
        '; its versions are ' || (
            SELECT left(string_agg('''' || version || '''', ', ' ORDER BY registered_at DESC, version ASC), 600) FROM _hub.models
                WHERE model = model_name
        ),
        '; the nearest name is ' || (
            SELECT left(max_by(model, jaro_winkler_similarity(left(model, 200), left(model_name, 200))), 200) FROM _hub.models
        ),
        ''
    );
COMMENT ON MACRO _logic.unknown_model IS 'says that there is no such model, and which versions there are of it or which name is like it';

CREATE MACRO _logic.dataset_of(model_name, model_version) AS coalesce(
    (
        SELECT dataset_id FROM _hub.models
        WHERE model = model_name AND version = coalesce(model_version, version)
        ORDER BY registered_at DESC, version DESC
        LIMIT 1
    ),
    error(_logic.unknown_model(model_name, model_version))
);
COMMENT ON MACRO _logic.dataset_of IS 'the dataset of a model: of the version given, or the latest';

CREATE MACRO _logic.explained(model_name, model_version) AS TABLE
    SELECT m.model, m.version, coalesce(m.dataset_id, error(_logic.unknown_model(model_name, model_version))) AS dataset_id
    FROM (SELECT 1) AS one
    LEFT JOIN (
        SELECT
            model, version,
            CASE
                WHEN dataset_id IN (SELECT dataset_id FROM _hub.datasets) THEN dataset_id
                ELSE error('HubFormatError: there is no dataset of model ' || left(model, 200))
            END AS dataset_id
        FROM _hub.models
        WHERE model = model_name AND version = coalesce(model_version, version)
        ORDER BY registered_at DESC, version DESC
        LIMIT 1
    ) AS m ON true;
COMMENT ON MACRO TABLE _logic.explained IS 'the model of a name, of the version given or the latest (one row)';
