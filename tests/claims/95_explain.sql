-- Claims of sql/95_explain.sql.

CREATE TEMP TABLE explained AS FROM explain_features('torso1', 'data/torso1.parquet', exclude := ['activity']);

SELECT 'every feature of the target is explained once', count(*) = count(DISTINCT target_feature) AND count(*) = 8 FROM explained;

SELECT 'a dataset matches itself, feature by feature', bool_and(source_feature = target_feature AND jaccard = 1 AND abs(js_divergence) < 1e-12)
FROM explained;

SELECT 'the values of both sides are counted', bool_and(target_values = source_values AND target_nulls = source_nulls AND target_values = 1140)
FROM explained;

SELECT 'a source feature is matched once', count(source_feature) = count(DISTINCT source_feature) AND count(source_feature) > 0
FROM explain_features('torso2', 'data/leg1.parquet', exclude := ['activity']);

SELECT 'a match is above the least Jaccard similarity', bool_and(jaccard > 0.5)
FROM explain_features('torso2', 'data/torso1.parquet', exclude := ['activity'], min_jaccard := 0.5)
WHERE source_feature IS NOT NULL;

WITH alien AS (SELECT 'word' || i AS nobody_has_this FROM range(300) AS r(i))
SELECT 'a feature that nothing matches is there, with NULL', count(*) = 1 AND bool_and(source_feature IS NULL AND jaccard IS NULL)
FROM explain_features('beer', 'alien');

CREATE TEMP TABLE covered AS FROM explain_partitions('torso1', 'data/torso1.parquet', exclude := ['activity'], max_js := 0.2);

SELECT 'every partition of the target is explained once', count(*) = count(DISTINCT target_partition) AND count(*) = ceil(1140 / any_value(partition_size))
FROM covered, settings;

SELECT 'no partition has more matches than the source has partitions', bool_and(matches <= source_partitions) FROM covered;

SELECT 'uncovered partitions come first', bool_and(holds)
FROM (SELECT matches >= lag(matches, 1, 0) OVER () AS holds FROM covered);

SELECT 'adaptivity is the mean of the matches, coverage the share of the covered',
    abs(adaptivity - (SELECT avg(matches) FROM covered)) < 1e-9
    AND abs(coverage - (SELECT avg(CASE WHEN matches > 0 THEN 1 ELSE 0 END) FROM covered)) < 1e-9
FROM find_models('data/torso1.parquet', exclude := ['activity'], max_js := 0.2)
WHERE model = 'torso1';

SELECT 'the dataset of a model is found by its name', dataset_of('beer', NULL) = (SELECT dataset_id FROM models WHERE model = 'beer');
