-- a space and the JS divergence to expect between two samples of the target itself, (B - 1) / (4 n)
WITH slot AS (
    SELECT DISTINCT space_id, unnest(slots) AS feature_id FROM dataset_space
)
SELECT
    space_id,
    CASE (SELECT options.sample_space FROM options)
        WHEN 'aligned' THEN avg((len(bins) - 1) * len(partitions) / (4 * "values"))
        ELSE (len(list_distinct(flatten(list(bins)))) - 1) * max(len(partitions)) / (4 * sum("values"))
    END AS sampling_floor
FROM slot
JOIN target_sketch USING (feature_id)
GROUP BY space_id
