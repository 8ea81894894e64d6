-- a feature of a dataset that may be among the nearest and the feature of the target that it is compared with, one to one
WITH matched AS (
    SELECT 'name' AS matched_by, target_feature_id, dataset_id, feature_id, NULL::DOUBLE AS jaccard, js_divergence, distance, k, b
    FROM named_match
    UNION ALL
    SELECT 'values', target_feature_id, dataset_id, feature_id, jaccard, js_divergence, distance, k, b
    FROM open_match
)
-- The last digits of a sum depend on its order. Without them the same search has the same answer everywhere.
SELECT
    matched_by, target_feature_id, dataset_id, feature_id, jaccard, _logic.settled(js_divergence) AS js_divergence,
    _logic.settled(distance) AS distance, k, b
FROM matched
