-- a feature of the dataset: all that is kept of it, with what was excluded and the format that it is in
SELECT * EXCLUDE (dataset_number), coalesce(exclude::VARCHAR[], []) AS excluded, _format.fingerprint() AS fingerprint
FROM whole_feature
WHERE (
    SELECT CASE
        WHEN count(*) > 0 OR dataset = '_logic.no_dataset' THEN true
        WHEN (SELECT rows FROM row_permutation) = 0
            THEN error('DatasetError: ' || dataset || ' has no rows: there is nothing to sketch')
        ELSE error(
            'DatasetError: ' || dataset || ' has no column that can be compared: '
            || (SELECT array_to_string(skipped, ', ') FROM skipped_column)
            || CASE WHEN len(exclude) > 0 THEN '; excluded: ' || array_to_string(exclude, ', ') ELSE '' END
            || '. Pass a table with numbers, text, dates or lists that are not all NULL'
        )
    END
    FROM feature_histogram
)
ORDER BY feature_id ASC
