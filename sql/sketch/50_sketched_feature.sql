-- a feature of the dataset: its histogram, MinHash signature, the histogram of each partition, and how far these lie from the whole
-- Each is there once; an order of inner joins would be sought for as long as all else is planned.
SELECT
    f.*, _logic.effective_bins(f.counts) AS effective_bins, _logic.bins_mean(f.kind, f.bins, f.counts, f.k, f.b) AS mean,
    m.elements, m.minhash, s.spread, p.partitions, least(n.distincts, f."values")::UBIGINT AS distincts, o.skipped, r.rows,
    d.dataset_spread, coalesce(exclude::VARCHAR[], []) AS excluded, _format.fingerprint() AS fingerprint
FROM feature_histogram AS f
LEFT JOIN minhash_signature AS m USING (feature_id)
LEFT JOIN feature_spread AS s USING (feature_id)
LEFT JOIN feature_partitions AS p USING (feature_id)
LEFT JOIN distinct_value AS n USING (feature_id)
CROSS JOIN row_permutation AS r
CROSS JOIN dataset_spread AS d
CROSS JOIN skipped_column AS o
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
