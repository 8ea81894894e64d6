-- a candidate: its distance, adaptivity and coverage (Def. 2), and all else that it may be ranked by
WITH adaptivity AS (
    SELECT
        dataset_id, sum(matches) / count(*) AS adaptivity, count(*) FILTER (matches > 0) / count(*) AS coverage
    FROM target_coverage
    GROUP BY dataset_id
)
SELECT
    dataset_id, c.distance, expected_distance, distance_deviation, judged_distance, adaptivity, coverage, c.js_divergence,
    c.overlap, c.shared_features, c.missing_features, kl_target_source, kl_source_target, l2_distance,
    (SELECT threshold.max_js FROM threshold) AS max_js, sampling_floor, (SELECT search_method.search FROM search_method) AS search
FROM candidate_dataset AS c
JOIN sampling_error USING (dataset_id)
JOIN adaptivity USING (dataset_id)
JOIN dataset_space USING (dataset_id)
JOIN sampling_floor USING (space_id)
LEFT JOIN centre_distance USING (dataset_id)
