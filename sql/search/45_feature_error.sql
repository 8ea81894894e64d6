-- such a pair, the distance to expect between two samples of one distribution of these sizes, and its variance
WITH fine_bin AS (
    SELECT
        m.pair, m.k, m.b, f."values" AS source_values, t."values" AS target_values, unnest(f.bins) AS bin, unnest(f.counts) AS n
    FROM comparable_pair AS m
    JOIN _hub.features AS f ON f.dataset_id = m.dataset_id AND f.feature_id = m.feature_id
    JOIN target_feature AS t ON t.feature_id = m.target_feature_id
    UNION ALL
    SELECT m.pair, m.k, m.b, f."values", t."values", unnest(t.bins), unnest(t.counts)
    FROM comparable_pair AS m
    JOIN _hub.features AS f ON f.dataset_id = m.dataset_id AND f.feature_id = m.feature_id
    JOIN target_feature AS t ON t.feature_id = m.target_feature_id
),
-- Counts of both sides together.
bin AS (
    SELECT
        pair, source_values, target_values,
        CASE WHEN k IS NULL THEN bin ELSE _logic.number_bin(bin, k, b) END AS bin, sum(n) AS n
    FROM fine_bin
    GROUP BY ALL
)
SELECT
    pair, sum(_logic.expected_term(n, source_values, target_values)) AS expected,
    sum(_logic.variance_term(n, source_values, target_values)) AS variance
FROM bin
GROUP BY pair
