-- a MinHash band of a registered feature: the hash tables of section 3.4 as one relation
-- example: SELECT count(*) FROM feature_bands
CREATE VIEW feature_bands AS
SELECT unnest(range(len(signatures)))::USMALLINT AS band, unnest(signatures) AS signature, dataset_id, feature_id
FROM (SELECT dataset_id, feature_id, _logic.band_signatures(minhash) AS signatures FROM _hub.features)
