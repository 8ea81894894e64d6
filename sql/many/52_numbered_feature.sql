-- a feature of a dataset: all that is kept of it, its number that among the features of its dataset
SELECT f.* REPLACE (number AS feature_id), _format.fingerprint() AS fingerprint
FROM whole_feature AS f
JOIN (SELECT feature_id, number FROM typed_column) USING (feature_id)
