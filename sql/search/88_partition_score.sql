-- a candidate: its adaptivity and coverage (Def. 2), and what else its partitions and its whole may be ranked by
WITH adaptivity AS (
    SELECT
        -- Of a large dataset a sample of the partitions is kept.
        dataset_id, sum(matches) / count(*) * any_value(_logic.whole_partitions(rows) / partitions) AS adaptivity,
        count(*) FILTER (matches > 0) / count(*) AS coverage
    FROM target_coverage
    JOIN known_dataset USING (dataset_id)
    GROUP BY dataset_id
)
SELECT
    dataset_id, adaptivity, coverage, kl_target_source, kl_source_target, l2_distance,
    -- Flattened, all features are one.
    CASE WHEN o.sample_space = 'flattened' THEN d.shared_js END AS flattened_js,
    (SELECT threshold.max_js FROM threshold) AS max_js, sampling_floor, (SELECT search_method.search FROM search_method) AS search
FROM adaptivity
JOIN whole_divergence AS d USING (dataset_id)
JOIN dataset_space USING (dataset_id)
JOIN space_floor USING (space_id)
LEFT JOIN centre_distance USING (dataset_id)
CROSS JOIN options AS o
