-- elements -> features and histograms, the succinct representation of Fig. 2.
-- The dataset that is registered and the target of a query go through the same two macros.

CREATE MACRO feature_histograms(elements) AS TABLE
    WITH feature_bin AS (
        SELECT feature_id, feature, kind, bin, sum(occurrences) AS occurrences, sum(total) AS total
        FROM query_table(elements)
        GROUP BY ALL
    )
    SELECT
        feature_id,
        feature,
        kind,
        sum(occurrences) FILTER (bin IS NOT NULL)::UBIGINT AS "values",
        coalesce(sum(occurrences) FILTER (bin IS NULL), 0)::UBIGINT AS nulls,
        sum(total) / sum(occurrences) FILTER (total IS NOT NULL) AS mean,
        list(bin ORDER BY bin) FILTER (bin IS NOT NULL) AS bins,
        list(occurrences::UBIGINT ORDER BY bin) FILTER (bin IS NOT NULL) AS counts
    FROM feature_bin
    GROUP BY ALL
    HAVING "values" > 0;
COMMENT ON MACRO TABLE feature_histograms IS 'a feature that has values: its histogram over the whole dataset';

CREATE MACRO partition_histograms(elements, features) AS TABLE
    WITH partition_feature AS (
        SELECT partition_id, feature_id
        FROM (SELECT DISTINCT partition_id FROM query_table(elements)), (SELECT feature_id FROM query_table(features))
    ),
    occurring AS (
        SELECT partition_id, feature_id, list(bin) AS bins, list(occurrences::UINTEGER) AS counts
        FROM query_table(elements)
        WHERE bin IS NOT NULL
        GROUP BY ALL
    )
    SELECT
        feature_id,
        partition_id,
        CASE
            WHEN o.bins IS NULL THEN []::UINTEGER[]
            ELSE list_transform(
                list_select(o.counts, list_transform(f.bins, lambda b: coalesce(list_position(o.bins, b), 0))),
                lambda n: coalesce(n, 0)
            )::UINTEGER[]
        END AS counts
    FROM partition_feature
    JOIN query_table(features) AS f USING (feature_id)
    LEFT JOIN occurring AS o USING (partition_id, feature_id);
COMMENT ON MACRO TABLE partition_histograms IS 'a feature of a partition: occurrences of each bin of the feature; empty where it has no value';

CREATE MACRO distincts(target, exclude := []) AS TABLE
    SELECT row_number() OVER ()::USMALLINT AS feature_id, distincts
    FROM (
        UNPIVOT (SELECT approx_count_distinct(COLUMNS(*)) FROM leaves(target, exclude := exclude))
        ON COLUMNS(*) INTO NAME feature VALUE distincts
    );
COMMENT ON MACRO TABLE distincts IS 'a column of a dataset and an estimate of its distinct values';
