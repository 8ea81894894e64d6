-- a candidate that may have a partition within t of one of the target, by the triangle inequality of sqrt(JS)
-- Aligned, the divergence of a partition from its dataset is the mean of its features'. Both sides have a spread.
WITH reach AS (
    SELECT
        m.dataset_id,
        sqrt(_logic.mean_spread(s.spread, d.spread)) + sqrt(_logic.mean_spread(t.spread, t.dataset_spread)) AS reach
    FROM feature_match AS m
    JOIN known_dataset AS d USING (dataset_id)
    JOIN _hub.features AS s ON s.dataset_id = m.dataset_id AND s.feature_id = m.feature_id
    JOIN target_feature AS t ON t.feature_id = m.target_feature_id
    GROUP BY m.dataset_id
)
SELECT dataset_id
FROM candidate_dataset
JOIN reach USING (dataset_id)
-- A little more than the bound, for rounding.
WHERE sqrt(shared_js) <= reach + sqrt((SELECT threshold.max_js FROM threshold)) + 1e-6
    OR (SELECT options.sample_space FROM options) = 'flattened'
