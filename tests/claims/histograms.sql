-- Claims of sql/values/45_histograms.sql.

SELECT 'frequent bins occur twice in a partition, on average, or more often',
    _logic.frequent_bins([10, 8, 7, 1], 4) = 2 AND _logic.frequent_bins([1, 1], 1) = 0 AND _logic.frequent_bins([], 1) = 0;

SELECT 'they come first, as the bins are in the order of their frequency', bool_and(
    coalesce(list_min(counts[:frequent]) >= 2 * partitions, true) AND coalesce(list_max(counts[frequent + 1:]) < 2 * partitions, true)
) AND sum(frequent) > 0
FROM (SELECT counts, partitions, _logic.frequent_bins(counts, partitions) AS frequent FROM features JOIN datasets USING (dataset_id));

WITH s AS (SELECT unnest([0.1, 0.3]) AS feature, 0.2 AS dataset)
SELECT 'of two bounds of a mean the lower one holds', abs(_logic.mean_spread(feature, dataset) - 0.1) < 1e-12 FROM s;

WITH s AS (SELECT unnest([0.1, 0.3]) AS feature, 2 AS dataset)
SELECT 'whichever it is', abs(_logic.mean_spread(feature, dataset) - 0.2) < 1e-12 FROM s;

SELECT 'a mean takes each number in the middle of its bin', _logic.bins_mean('number', [0e0, 2e0], [1, 3], 0, 3) = 2;

SELECT 'infinities are left out of a mean',
    _logic.bins_mean('number', ['inf'::DOUBLE, 2e0, '-inf'::DOUBLE], [9, 1, 9], 0, 3) = 2.5
    AND _logic.bins_mean('number', ['inf'::DOUBLE], [9], 0, 3) IS NULL;

SELECT 'text has no mean', _logic.bins_mean('text', [0e0, 2e0], [1, 3], NULL, NULL) IS NULL;

SELECT 'the stored mean is that of the stored histogram', count(*) > 20 AND bool_and(
    mean IS NOT DISTINCT FROM _logic.bins_mean(kind, bins, counts, k, b) AND (mean IS NULL) = (kind = 'text')
)
FROM features;
