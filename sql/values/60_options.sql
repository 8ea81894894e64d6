-- The options of a search, checked: the relation options of every search.

CREATE MACRO _logic.checked_fraction(name, value, fallback) AS CASE
    WHEN value IS NULL THEN fallback
    WHEN TRY_CAST(value AS DOUBLE) >= 0 AND TRY_CAST(value AS DOUBLE) <= 1 THEN TRY_CAST(value AS DOUBLE)
    ELSE error('OptionError: ' || name || ' must be a number in [0, 1], got ' || value::VARCHAR)
END;
COMMENT ON MACRO _logic.checked_fraction IS 'a value in [0, 1], or its fallback for NULL';

CREATE MACRO _logic.checked_choice(name, value, choices, fallback) AS CASE
    WHEN value IS NULL THEN fallback
    WHEN NOT list_contains(choices, value::VARCHAR)
        THEN error('OptionError: ' || name || ' must be one of ' || array_to_string(choices, ', ') || '; got ' || value::VARCHAR)
    ELSE value::VARCHAR
END;
COMMENT ON MACRO _logic.checked_choice IS 'a value among the choices, or its fallback for NULL';

CREATE MACRO _logic.rank_metrics() AS
    ['distance', 'adaptivity', 'coverage', 'js', 'l2', 'kl_target_source', 'kl_source_target', 'source_accuracy'];
COMMENT ON MACRO _logic.rank_metrics IS 'what rank_by may name (section 4.2)';

CREATE MACRO _logic.checked_positive(name, value, fallback) AS CASE
    WHEN value IS NULL THEN fallback
    WHEN TRY_CAST(value AS DOUBLE) >= 0 AND NOT isnan(TRY_CAST(value AS DOUBLE)) THEN TRY_CAST(value AS DOUBLE)
    ELSE error('OptionError: ' || name || ' must be a number, 0 or above, got ' || value::VARCHAR)
END;
COMMENT ON MACRO _logic.checked_positive IS 'a number of 0 or above, or its fallback for NULL';

-- What is stored must be what a hub is opened with.
CREATE MACRO _logic.checked_finite(name, value, above_zero, fallback) AS CASE
    WHEN value IS NULL THEN fallback
    WHEN isfinite(TRY_CAST(value AS DOUBLE)) AND TRY_CAST(value AS DOUBLE) >= 0
        AND NOT (above_zero AND TRY_CAST(value AS DOUBLE) = 0)
        THEN TRY_CAST(value AS DOUBLE)
    ELSE error(
        'OptionError: ' || name || ' must be a number' || CASE WHEN above_zero THEN ' above 0' ELSE ', 0 or above' END
        || ', got ' || value::VARCHAR
    )
END;
COMMENT ON MACRO _logic.checked_finite IS
    'a number of 0 or above (above_zero: not 0 itself) that is not infinite, or its fallback for NULL';

CREATE MACRO _logic.checked_count(name, value, most, fallback) AS CASE
    WHEN value IS NULL THEN fallback
    WHEN TRY_CAST(value AS UBIGINT) BETWEEN 1 AND most AND TRY_CAST(value AS DOUBLE) = TRY_CAST(value AS UBIGINT)
        THEN TRY_CAST(value AS UBIGINT)
    ELSE error('OptionError: ' || name || ' must be a whole number from 1 to ' || most || ', got ' || value::VARCHAR)
END;
COMMENT ON MACRO _logic.checked_count IS 'a whole number from 1 to the most, or its fallback for NULL';

CREATE MACRO _logic.checked_js(name, value, fallback) AS CASE
    WHEN value IS NULL THEN fallback
    WHEN value::VARCHAR = 'auto' THEN NULL
    WHEN TRY_CAST(value AS DOUBLE) > 0 AND TRY_CAST(value AS DOUBLE) <= ln(2) THEN TRY_CAST(value AS DOUBLE)
    ELSE error('OptionError: ' || name || ' must be ''auto'' or in (0, ln 2 = 0.6931], got ' || value::VARCHAR)
END;
COMMENT ON MACRO _logic.checked_js IS 'a JS divergence of partitions that match, its fallback for NULL, or NULL for auto';

CREATE MACRO _logic.checked_flag(name, value) AS CASE
    WHEN value IS NULL THEN false
    ELSE coalesce(
        TRY_CAST(value AS BOOLEAN), error('OptionError: ' || name || ' must be true or false, got ' || value::VARCHAR)
    )
END;
COMMENT ON MACRO _logic.checked_flag IS 'true or false; false for NULL';

CREATE MACRO _logic.says_of_partitions(max_js, min_adaptivity, sample_space, search) AS
    coalesce(max_js::VARCHAR, min_adaptivity::VARCHAR, sample_space::VARCHAR, search::VARCHAR) IS NOT NULL;
