-- a feature of a dataset and one of its name and kind of a later dataset; they are compared at the coarser resolution (k, b)
SELECT
    row_number() OVER () AS pair, s.dataset_id, s.feature_id, o.dataset_id AS other_id, o.feature_id AS other_feature_id,
    greatest(s.k, o.k) AS k, least(s.b, o.b) AS b
FROM named_feature AS s
JOIN named_feature AS o ON o.name_id = s.name_id AND o.dataset_id > s.dataset_id
