-- a feature that has values: its histogram over the whole dataset
WITH feature_bin AS (
    SELECT feature_id, feature, kind, bin, sum(occurrences) AS occurrences, sum(total) AS total
    FROM element
    GROUP BY ALL
)
SELECT
    feature_id,
    feature,
    kind,
    sum(occurrences) FILTER (bin IS NOT NULL)::UBIGINT AS "values",
    coalesce(sum(occurrences) FILTER (bin IS NULL), 0)::UBIGINT AS nulls,
    sum(total) / sum(occurrences) FILTER (total IS NOT NULL) AS mean,
    list(bin ORDER BY occurrences DESC, bin ASC) FILTER (bin IS NOT NULL) AS bins,
    list(occurrences::UBIGINT ORDER BY occurrences DESC, bin ASC) FILTER (bin IS NOT NULL) AS counts
FROM feature_bin
GROUP BY ALL
HAVING "values" > 0
