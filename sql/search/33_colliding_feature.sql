-- a feature of a dataset that shares a MinHash band with a feature of the target, of one kind, both without a match so far (section 3.4)
WITH banded AS (
    SELECT
        f.dataset_id, f.feature_id, o.kind,
        CASE
            WHEN (SELECT _logic.is_any_function_a_band(options.features, options.min_jaccard) FROM options)
                THEN f.minhash::UBIGINT[]
            ELSE _logic.band_signatures(f.minhash)
        END AS signatures
    FROM _hub.features AS f
    JOIN open_source AS o USING (dataset_id, feature_id)
),
source_band AS (
    SELECT dataset_id, feature_id, kind, unnest(range(len(signatures)))::USMALLINT AS band, unnest(signatures) AS signature
        FROM banded
),
colliding AS (
    SELECT DISTINCT target_feature_id, dataset_id, feature_id, kind
    FROM source_band
    JOIN target_band USING (band, signature)
)
FROM colliding
SEMI JOIN open_target USING (dataset_id, target_feature_id, kind)
