-- the same as a sketch file has it, without what is excluded here, too
WITH kept AS (
    SELECT
        feature_id::USMALLINT AS feature_id, feature::VARCHAR AS feature, kind::VARCHAR AS kind, "values"::UBIGINT AS "values",
        nulls::UBIGINT AS nulls, k::SMALLINT AS k, b::SMALLINT AS b, bins::DOUBLE[] AS bins, counts::UBIGINT[] AS counts,
        effective_bins::DOUBLE AS effective_bins, mean::DOUBLE AS mean, elements::UINTEGER AS elements,
        minhash::UINTEGER[] AS minhash, spread::DOUBLE AS spread, partitions::UINTEGER[][] AS partitions,
        distincts::UBIGINT AS distincts, skipped::VARCHAR[] AS skipped, rows::UBIGINT AS rows,
        dataset_spread::DOUBLE AS dataset_spread,
        list_concat(excluded::VARCHAR[], coalesce(exclude::VARCHAR[], []::VARCHAR[])) AS excluded,
        fingerprint::VARCHAR AS fingerprint
    FROM _logic.dataset_rows(CASE WHEN _logic.is_sketch_file(dataset) THEN dataset ELSE '_logic.no_sketch' END)
)
FROM kept
WHERE CASE
    WHEN fingerprint IS DISTINCT FROM _format.fingerprint() THEN error(
        'DatasetError: ' || dataset || ' is a sketch of another format, seed or salt than the hub has: make it anew with this hub'
    )
    WHEN (SELECT count(*) > count(DISTINCT feature_id) FROM kept) THEN error(
        'DatasetError: ' || dataset || ' are several sketches: a dataset has one'
    )
    WHEN coalesce(
        kind IN ('number', 'time', 'text') AND (kind = 'text') = (k IS NULL) AND (k IS NULL) = (b IS NULL)
        AND len(bins) > 0 AND len(counts) = len(bins) AND list_sum(counts) = "values"
        AND len(minhash) = _format.minhash_bands() * _format.minhash_rows()
        AND len(partitions) BETWEEN 1 AND _logic.kept_partitions(rows)
        AND list_sum(list_transform(partitions, lambda p: coalesce(list_sum(p), 0)))
            BETWEEN CASE WHEN _logic.kept_partitions(rows) = _logic.whole_partitions(rows) THEN "values" ELSE 0 END AND "values"
        AND len(list_filter(partitions, lambda p: len(p) NOT IN (0, len(bins)))) = 0,
        false
    ) THEN NOT _logic.is_excluded(feature, exclude)
    ELSE error('DatasetError: ' || dataset || ' is no sketch of a dataset, or a damaged one')
END
ORDER BY feature_id ASC
