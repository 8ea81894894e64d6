-- a related dataset that may be a candidate: the max_candidates nearest
FROM related_dataset
WHERE js_divergence <= (SELECT options.max_divergence FROM options)
-- Rounding decides nothing.
ORDER BY round(distance, 12) ASC, dataset_id ASC
LIMIT (SELECT max_candidates FROM options)
