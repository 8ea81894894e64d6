-- Claims of sql/10_tables.sql.

SELECT 'every model has a dataset', count(*) = 0 FROM models ANTI JOIN datasets USING (dataset_id);

SELECT 'every dataset has a model', count(*) = 0 FROM unused_datasets;

SELECT 'every dataset has features', count(*) = 0 FROM datasets ANTI JOIN features USING (dataset_id);

SELECT 'every feature has a histogram for every partition of its dataset', bool_and(histograms = partitions) AND count(*) > 20
FROM (
    SELECT f.dataset_id, f.feature_id, any_value(d.partitions) AS partitions, count(*) AS histograms
    FROM features AS f
    JOIN datasets AS d USING (dataset_id)
    JOIN histograms AS h USING (dataset_id, feature_id)
    GROUP BY ALL
);

SELECT 'the counts of frequent and rare bins are stored apart, and none is lost',
    bool_and(len(c.frequent) = frequent_bins(f.counts, d.partitions) AND len(c.frequent) + len(c.rare) = len(f.bins))
    AND sum(list_sum(c.frequent)) > 0 AND sum(list_sum(c.rare)) > 0
FROM partition_counts AS c
JOIN features AS f USING (dataset_id, feature_id)
JOIN datasets AS d USING (dataset_id)
WHERE len(c.frequent) + len(c.rare) > 0;

SELECT 'the bins of a feature are distinct, the most frequent first',
    bool_and(len(bins) = len(list_distinct(bins)) AND counts = list_reverse_sort(counts))
FROM features;

SELECT 'a feature counts each of its bins, at least once', bool_and(len(bins) = len(counts) AND list_min(counts) > 0) FROM features;

SELECT 'the counts of a feature add up to its values', bool_and(list_sum(counts) = "values") FROM features;

SELECT 'a signature has as many values as there are MinHash functions',
    bool_and(len(minhash) = (SELECT minhash_bands * minhash_rows FROM settings))
FROM features;

SELECT 'there are L times K MinHash functions', count(*) = (SELECT minhash_bands * minhash_rows FROM settings) FROM minhash_functions;

SELECT 'the multiplier of a MinHash function is odd', bool_and(multiplier % 2 = 1) FROM minhash_functions;

SELECT 'every feature is in every band once', bool_and(bands = (SELECT minhash_bands FROM settings)) AND count(*) = (SELECT count(*) FROM features)
FROM (SELECT dataset_id, feature_id, count(DISTINCT band) AS bands FROM feature_bands GROUP BY ALL);

WITH first_features AS (FROM features WHERE dataset_id = 1),
stored AS (SELECT band, signature, feature_id FROM feature_bands WHERE dataset_id = 1),
computed AS (SELECT band, signature, feature_id FROM minhash_bands('first_features'))
SELECT 'the stored bands are those of the stored signatures',
    (SELECT count(*) FROM stored) > 0
    AND (SELECT count(*) FROM (FROM stored EXCEPT FROM computed)) = 0
    AND (SELECT count(*) FROM (FROM computed EXCEPT FROM stored)) = 0;

SELECT 'list_models has a row for each model', (SELECT count(*) FROM list_models) = (SELECT count(*) FROM models);

SELECT 'a model and version are listed once', count(*) = count(DISTINCT (model, version)) FROM list_models;

SELECT 'the empty dataset has no rows', count(*) = 0 FROM no_dataset;

SELECT 'the hub carries a script for each verb that changes it', list_sort(list(verb)) = ['register', 'remove'] FROM verbs;

SELECT 'a variable that is not set is NULL as text', text_variable('no such variable') IS NULL;
