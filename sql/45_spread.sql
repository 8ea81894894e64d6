-- histograms -> spread: how far the partitions of a dataset lie from the dataset as a whole. sqrt(JS) is a metric
-- (Endres, Schindelin 2003), so two partitions are at least as far apart as their wholes, less both spreads: the
-- search reads the histograms of those datasets only that may match (reachable_datasets).

CREATE MACRO whole_distances(features, histograms) AS TABLE
    -- Totals before the lists are unnested: once a histogram, not once a bin.
    WITH histogram AS (
        SELECT h.feature_id, h.partition_id, h.counts, greatest(list_sum(h.counts), 1) AS total, f.counts AS whole, f."values"
        FROM query_table(histograms) AS h
        JOIN query_table(features) AS f USING (feature_id)
    ),
    listed AS (
        SELECT feature_id, partition_id, unnest(counts) AS n, total, unnest(whole) AS whole_n, "values" FROM histogram
    ),
    partition_bin AS (
        SELECT feature_id, partition_id, coalesce(n, 0) / total AS p, whole_n / "values" AS q FROM listed
    )
    SELECT
        feature_id, partition_id,
        least(ln(2), greatest(0, ln(2) + sum(negentropy(p) + negentropy(q) - negentropy(p + q)) / 2)) AS js_divergence
    FROM partition_bin
    GROUP BY feature_id, partition_id;
COMMENT ON MACRO TABLE whole_distances IS 'a feature of a partition and its JS divergence from the feature as a whole; ln 2 where it has no value';

CREATE MACRO feature_spreads(distances) AS TABLE
    SELECT feature_id, max(js_divergence) AS spread FROM query_table(distances) GROUP BY feature_id;
COMMENT ON MACRO TABLE feature_spreads IS 'a feature and the greatest JS divergence of one of its partitions from the whole';

CREATE MACRO dataset_spread(distances) AS TABLE
    SELECT max(js_sum) AS spread
    FROM (SELECT partition_id, sum(js_divergence) AS js_sum FROM query_table(distances) GROUP BY partition_id);
COMMENT ON MACRO TABLE dataset_spread IS 'the greatest sum, over the features, of the JS divergences of one partition from the whole (one row)';

CREATE MACRO mean_spread(feature_spreads, dataset_spread) AS least(avg(feature_spreads), any_value(dataset_spread) / count(*));
COMMENT ON MACRO mean_spread IS 'the most that a partition''s JS divergence from the whole can be, over a group of features: two bounds, of which either may be the lower';
