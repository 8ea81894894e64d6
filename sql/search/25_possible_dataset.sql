-- a dataset that its features of the same name leave a chance to be among the max_candidates nearest; features of the target that count
WITH tally AS (
    SELECT dataset_id, count(distance) AS matched, coalesce(sum(distance), 0) AS least
    FROM known_dataset
    LEFT JOIN named_distance USING (dataset_id)
    GROUP BY dataset_id
),
-- What is not matched yet may turn out to be equal (0) or all different (1).
bounds AS MATERIALIZED (
    SELECT
        dataset_id, c.features AS counted, matched / c.features AS least_overlap, least / c.features AS least_distance,
        (least + c.features - matched) / c.features AS most_distance
    FROM tally
    JOIN counted_features AS c USING (dataset_id)
    WHERE c.features > 0
),
-- Only by what will be listed. JS is at most ln 2 times the distance (Topsoe 2000).
nearest AS (
    SELECT most_distance
    FROM bounds
    WHERE least_overlap > coalesce((SELECT options.min_overlap FROM options), 0)
        AND ln(2) * most_distance <= (SELECT options.max_divergence FROM options)
    ORDER BY most_distance ASC
    LIMIT (SELECT options.max_candidates FROM options)
),
farthest AS (
    SELECT CASE WHEN count(*) = (SELECT options.max_candidates FROM options) THEN max(most_distance) ELSE 1 END AS distance
    FROM nearest
)
SELECT dataset_id, counted
FROM bounds
-- A little more than the bound, for rounding.
WHERE least_distance <= (SELECT distance FROM farthest) + 1e-9
