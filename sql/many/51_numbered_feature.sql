-- a feature of a dataset: all that is kept of it, its number that among the features of its dataset
SELECT f.* REPLACE ((feature_id - features_before)::USMALLINT AS feature_id), _format.fingerprint() AS fingerprint
FROM whole_feature AS f
JOIN (SELECT dataset_number, features_before FROM dataset_size) USING (dataset_number)
