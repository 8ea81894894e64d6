-- Claims of sql/40_histograms.sql.

WITH partition_sum AS (
    SELECT dataset_id, feature_id, sum(list_sum(counts)) AS total FROM histograms GROUP BY ALL
)
SELECT 'the histograms of the partitions add up to the values of the feature', bool_and(total = "values") AND count(*) > 20
FROM features
JOIN partition_sum USING (dataset_id, feature_id);

WITH by_bin AS (
    SELECT dataset_id, feature_id, bin, sum(n) AS n
    FROM (
        SELECT h.dataset_id, h.feature_id, unnest(f.bins) AS bin, unnest(h.counts) AS n
        FROM histograms AS h
        JOIN features AS f USING (dataset_id, feature_id)
        WHERE len(h.counts) > 0
    )
    GROUP BY ALL
),
summed AS (
    SELECT dataset_id, feature_id, list(n::UBIGINT ORDER BY n DESC, bin) AS counts FROM by_bin GROUP BY ALL
)
SELECT 'they add up bin by bin', bool_and(s.counts = f.counts) AND count(*) = (SELECT count(*) FROM features)
FROM features AS f
JOIN summed AS s USING (dataset_id, feature_id);

SELECT 'a histogram has a count for each bin of its feature, or none at all', bool_and(len(h.counts) IN (0, len(f.bins)))
FROM histograms AS h
JOIN features AS f USING (dataset_id, feature_id);

SELECT 'a number column without NULLs counts m values in a partition, and the residue in the last',
    bool_and(list_sum(h.counts) = CASE WHEN h.partition_id < d.partitions - 1 THEN partition_size
        ELSE d.rows - (d.partitions - 1) * partition_size END) AND count(*) > 20
FROM histograms AS h
JOIN features AS f USING (dataset_id, feature_id)
JOIN datasets AS d USING (dataset_id)
CROSS JOIN settings
WHERE f.kind = 'number' AND f.nulls = 0;

WITH e AS (
    FROM (VALUES
        (0, 1, 'x', 'number', 5, 2, 20.0), (0, 1, 'x', 'number', 7, 1, 30.0), (1, 1, 'x', 'number', 7, 3, 90.0),
        (1, 1, 'x', 'number', NULL, 4, NULL), (0, 2, 'empty', 'number', NULL, 3, NULL)
    ) AS v(partition_id, feature_id, feature, kind, bin, occurrences, total)
)
SELECT 'a feature is its bins, counts, NULLs and mean; one without values is none',
    count(*) = 1 AND bool_and(bins = [7, 5] AND counts = [4, 2] AND nulls = 4 AND "values" = 6 AND abs(mean - 140 / 6) < 1e-9)
FROM feature_histograms('e');

WITH e AS (
    FROM (VALUES
        (0, 1, 'x', 'number', 5, 2, 20.0), (0, 1, 'x', 'number', 7, 1, 30.0), (1, 1, 'x', 'number', 7, 3, 90.0), (2, 1, 'x', 'number', NULL, 4, NULL)
    ) AS v(partition_id, feature_id, feature, kind, bin, occurrences, total)
),
f AS (FROM feature_histograms('e'))
SELECT 'a partition counts each bin of the feature, and has no counts where it has no value',
    list(counts ORDER BY partition_id) = [[1, 2], [3, 0], []] AND bool_and(f.partitions = [[1, 2], [3, 0], []])
FROM partition_histograms('e', 'f')
JOIN feature_partitions('e', 'f') AS f USING (feature_id);

WITH t AS (SELECT i % 10 AS few, i AS many FROM range(10000) AS r(i))
SELECT 'distinct values are estimated within a fifth',
    list(distincts ORDER BY feature_id)[1] BETWEEN 8 AND 12 AND list(distincts ORDER BY feature_id)[2] BETWEEN 8000 AND 12000
FROM distincts('t');
