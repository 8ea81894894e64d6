-- a related dataset that may be a candidate: the max_candidates nearest
FROM related_dataset
WHERE js_divergence <= (SELECT options.max_divergence FROM options)
ORDER BY distance ASC, dataset_id ASC
LIMIT (SELECT options.max_candidates FROM options)
