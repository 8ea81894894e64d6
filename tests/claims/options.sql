-- Claims of sql/values/60_options.sql. What a caller is told of what is refused is in test_errors.py.

CREATE TEMP TABLE setting AS SELECT map_from_entries(list((setting, "value"))) AS of FROM settings;

SELECT 'an option that is not given is the setting of the hub', count(*) = 1 AND bool_and(
    o.features = of['features'] AND o.min_overlap IS NOT DISTINCT FROM of['min_overlap']::DOUBLE
    AND o.min_jaccard IS NOT DISTINCT FROM of['min_jaccard']::DOUBLE AND o.max_js IS NOT DISTINCT FROM of['max_js']::DOUBLE
    AND o.min_adaptivity = of['min_adaptivity']::DOUBLE AND o.sample_space = of['sample_space'] AND o.rank_by = of['rank_by']
    AND o.search = of['search'] AND o.max_candidates = of['max_candidates']::INTEGER AND NOT o.all_models
)
FROM _logic.search_options() AS o, setting;

SELECT 'an option that is given is taken',
    features = 'values' AND min_overlap = 0.25 AND min_jaccard = 0.75 AND max_js = 0.125 AND min_adaptivity = 2.5 AND max_divergence = 0.5
    AND sample_space = 'flattened' AND rank_by = 'js' AND search = 'lsh' AND top = 3 AND all_models
FROM _logic.search_options(
    features := 'values', min_overlap := 0.25, min_jaccard := 0.75, max_js := 0.125, min_adaptivity := 2.5, max_divergence := 0.5,
    sample_space := 'flattened', rank_by := 'js', search := 'lsh', top := 3, all_models := true
);

SELECT 'a threshold may come as text', max_js = 0.125 FROM _logic.search_options(max_js := '0.125');

SELECT 'the threshold auto is chosen later', max_js IS NULL FROM _logic.search_options(max_js := 'auto');

SELECT 'the ends of a range are in it', min_overlap = 0 AND min_jaccard = 1 AND max_js = ln(2) AND min_adaptivity = 0
FROM _logic.search_options(min_overlap := 0, min_jaccard := 1, max_js := ln(2), min_adaptivity := 0);

SELECT 'a fraction is itself, and NULL its fallback',
    _logic.checked_fraction('x', 0.5, 0.25) = 0.5 AND _logic.checked_fraction('x', NULL, 0.25) = 0.25;

SELECT 'a number of 0 or above is itself, and NULL its fallback',
    _logic.checked_positive('x', 2.5, 1) = 2.5 AND _logic.checked_positive('x', 0, 1) = 0 AND _logic.checked_positive('x', NULL, 1) = 1;

SELECT 'a number that is not infinite is itself, and NULL its fallback',
    _logic.checked_finite('x', 2.5, true, 1) = 2.5 AND _logic.checked_finite('x', 0, false, 1) = 0
    AND _logic.checked_finite('x', NULL, true, 1) = 1;

SELECT 'a whole number is itself, and NULL its fallback',
    _logic.checked_count('x', 5, 9, 1) = 5 AND _logic.checked_count('x', '9', 9, 1) = 9 AND _logic.checked_count('x', NULL, 9, 1) = 1;

SELECT 'a divergence of partitions is itself, NULL its fallback, auto is neither',
    _logic.checked_js('x', 0.5, 0.25) = 0.5 AND _logic.checked_js('x', NULL, 0.25) = 0.25 AND _logic.checked_js('x', 'auto', 0.25) IS NULL;

SELECT 'a choice is itself, and NULL its fallback',
    _logic.checked_choice('x', 'b', ['a', 'b'], 'a') = 'b' AND _logic.checked_choice('x', NULL, ['a', 'b'], 'a') = 'a';

SELECT 'every metric can be asked for',
    bool_and(_logic.checked_choice('rank_by', metric, _logic.rank_metrics(), NULL) = metric) AND count(*) = 8
FROM (SELECT unnest(_logic.rank_metrics()) AS metric);
