-- dataset -> sketch: all that is kept of a dataset, in one relation. A row is a feature. The dataset
-- that is registered and the target of a query go through this same macro.

CREATE MACRO sketch(dataset, exclude := []) AS TABLE
    WITH dataset_row AS MATERIALIZED (FROM numbered_rows(dataset, exclude := exclude)),
    dataset_column AS MATERIALIZED (FROM dataset_columns('dataset_row', exclude := ['modelhub row'])),
    dataset_elements AS MATERIALIZED (FROM elements('dataset_row', 'dataset_column')),
    dataset_features AS MATERIALIZED (FROM feature_histograms('dataset_elements')),
    feature_minhash AS MATERIALIZED (FROM minhash_signatures('dataset_features')),
    feature_partitions AS (
        SELECT feature_id, list(counts ORDER BY partition_id) AS partitions
        FROM partition_histograms('dataset_elements', 'dataset_features')
        GROUP BY feature_id
    )
    SELECT f.*, m.elements, m.minhash, p.partitions
    FROM dataset_features AS f
    JOIN feature_minhash AS m USING (feature_id)
    JOIN feature_partitions AS p USING (feature_id)
    ORDER BY feature_id;
COMMENT ON MACRO TABLE sketch IS 'a feature of a dataset: its histogram, MinHash signature and, in partitions, the histogram of each partition';

CREATE MACRO sketched_histograms(sketch) AS TABLE
    SELECT
        feature_id,
        unnest(range(len(partitions)))::UINTEGER AS partition_id,
        unnest(partitions) AS counts
    FROM query_table(sketch);
COMMENT ON MACRO TABLE sketched_histograms IS 'a feature of a partition of a sketch: occurrences of each bin of the feature';
