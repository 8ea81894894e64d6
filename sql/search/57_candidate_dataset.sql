-- a dataset whose partitions are to be compared: the max_candidates nearest in JS divergence
WITH distance AS (
    SELECT
        dataset_id,
        CASE o.sample_space WHEN 'aligned' THEN c.js_divergence ELSE d.js_divergence END AS js_divergence,
        kl_target_source,
        kl_source_target,
        o.max_divergence AS most_divergence
    FROM comparable_dataset AS c
    JOIN whole_divergence AS d USING (dataset_id)
    CROSS JOIN options AS o
)
SELECT * EXCLUDE (most_divergence)
FROM distance
WHERE js_divergence <= most_divergence
ORDER BY js_divergence ASC, dataset_id ASC
LIMIT (SELECT max_candidates FROM options)
