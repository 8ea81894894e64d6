-- Claims of sql/15_options.sql. What is refused is in test_errors.py.

SELECT 'an option that is not given is the setting of the hub', count(*) = 1
FROM search_options() AS o
JOIN settings AS s ON o.min_overlap = s.min_overlap AND o.min_jaccard = s.min_jaccard AND o.max_js IS NOT DISTINCT FROM s.max_js
    AND o.min_adaptivity = s.min_adaptivity AND o.sample_space = s.sample_space AND o.rank_by = s.rank_by AND o.search = s.search;

SELECT 'an option that is given is taken',
    min_overlap = 0.25 AND min_jaccard = 0.75 AND max_js = 0.125 AND min_adaptivity = 2.5 AND max_divergence = 0.5
    AND sample_space = 'flattened' AND rank_by = 'js' AND search = 'lsh'
FROM search_options(
    min_overlap := 0.25, min_jaccard := 0.75, max_js := 0.125, min_adaptivity := 2.5, max_divergence := 0.5,
    sample_space := 'flattened', rank_by := 'js', search := 'lsh'
);

SELECT 'a threshold may come as text', max_js = 0.125 FROM search_options(max_js := '0.125');

SELECT 'the threshold auto is chosen later', max_js IS NULL FROM search_options(max_js := 'auto');

SELECT 'the ends of a range are in it', min_overlap = 0 AND min_jaccard = 1 AND max_js = ln(2) AND min_adaptivity = 0
FROM search_options(min_overlap := 0, min_jaccard := 1, max_js := ln(2), min_adaptivity := 0);

SELECT 'a fraction is itself, and NULL its fallback', checked_fraction('x', 0.5, 0.25) = 0.5 AND checked_fraction('x', NULL, 0.25) = 0.25;

SELECT 'a choice is itself, and NULL its fallback',
    checked_choice('x', 'b', ['a', 'b'], 'a') = 'b' AND checked_choice('x', NULL, ['a', 'b'], 'a') = 'a';

SELECT 'every metric can be asked for', bool_and(checked_choice('rank_by', metric, rank_metrics(), NULL) = metric) AND count(*) >= 7
FROM (SELECT unnest(rank_metrics()) AS metric);
