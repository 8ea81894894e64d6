-- a feature that has values: its histogram over the whole dataset
WITH feature_bin AS (
    SELECT feature_id, bin, sum(occurrences)::UBIGINT AS occurrences
    FROM element
    GROUP BY ALL
),
histogram AS (
    SELECT
        feature_id,
        sum(occurrences) FILTER (bin IS NOT NULL)::UBIGINT AS "values",
        coalesce(sum(occurrences) FILTER (bin IS NULL), 0)::UBIGINT AS nulls,
        list(bin ORDER BY occurrences DESC, bin ASC) FILTER (bin IS NOT NULL) AS bins,
        list(occurrences ORDER BY occurrences DESC, bin ASC) FILTER (bin IS NOT NULL) AS counts
    FROM feature_bin
    GROUP BY feature_id
    HAVING "values" > 0
)
SELECT
    feature_id, c.dataset_number, c.feature, c.kind, "values", nulls,
    coalesce(w.k, r.k)::SMALLINT AS k, coalesce(w.b, r.b)::SMALLINT AS b,
    bins, counts
FROM histogram
JOIN dataset_column AS c USING (feature_id)
LEFT JOIN feature_resolution AS r USING (feature_id)
LEFT JOIN coarsening AS w USING (feature_id)
