-- Claims of sql/80_adaptivity.sql, on real tables.

CREATE TEMP TABLE near AS FROM search_options(max_js := 0.2, search := 'exact');
CREATE TEMP TABLE automatic AS FROM search_options(max_js := 'auto');
CREATE TEMP TABLE torso AS FROM sketch('data/torso2.parquet', exclude := ['activity']);
CREATE TEMP TABLE near_coverage AS FROM target_coverage('torso', 'near');

WITH pairs AS (SELECT i AS pair_id FROM range(7) AS r(i))
SELECT 'pairs that are taken for many are as many as they are', list(pair_id ORDER BY pair_id) = [0, 1, 2, 3, 4, 5, 6]
FROM many_pairs('pairs');

SELECT 'every partition of the target has a row for each related dataset', bool_and(partitions = 12) AND count(*) > 1
FROM (SELECT dataset_id, count(DISTINCT target_partition) AS partitions FROM near_coverage GROUP BY dataset_id);

SELECT 'some pairs match and some do not', bool_or(matches > 0) AND bool_or(matches < 12) FROM near_coverage;

SELECT 'a partition matches at most all partitions of the dataset', bool_and(matches <= partitions)
FROM near_coverage
JOIN datasets USING (dataset_id);

SELECT 'adaptivity is matching pairs over target partitions (Def. 2): ' || model, abs(r.adaptivity - c.pairs / 12) < 1e-12 AND abs(r.coverage - c.covered / 12) < 1e-12
FROM rank_models('torso', 'near') AS r
JOIN models USING (model, version)
JOIN (
    SELECT dataset_id, sum(matches) AS pairs, count(*) FILTER (matches > 0) AS covered FROM near_coverage GROUP BY dataset_id
) AS c USING (dataset_id);

SELECT 'm ln m is 0 at 0 and at 1', negentropy(0) = 0 AND negentropy(1) = 0 AND negentropy(0.5) < 0;

CREATE TEMP TABLE sources AS FROM (VALUES
    (1, 1, 0, [sqrt(0.5), sqrt(0.5), 0]), (1, 1, 1, [1.0, 0, 0]), (1, 1, 2, [0, 0, 1.0])
) AS v(owner, space_id, partition_id, roots);
CREATE TEMP TABLE targets AS FROM (VALUES (0, 1, 0, [sqrt(0.5), sqrt(0.5), 0]), (0, 1, 1, [0.6, 0.8, 0])) AS v(owner, space_id, partition_id, roots);
CREATE TEMP TABLE sample AS (FROM sources UNION ALL FROM targets);
CREATE TEMP TABLE limits AS SELECT 0.1 AS max_js, 10.0 AS width;
CREATE TEMP TABLE exactly AS SELECT 'exact' AS search;
CREATE TEMP TABLE pairs_of_all AS SELECT row_number() OVER () AS pair_id, * FROM all_pairs('sources', 'targets', 'limits', 'exactly');

SELECT 'a pair that cannot match is not compared further', count(*) = 2 AND bool_and(source_partition = 0) FROM pairs_of_all;

SELECT 'a pair is kept exactly when its JS divergence is at most t', count(*) = 2
FROM verified_pairs('pairs_of_all', 'sources', 'targets', 'limits');

WITH stated AS (SELECT 1 AS pair_id, 1 AS owner, 1 AS space_id, 1 AS source_partition, 1 AS target_partition)
SELECT 'the divergence of a pair by entropies is that by logarithms', abs(js_divergence - js_divergence([1, 0], [0.36, 0.64])) < 1e-12
FROM pair_divergences('stated', 'sources', 'targets');

SELECT 'a given t is t, and r is in proportion to the distance of a match',
    t.max_js = 0.2 AND abs(t.width - s.jslsh_width * sqrt(2 * 0.2 / ln(2))) < 1e-12
FROM js_threshold('sample', 'near') AS t, settings AS s;

WITH sample_pair AS (
    SELECT row_number() OVER () AS pair_id, s.owner, s.space_id, s.partition_id AS source_partition, t.partition_id AS target_partition
    FROM sources AS s JOIN targets AS t USING (space_id)
),
divergence AS (SELECT list_sort(list(js_divergence)) AS js FROM pair_divergences('sample_pair', 'sources', 'targets')),
portion AS (SELECT least(0.25, auto_models / (SELECT count(DISTINCT owner) FROM sources)) AS portion FROM settings)
SELECT 'an automatic t is a quantile of the divergences', abs(max_js - greatest(1e-9, js[ceil(len(js) * portion)::INT])) < 1e-10
FROM js_threshold('sample', 'automatic'), divergence, portion;
