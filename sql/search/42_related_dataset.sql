-- a dataset that shares features with the target, more than min_overlap of them where that is asked (Def. 3)
-- What it lacks counts as wholly different; what was left out there (excluded_feature) does not count.
WITH shared AS (
    SELECT
        dataset_id, count(*) AS shared_features, sum(distance) AS shared_distance, sum(js_divergence) AS shared_js
    FROM feature_match
    GROUP BY dataset_id
)
SELECT
    dataset_id, shared_features, c.counted - shared_features AS missing_features,
    shared_features / c.counted AS overlap,
    _logic.settled((shared_distance + c.counted - shared_features) / c.counted) AS distance,
    _logic.settled((shared_js + (c.counted - shared_features) * ln(2)) / c.counted) AS js_divergence,
    _logic.settled(shared_js / shared_features) AS shared_js
FROM shared
JOIN promising_dataset AS c USING (dataset_id)
WHERE overlap > coalesce((SELECT options.min_overlap FROM options), 0)
