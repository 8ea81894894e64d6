-- The options of a search, checked. Every stage of the search takes them as one relation.

CREATE MACRO checked_fraction(name, value, fallback) AS CASE
    WHEN value IS NULL THEN fallback
    WHEN TRY_CAST(value AS DOUBLE) >= 0 AND TRY_CAST(value AS DOUBLE) <= 1 THEN TRY_CAST(value AS DOUBLE)
    ELSE error('OptionError: ' || name || ' must be a number in [0, 1], got ' || value::VARCHAR)
END;
COMMENT ON MACRO checked_fraction IS 'a value in [0, 1], or its fallback for NULL';

CREATE MACRO checked_choice(name, value, choices, fallback) AS CASE
    WHEN value IS NULL THEN fallback
    WHEN NOT list_contains(choices, value::VARCHAR) THEN error('OptionError: ' || name || ' must be one of ' || array_to_string(choices, ', ') || '; got ' || value::VARCHAR)
    ELSE value::VARCHAR
END;
COMMENT ON MACRO checked_choice IS 'a value among the choices, or its fallback for NULL';

CREATE MACRO rank_metrics() AS
    ['adaptivity', 'coverage', 'js', 'l2', 'kl_target_source', 'kl_source_target', 'source_accuracy'];
COMMENT ON MACRO rank_metrics IS 'what rank_by may name (section 4.2)';

CREATE MACRO search_options(
    min_overlap := NULL, min_jaccard := NULL, max_js := NULL, min_adaptivity := NULL, max_divergence := NULL,
    sample_space := NULL, rank_by := NULL, search := NULL
) AS TABLE
    SELECT
        checked_fraction('min_overlap', min_overlap, s.min_overlap) AS min_overlap,
        checked_fraction('min_jaccard', min_jaccard, s.min_jaccard) AS min_jaccard,
        CASE
            WHEN max_js IS NULL THEN s.max_js
            WHEN max_js::VARCHAR = 'auto' THEN NULL
            WHEN TRY_CAST(max_js AS DOUBLE) > 0 AND TRY_CAST(max_js AS DOUBLE) <= ln(2) THEN TRY_CAST(max_js AS DOUBLE)
            ELSE error('OptionError: max_js must be ''auto'' or in (0, ln 2 = 0.6931], got ' || max_js::VARCHAR)
        END AS max_js,
        CASE
            WHEN min_adaptivity IS NULL THEN s.min_adaptivity
            WHEN TRY_CAST(min_adaptivity AS DOUBLE) >= 0 AND NOT isnan(TRY_CAST(min_adaptivity AS DOUBLE)) THEN TRY_CAST(min_adaptivity AS DOUBLE)
            ELSE error('OptionError: min_adaptivity must be a number, 0 or above, got ' || min_adaptivity::VARCHAR)
        END AS min_adaptivity,
        CASE
            WHEN max_divergence IS NULL THEN 1
            WHEN TRY_CAST(max_divergence AS DOUBLE) >= 0 AND NOT isnan(TRY_CAST(max_divergence AS DOUBLE)) THEN TRY_CAST(max_divergence AS DOUBLE)
            ELSE error('OptionError: max_divergence must be a number, 0 or above, got ' || max_divergence::VARCHAR)
        END AS max_divergence,
        checked_choice('sample_space', sample_space, ['aligned', 'flattened'], s.sample_space) AS sample_space,
        checked_choice('rank_by', rank_by, rank_metrics(), s.rank_by) AS rank_by,
        checked_choice('search', search, ['auto', 'exact', 'lsh'], s.search) AS search
    FROM settings AS s;
COMMENT ON MACRO TABLE search_options IS 'the options of a search: NULL means the hub''s setting (one row)';
