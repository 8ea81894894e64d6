-- Changes what a search does unless it is told otherwise. In a stock shell: set variables of the names that
-- `FROM settings` lists as defaults, and run this script; what is not set stays. One statement.

UPDATE _hub.defaults AS stored
SET
    features = o.features, min_overlap = o.min_overlap, min_jaccard = o.min_jaccard, max_js = o.max_js,
    min_adaptivity = o.min_adaptivity,
    sample_space = o.sample_space, rank_by = o.rank_by, search = o.search,
    auto_models = _logic.checked_finite('auto_models', getvariable('auto_models'), true, stored.auto_models),
    max_candidates = _logic.checked_count('max_candidates', getvariable('max_candidates'), 10000, stored.max_candidates)
FROM _logic.search_options(
    features := getvariable('features'), min_overlap := getvariable('min_overlap'), min_jaccard := getvariable('min_jaccard'),
    max_js := getvariable('max_js'),
    min_adaptivity := getvariable('min_adaptivity'), sample_space := getvariable('sample_space'),
    rank_by := getvariable('rank_by'), search := getvariable('search')
) AS o;

/* resets */
