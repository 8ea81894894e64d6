-- Claims of sql/90_find_models.sql, on real tables of sensor features.

CREATE TEMP TABLE found AS FROM find_models('data/torso1.parquet', exclude := ['activity']);

SELECT 'models are found', count(*) > 1 FROM found;

SELECT 'ranks count from 1', list_sort(list(rank)) = range(1, 1 + count(*)) FROM found;

SELECT 'the rows come in the order of their ranks', bool_and(rank = row) FROM (SELECT rank, row_number() OVER () AS row FROM found);

SELECT 'a model trained on the target itself is at JS divergence 0 and covers all of it',
    abs(js_divergence) < 1e-9 AND coverage = 1 AND overlap = 1
FROM found
WHERE model = 'torso1';

SELECT 'the best model by JS divergence is the one trained on the target', model = 'torso1'
FROM find_models('data/torso1.parquet', exclude := ['activity'], rank_by := 'js')
WHERE rank = 1;

SELECT 'coverage is a fraction', bool_and(coverage BETWEEN 0 AND 1) FROM found;

SELECT 'adaptivity is never below coverage', bool_and(adaptivity >= coverage) FROM found;

SELECT 'every model found has more than the least overlap', bool_and(overlap > (SELECT min_overlap FROM settings)) FROM found;

SELECT 'a JS divergence is between 0 and ln 2', bool_and(js_divergence BETWEEN -1e-12 AND ln(2) + 1e-12) FROM found;

SELECT 'KL divergences are not negative', bool_and(kl_target_source >= -1e-12 AND kl_source_target >= -1e-12) FROM found;

SELECT 'a higher least adaptivity keeps only the models that reach it', coalesce(bool_and(adaptivity >= 1), true) AND count(*) < (SELECT count(*) FROM found)
FROM find_models('data/torso1.parquet', exclude := ['activity'], min_adaptivity := 1);

SELECT 'a greatest divergence keeps only the models within it', bool_and(js_divergence <= 1e-6) AND count(*) = 1
FROM find_models('data/torso1.parquet', exclude := ['activity'], max_divergence := 1e-6);

WITH alien AS (SELECT 'word' || i AS nobody_has_this FROM range(300) AS r(i))
SELECT 'a target that shares nothing finds nothing', count(*) = 0 FROM find_models('alien');

SELECT 'a threshold that is given comes back', bool_and(max_js = 0.3) AND count(*) > 0
FROM find_models('data/torso1.parquet', exclude := ['activity'], max_js := 0.3);

SELECT 'a threshold below twice the sampling floor is warned of', bool_and(warning LIKE '%sampling floor%') AND count(*) > 0
FROM find_models('data/torso1.parquet', exclude := ['activity'], max_js := 1e-6);

SELECT 'an automatic threshold is not warned of', bool_and(warning IS NULL AND max_js > 0) AND count(*) > 0
FROM find_models('data/torso1.parquet', exclude := ['activity'], max_js := 'auto');

SELECT 'the wider the threshold, the more pairs match', wide.adaptivity >= narrow.adaptivity
FROM find_models('data/torso1.parquet', exclude := ['activity'], max_js := 0.3) AS wide
JOIN find_models('data/torso1.parquet', exclude := ['activity'], max_js := 0.1) AS narrow USING (model, version);
