-- a feature, its histogram, MinHash signature, the histogram of each partition, and how far these lie from the whole
-- inlined: it is read once
-- Each is there once; an order of inner joins would be sought for as long as all else is planned.
SELECT
    f.*, _logic.effective_bins(f.counts) AS effective_bins, _logic.bins_mean(f.kind, f.bins, f.counts, f.k, f.b) AS mean,
    m.elements, m.minhash, s.spread, p.partitions,
    -- A column of two texts has no token that is in each row equally often.
    least(f."values", greatest(n.distincts, CASE
        WHEN f.kind <> 'text' THEN len(f.bins)
        WHEN list_sum(list_transform(f.counts, lambda n: n % greatest(r.rows - f.nulls, 1))) > 0 THEN 2
    END))::UBIGINT AS distincts,
    o.skipped, r.rows, d.dataset_spread
FROM feature_histogram AS f
LEFT JOIN minhash_signature AS m USING (feature_id)
LEFT JOIN feature_spread AS s USING (feature_id)
LEFT JOIN feature_partitions AS p USING (feature_id)
LEFT JOIN distinct_value AS n USING (feature_id)
LEFT JOIN row_permutation AS r USING (dataset_number)
LEFT JOIN dataset_spread AS d USING (dataset_number)
LEFT JOIN skipped_column AS o USING (dataset_number)
