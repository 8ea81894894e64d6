-- a dataset whose partitions are to be compared, and how far it is from the target as a whole
SELECT
    c.dataset_id, c.shared_features, c.missing_features, c.overlap, c.distance,
    -- Flattened, all features are one.
    CASE o.sample_space WHEN 'aligned' THEN c.js_divergence ELSE d.shared_js END AS js_divergence,
    c.shared_js, kl_target_source, kl_source_target
FROM comparable_dataset AS c
JOIN whole_divergence AS d USING (dataset_id)
CROSS JOIN options AS o
