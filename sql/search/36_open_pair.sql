-- a feature that shares a MinHash band with a feature of the target (or any, where few are left), both without a match so far
WITH source_signature AS (
    SELECT f.dataset_id, f.feature_id, _logic.band_signatures(f.minhash) AS signatures
    FROM _hub.features AS f
    SEMI JOIN open_source USING (dataset_id, feature_id)
    SEMI JOIN (SELECT dataset_id FROM open_target WHERE many) AS wide USING (dataset_id)
),
source_band AS (
    SELECT dataset_id, feature_id, unnest(range(len(signatures)))::USMALLINT AS band, unnest(signatures) AS signature FROM source_signature
),
colliding AS (
    SELECT DISTINCT target_feature_id, dataset_id, feature_id
    FROM source_band
    JOIN target_band USING (band, signature)
)
SELECT target_feature_id, dataset_id, feature_id
FROM open_target
JOIN open_source USING (dataset_id, kind)
WHERE NOT many
UNION ALL
FROM colliding SEMI JOIN open_target USING (dataset_id, target_feature_id)
