-- a related dataset that may be a candidate, and the mean JS divergence of its features
SELECT dataset_id, avg(js_divergence) AS js_divergence
FROM feature_match
SEMI JOIN related_dataset USING (dataset_id)
GROUP BY dataset_id
-- Aligned, every shared feature weighs the same: JS is the mean of the features', and tells the nearest before.
ORDER BY CASE (SELECT options.sample_space FROM options) WHEN 'aligned' THEN avg(js_divergence) END ASC, dataset_id ASC
LIMIT (
    SELECT CASE options.sample_space WHEN 'aligned' THEN max_candidates ELSE (SELECT count(*) FROM known_dataset) END
    FROM options
)
