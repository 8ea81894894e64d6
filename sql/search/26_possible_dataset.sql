-- a dataset that its features of the same name leave a chance to be among the max_candidates nearest
WITH tally AS (
    SELECT dataset_id, count(js_divergence) AS matched, coalesce(sum(js_divergence), 0) AS js_sum
    FROM known_dataset
    LEFT JOIN named_match USING (dataset_id)
    GROUP BY dataset_id
),
-- Aligned, the dataset's JS is the mean of its features'; what is not matched yet may turn out
-- to be equal (0) or all different (ln 2).
bounds AS MATERIALIZED (
    SELECT
        dataset_id, matched / features AS least_overlap,
        js_sum / features AS least_js, (js_sum + (features - matched) * ln(2)) / features AS most_js
    FROM tally, (SELECT count(*) AS features FROM target_feature)
),
nearest AS (
    SELECT most_js
    FROM bounds
    WHERE least_overlap > (SELECT options.min_overlap FROM options)
    ORDER BY most_js ASC
    LIMIT (SELECT max_candidates FROM options)
),
farthest AS (
    SELECT CASE WHEN count(*) = (SELECT max_candidates FROM options) THEN max(most_js) ELSE 1 END AS js_divergence FROM nearest
)
SELECT dataset_id
FROM bounds
WHERE least_js <= (SELECT js_divergence FROM farthest)
    OR (SELECT options.sample_space FROM options) = 'flattened'
