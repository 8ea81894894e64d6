-- dataset -> sketch: all that is kept of a dataset. A dataset that is registered and the target of a
-- query go through the same macros; the histograms of the one go straight into their table, those of
-- the other stay with the features in one relation.

CREATE MACRO dataset_elements(dataset, exclude := [], forms := NULL, nested := NULL) AS TABLE
    WITH dataset_row AS MATERIALIZED (FROM numbered_rows(dataset, exclude := exclude, nested := nested)),
    dataset_column AS MATERIALIZED (FROM dataset_columns('dataset_row', exclude := ['modelhub row'], nested := false))
    FROM elements('dataset_row', 'dataset_column', forms := forms);
COMMENT ON MACRO TABLE dataset_elements IS 'a bin of a feature in a partition of a dataset and its occurrences; bin NULL counts the NULLs; forms: of the columns, others are not looked for; NULL: all';

CREATE MACRO sketched_features(elements) AS TABLE
    WITH feature_histogram AS MATERIALIZED (FROM feature_histograms(elements)),
    feature_minhash AS MATERIALIZED (FROM minhash_signatures('feature_histogram'))
    SELECT f.*, m.elements, m.minhash
    FROM feature_histogram AS f
    JOIN feature_minhash AS m USING (feature_id);
COMMENT ON MACRO TABLE sketched_features IS 'a feature of a dataset: its histogram and MinHash signature';

CREATE MACRO sketch(dataset, exclude := [], forms := NULL, nested := NULL) AS TABLE
    WITH all_elements AS MATERIALIZED (
        FROM dataset_elements(dataset, exclude := exclude, forms := forms, nested := nested)
    ),
    all_features AS MATERIALIZED (FROM sketched_features('all_elements')),
    all_partitions AS (FROM feature_partitions('all_elements', 'all_features'))
    SELECT f.*, p.partitions
    FROM all_features AS f
    JOIN all_partitions AS p USING (feature_id)
    WHERE (
        SELECT CASE WHEN count(*) > 0 THEN true
            ELSE error('DatasetError: ' || dataset || ' has nothing to compare: no rows, only NULLs, or only types that cannot be compared. Pass a table with numbers, text, dates or lists')
        END
        FROM all_features
    )
    ORDER BY feature_id;
COMMENT ON MACRO TABLE sketch IS 'a feature of a dataset: its histogram, MinHash signature and, in partitions, the histogram of each partition';

CREATE MACRO sketched_histograms(sketch) AS TABLE
    SELECT
        feature_id,
        unnest(range(len(partitions)))::UINTEGER AS partition_id,
        unnest(partitions) AS counts
    FROM query_table(sketch);
COMMENT ON MACRO TABLE sketched_histograms IS 'a feature of a partition of a sketch: occurrences of each bin of the feature';
