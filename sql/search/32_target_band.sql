-- a band of the MinHash signature of a feature of the target; of one row where any similarity counts
WITH banded AS (
    SELECT
        feature_id AS target_feature_id,
        CASE
            WHEN (SELECT _logic.is_any_function_a_band(options.features, options.min_jaccard) FROM options)
                THEN minhash::UBIGINT[]
            ELSE _logic.band_signatures(minhash)
        END AS signatures
    FROM target_feature
)
SELECT target_feature_id, unnest(range(len(signatures)))::USMALLINT AS band, unnest(signatures) AS signature
FROM banded