COMMENT ON MACRO _logic.says_of_partitions IS 'whether an option is given that says how partitions are compared';

CREATE MACRO _logic.ranks_wholes(rank_by) AS rank_by::VARCHAR IN ('distance', 'js', 'source_accuracy');
COMMENT ON MACRO _logic.ranks_wholes IS 'whether a ranking does without comparing partitions';

CREATE MACRO _logic.is_shown(name, details, rank_by, max_js, min_adaptivity, sample_space, search) AS
    coalesce(TRY_CAST(details AS BOOLEAN), false) OR _logic.says_of_partitions(max_js, min_adaptivity, sample_space, search)
    OR NOT coalesce(_logic.ranks_wholes(rank_by), true)
    OR name IN (
        'rank', 'model', 'version', 'verdict', 'distance', 'overlap', 'source_accuracy', 'source_rows', 'js_divergence',
        'shared_features', 'missing_features', 'uri', 'expected_loss', 'summary'
    );
COMMENT ON MACRO _logic.is_shown IS 'whether find_models shows a column: what people decide by, and the rest where details are asked for';

CREATE MACRO _logic.are_too_many(datasets, max_candidates) AS datasets > 5 * max_candidates;
COMMENT ON MACRO _logic.are_too_many IS
    'whether datasets are so many that an estimate chooses those whose features of other names are compared, in Python';

CREATE MACRO _logic.search_options(
    features := NULL, min_overlap := NULL, min_jaccard := NULL, max_js := NULL, min_adaptivity := NULL, max_divergence := NULL,
    sample_space := NULL, rank_by := NULL, search := NULL, top := NULL, all_models := NULL, max_candidates := NULL,
    details := NULL
) AS TABLE
    SELECT
        _logic.checked_choice('features', features, ['names', 'values'], d.features) AS features,
        _logic.checked_fraction('min_overlap', min_overlap, d.min_overlap) AS min_overlap,
        _logic.checked_fraction('min_jaccard', min_jaccard, d.min_jaccard) AS min_jaccard,
        _logic.checked_js('max_js', max_js, d.max_js) AS max_js,
        _logic.checked_finite('min_adaptivity', min_adaptivity, false, d.min_adaptivity) AS min_adaptivity,
        _logic.checked_positive('max_divergence', max_divergence, 1) AS max_divergence,
        _logic.checked_choice('sample_space', sample_space, ['aligned', 'flattened'], d.sample_space) AS sample_space,
        _logic.checked_choice('rank_by', rank_by, _logic.rank_metrics(), d.rank_by) AS rank_by,
        _logic.checked_choice('search', search, ['auto', 'exact', 'lsh'], d.search) AS search,
        _logic.checked_count('top', top, 4294967295, 4294967295) AS top,
        _logic.checked_flag('all_models', all_models) AS all_models,
        -- Who asks for many models gets as many.
        _logic.checked_count(
            'max_candidates', max_candidates, 10000,
            greatest(d.max_candidates, least(coalesce(TRY_CAST(top AS UBIGINT), 0), 10000))
        ) AS max_candidates,
        -- Whatever is said of partitions, or ranks by them, has them compared.
        _logic.checked_flag('details', details) OR _logic.says_of_partitions(max_js, min_adaptivity, sample_space, search)
        OR d.min_adaptivity > 0 OR d.sample_space = 'flattened' OR NOT _logic.ranks_wholes(coalesce(rank_by, d.rank_by))
        AS details,
        d.auto_models, d.auto_quantile, d.recall, d.jslsh_bands, d.jslsh_rows, d.jslsh_width
    FROM _hub.defaults AS d;
COMMENT ON MACRO TABLE _logic.search_options IS 'the options of a search: NULL means the hub''s default (one row)';

CREATE MACRO _logic.explanation_shows(name, details) AS coalesce(TRY_CAST(details AS BOOLEAN), false) OR name NOT IN (
    'matched_by', 'counted_distance', 'js_divergence', 'jaccard', 'target_values', 'target_nulls', 'source_values',
    'source_nulls', 'source_model', 'source_version'
);
COMMENT ON MACRO _logic.explanation_shows IS 'whether explain_features shows a column: what people read, and the rest where details are asked for';

CREATE MACRO _logic.shown(x, details) AS CASE WHEN details THEN x ELSE round(x, 4) END;
COMMENT ON MACRO _logic.shown IS 'a number of an answer: four digits after the point, or all where details are asked for';

CREATE MACRO _logic.distance_bar(distance) AS bar(distance, 0, 1, 10);
COMMENT ON MACRO _logic.distance_bar IS 'a distance as a bar of text, the shorter the nearer';
