-- Claims of sql/public, on real tables of sensor features.

SELECT 'a setting is told once, with what it means',
    count(*) = count(DISTINCT setting) AND bool_and(meaning <> '') AND count(*) FILTER (fixed) > 5 AND count(*) FILTER (NOT fixed) > 5
FROM settings;

SELECT 'the settings that are fixed are those of the format', count(*) = 6 AND bool_and("value" = fixed_value)
FROM settings
JOIN (VALUES
    ('partition_size', _format.partition_size()::VARCHAR), ('most_bins', _format.most_bins()::VARCHAR),
    ('text_bins', _format.text_bins()::VARCHAR), ('minhash_bands', _format.minhash_bands()::VARCHAR),
    ('minhash_rows', _format.minhash_rows()::VARCHAR), ('seed', _format.seed()::VARCHAR)
) AS v(setting, fixed_value) USING (setting)
WHERE fixed;

SELECT 'the default thresholds are in their ranges', bool_and(coalesce("value"::DOUBLE BETWEEN 0 AND 1, true)) AND count(*) = 4
FROM settings
WHERE setting IN ('min_overlap', 'min_jaccard', 'max_js', 'recall');

SELECT 'what users call has a meaning and an example: ' || name, what_a_row_is <> '' AND example <> '' FROM help;

SELECT 'the example of ' || name || ' names it', contains(example, name) FROM help;

SELECT 'help lists what a person looks for', list_has_all(list(name), [
    'find_models', 'explain_model', 'explain_features', 'explain_partitions', 'sketch', 'list_models', 'models', 'datasets', 'features',
    'histograms', 'feature_bands', 'verbs', 'settings', 'help'
])
FROM help;

SELECT 'the hub carries scripts for what changes it', list_has_all(list(verb), ['register', 'remove', 'record', 'set']) AND bool_and(script <> '') FROM verbs;

SELECT 'every model has a dataset', count(*) = 0 FROM models ANTI JOIN datasets USING (dataset_id);

SELECT 'every dataset has features', count(*) = 0 FROM datasets ANTI JOIN features USING (dataset_id);

SELECT 'every dataset was sketched in the format of the hub', bool_and(fingerprint = _format.fingerprint()) AND count(*) > 1 FROM datasets;

SELECT 'a dataset has as many partitions as its rows need', bool_and(partitions = greatest(1, round(rows / _format.partition_size()))) FROM datasets;

SELECT 'list_models has a row for each model', (SELECT count(*) FROM list_models) = (SELECT count(*) FROM models);

SELECT 'in the order of their names, a model and version once',
    count(*) = count(DISTINCT (model, version)) AND list(model) = list_sort(list(model))
FROM list_models;

SELECT 'every feature has a histogram for every partition of its dataset', bool_and(histograms = partitions) AND count(*) > 20
FROM (
    SELECT f.dataset_id, f.feature_id, any_value(d.partitions) AS partitions, count(*) AS histograms
    FROM features AS f
    JOIN datasets AS d USING (dataset_id)
    JOIN histograms AS h USING (dataset_id, feature_id)
    GROUP BY ALL
);

SELECT 'the histograms of the partitions add up to the values of the feature', bool_and(total = "values") AND count(*) > 20
FROM features
JOIN (SELECT dataset_id, feature_id, sum(list_sum(counts)) AS total FROM histograms GROUP BY ALL) USING (dataset_id, feature_id);

SELECT 'every feature is in every band once',
    bool_and(bands = _format.minhash_bands() AND rows = bands) AND count(*) = (SELECT count(*) FROM features)
FROM (SELECT dataset_id, feature_id, count(DISTINCT band) AS bands, count(*) AS rows FROM feature_bands GROUP BY ALL);

SELECT 'sketch is what is stored', count(*) = 8 AND bool_and(t.bins = f.bins AND t.minhash = f.minhash)
FROM sketch('data/torso1.parquet', exclude := ['activity'], forms := ['number'], nested := false) AS t
JOIN features AS f USING (feature)
JOIN models USING (dataset_id)
WHERE model = 'torso1';

CREATE TEMP TABLE found AS
FROM find_models('data/torso1.parquet', exclude := ['activity'], max_js := 0.2, forms := ['number'], nested := false);

SELECT 'models are found', count(*) > 1 FROM found;

SELECT 'ranks count from 1', list_sort(list(rank)) = range(1, 1 + count(*)) FROM found;

SELECT 'the rows come in the order of their ranks', bool_and(rank = row) FROM (SELECT rank, row_number() OVER () AS row FROM found);

SELECT 'a model trained on the target itself is first, and the same', model = 'torso1' AND verdict = 'same' FROM found WHERE rank = 1;

SELECT 'it is at JS divergence 0 and covers all of the target', abs(js_divergence) < 1e-9 AND coverage = 1 AND overlap = 1
FROM found
WHERE model = 'torso1';

SELECT 'coverage and overlap are fractions', bool_and(coverage BETWEEN 0 AND 1 AND overlap BETWEEN 0 AND 1) FROM found;

SELECT 'adaptivity is never below coverage', bool_and(adaptivity >= coverage) FROM found;

SELECT 'a JS divergence is between 0 and ln 2', bool_and(js_divergence BETWEEN -1e-12 AND ln(2) + 1e-12) FROM found;

SELECT 'KL divergences are not negative', bool_and(kl_target_source >= -1e-12 AND kl_source_target >= -1e-12) FROM found;

SELECT 'every model is summed up in a sentence', bool_and(summary <> '') FROM found;

CREATE TEMP TABLE explained AS
FROM explain_features('torso1', 'data/torso1.parquet', exclude := ['activity'], details := true, forms := ['number'], nested := false);

SELECT 'every feature of the target is explained once', count(*) = count(DISTINCT target_feature) AND count(*) = 8 FROM explained;

SELECT 'a dataset matches itself, feature by feature', bool_and(source_feature = target_feature AND abs(js_divergence) < 1e-9) FROM explained;

CREATE TEMP TABLE covered AS
FROM explain_partitions('torso1', 'data/torso1.parquet', exclude := ['activity'], max_js := 0.2, forms := ['number'], nested := false);

SELECT 'every partition of the target is explained once',
    count(*) = count(DISTINCT target_partition) AND count(*) = round(1140 / _format.partition_size())
FROM covered;

SELECT 'no partition has more matches than the source has partitions', bool_and(matches <= source_partitions) FROM covered;

SELECT 'uncovered partitions come first', bool_and(holds) FROM (SELECT matches >= lag(matches, 1, 0) OVER () AS holds FROM covered);

SELECT 'adaptivity is the mean of the matches, coverage the share of the covered',
    abs(adaptivity - (SELECT avg(matches) FROM covered)) < 1e-9
    AND abs(coverage - (SELECT avg((matches > 0)::INTEGER) FROM covered)) < 1e-9
FROM found
WHERE model = 'torso1';

SELECT 'a model that is explained has the rank that it is found at', count(*) = 1 AND bool_and(e.rank = f.rank AND e.verdict = f.verdict)
FROM explain_model('torso1', 'data/torso1.parquet', exclude := ['activity'], max_js := 0.2, forms := ['number'], nested := false) AS e
JOIN found AS f USING (model, version);
