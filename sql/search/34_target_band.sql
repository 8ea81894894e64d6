-- a band of the MinHash signature of a feature of the target
WITH banded AS (
    SELECT feature_id AS target_feature_id, _logic.band_signatures(minhash) AS signatures FROM target_feature
)
SELECT target_feature_id, unnest(range(len(signatures)))::USMALLINT AS band, unnest(signatures) AS signature
FROM banded
