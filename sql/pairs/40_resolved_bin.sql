-- a bin of a feature at a resolution that it is compared at, and its probability
WITH resolution AS (
    SELECT dataset_id, feature_id, k, b FROM feature_pair
    UNION
    SELECT other_id, other_feature_id, k, b FROM feature_pair
),
fine_bin AS (
    SELECT r.dataset_id, r.feature_id, r.k, r.b, "values", unnest(bins) AS bin, unnest(counts) AS n
    FROM resolution AS r
    JOIN _hub.features AS f ON f.dataset_id = r.dataset_id AND f.feature_id = r.feature_id
)
SELECT
    dataset_id, feature_id, k, b, CASE WHEN k IS NULL THEN bin ELSE _logic.number_bin(bin, k, b) END AS resolved,
    sum(n) / any_value("values") AS p
FROM fine_bin
GROUP BY dataset_id, feature_id, k, b, resolved
