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
        list(bin ORDER BY occurrences DESC, bin) FILTER (bin IS NOT NULL) AS bins,
        list(occurrences::UBIGINT ORDER BY occurrences DESC, bin) FILTER (bin IS NOT NULL) AS counts
    FROM feature_bin
    GROUP BY ALL
    HAVING "values" > 0;
COMMENT ON MACRO TABLE feature_histograms IS 'a feature that has values: its histogram over the whole dataset';

CREATE MACRO partition_histograms(elements, features) AS TABLE
    -- A bin is looked up in a list. Lists of hundreds (texts) are first cut into blocks of about 128 bins.
    WITH feature_layout AS MATERIALIZED (
        SELECT
            feature_id, bins, list_grade_up(list_grade_up(bins)) AS places,
            list_min(bins) AS low, ceil((list_max(bins) - list_min(bins) + 1) / ceil(len(bins) / 128))::USMALLINT AS width
        FROM query_table(features)
    ),
    feature_block AS MATERIALIZED (
        SELECT feature_id, (bin - low) // width AS block, list(bin ORDER BY bin) AS bins
        FROM (SELECT feature_id, low, width, unnest(bins) AS bin FROM feature_layout)
        GROUP BY ALL
    ),
    partition_block AS (
        SELECT partition_id, feature_id, block, bins
        FROM (SELECT unnest(range(max(partition_id) + 1))::UINTEGER AS partition_id FROM query_table(elements)), feature_block
    ),
    occurring AS (
        SELECT partition_id, feature_id, (bin - low) // width AS block, list(bin) AS bins, list(occurrences::UINTEGER) AS counts
        FROM query_table(elements)
        JOIN feature_layout USING (feature_id)
        WHERE bin IS NOT NULL
        GROUP BY ALL
    ),
    block_histogram AS (
        SELECT
            feature_id,
            partition_id,
            block,
            o.bins IS NOT NULL AS occurs,
            list_transform(
                list_select(coalesce(o.counts, []), list_transform(b.bins, lambda bin: coalesce(list_position(o.bins, bin), 0))),
                lambda n: coalesce(n, 0)
            ) AS counts
        FROM partition_block AS b
        LEFT JOIN occurring AS o USING (feature_id, partition_id, block)
    ),
    ascending AS (
        SELECT feature_id, partition_id, bool_or(occurs) AS occurs, flatten(list(counts ORDER BY block)) AS counts
        FROM block_histogram
        GROUP BY feature_id, partition_id
    )
    SELECT
        feature_id,
        partition_id,
        CASE WHEN occurs THEN list_select(counts, places)::UINTEGER[] ELSE []::UINTEGER[] END AS counts
    FROM ascending
    JOIN feature_layout USING (feature_id);
COMMENT ON MACRO TABLE partition_histograms IS 'a feature of a partition: occurrences of each bin of the feature; empty where it has no value';

CREATE MACRO feature_partitions(elements, features) AS TABLE
    SELECT feature_id, list(counts ORDER BY partition_id) AS partitions
    FROM partition_histograms(elements, features)
    GROUP BY feature_id;
COMMENT ON MACRO TABLE feature_partitions IS 'a feature and the histograms of its partitions, in the order of the partitions';

CREATE MACRO distincts(target, exclude := [], nested := NULL) AS TABLE
    SELECT row_number() OVER ()::USMALLINT AS feature_id, distincts
    FROM (
        UNPIVOT (SELECT approx_count_distinct(COLUMNS(*)) FROM leaves(target, exclude := exclude, nested := nested))
        ON COLUMNS(*) INTO NAME feature VALUE distincts
    );
COMMENT ON MACRO TABLE distincts IS 'a column of a dataset and an estimate of its distinct values';
