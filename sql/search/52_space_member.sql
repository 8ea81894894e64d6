-- a shared feature of a dataset (owner) in its space and the target feature (slot) that it matches; the target is owner 0 of every space
SELECT
    s.dataset_id AS owner, s.space_id, f.feature_id, m.target_feature_id AS slot,
    len(s.slots) AS slots, f.bins
FROM dataset_space AS s
JOIN feature_match AS m USING (dataset_id)
JOIN _hub.features AS f USING (dataset_id, feature_id)
UNION ALL
SELECT 0 AS owner, space_id, feature_id, feature_id AS slot, slots, bins
FROM (SELECT DISTINCT space_id, len(slots) AS slots, unnest(slots) AS feature_id FROM dataset_space)
JOIN target_feature USING (feature_id)
