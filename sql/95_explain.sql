-- Why a model fits a target: which features matched and how well, and what covers each partition.

CREATE MACRO unknown_model(model_name, model_version) AS
    'ModelNotFoundError: no model is called ' || coalesce(left(model_name, 200), 'NULL')
    || coalesce(', version ' || left(model_version, 200), '')
    || coalesce(
        '; its versions are ' || (
            SELECT left(string_agg('''' || version || '''', ', ' ORDER BY registered_at DESC), 600) FROM models WHERE model = model_name
        ),
        '; the nearest name is ' || (
            SELECT left(max_by(model, jaro_winkler_similarity(left(model, 200), left(model_name, 200))), 200) FROM models
        ),
        ''
    );
COMMENT ON MACRO unknown_model IS 'says that there is no such model, and which versions there are of it or which name is like it';

CREATE MACRO dataset_of(model_name, model_version) AS coalesce(
    (
        SELECT dataset_id FROM models
        WHERE model = model_name AND version = coalesce(model_version, version)
        ORDER BY registered_at DESC, version DESC
        LIMIT 1
    ),
    error(unknown_model(model_name, model_version))
);
COMMENT ON MACRO dataset_of IS 'the dataset of a model: of the version given, or the latest';

CREATE MACRO explain_features(model, target, version := NULL, exclude := [], min_jaccard := NULL, forms := NULL, nested := NULL) AS TABLE
    WITH target_sketch AS MATERIALIZED (FROM sketch(target, exclude := exclude, forms := forms, nested := nested)),
    options AS MATERIALIZED (FROM search_options(min_jaccard := min_jaccard)),
    explained AS MATERIALIZED (SELECT dataset_of(model::VARCHAR, version::VARCHAR) AS dataset_id),
    matches AS MATERIALIZED (FROM feature_matches('target_sketch', 'options', among := 'explained'))
    SELECT
        t.feature AS target_feature, t.kind, s.feature AS source_feature, m.jaccard, m.js_divergence,
        t."values" AS target_values, t.nulls AS target_nulls, s."values" AS source_values, s.nulls AS source_nulls
    FROM target_sketch AS t
    CROSS JOIN explained AS e
    LEFT JOIN matches AS m ON m.target_feature_id = t.feature_id
    LEFT JOIN features AS s ON s.dataset_id = e.dataset_id AND s.feature_id = m.feature_id
    ORDER BY m.js_divergence NULLS LAST, t.feature_id;
COMMENT ON MACRO TABLE explain_features IS 'a feature of the target and the feature of the model''s dataset that it matches, closest first; NULL where none does';

CREATE MACRO explain_partitions(
    model, target, version := NULL, exclude := [], min_overlap := NULL, min_jaccard := NULL, max_js := NULL,
    sample_space := NULL, search := NULL, forms := NULL, nested := NULL
) AS TABLE
    WITH target_sketch AS MATERIALIZED (FROM sketch(target, exclude := exclude, forms := forms, nested := nested)),
    options AS MATERIALIZED (
        FROM search_options(
            min_overlap := min_overlap, min_jaccard := min_jaccard, max_js := max_js,
            sample_space := sample_space, search := search
        )
    ),
    explained AS MATERIALIZED (SELECT dataset_of(model::VARCHAR, version::VARCHAR) AS dataset_id),
    coverage AS (FROM target_coverage('target_sketch', 'options'))
    SELECT c.target_partition, c.matches, d.partitions AS source_partitions, c.max_js
    FROM coverage AS c
    JOIN explained USING (dataset_id)
    JOIN datasets AS d USING (dataset_id)
    ORDER BY c.matches, c.target_partition;
COMMENT ON MACRO TABLE explain_partitions IS 'a partition of the target and how many partitions of the model''s dataset match it, uncovered ones first; no rows for a model that is not among those that find_models lists';
