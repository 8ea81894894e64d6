-- a comparable dataset, the distance to expect between two samples of one distribution of these sizes (E), and its standard deviation
WITH matched AS (
    SELECT
        m.dataset_id, m.target_feature_id, m.feature_id, m.k, m.b, m.distance, t.kind,
        f."values" AS source_values, t."values" AS target_values,
        -- Words of a text come together: so many tokens a value.
        CASE WHEN t.kind = 'text' THEN greatest(
            f."values" / greatest(1, d.rows - f.nulls), t."values" / greatest(1, t.rows - t.nulls), 1
        ) ELSE 1 END AS together
    FROM feature_match AS m
    SEMI JOIN comparable_dataset AS c ON c.dataset_id = m.dataset_id
    JOIN known_dataset AS d ON d.dataset_id = m.dataset_id
    JOIN _hub.features AS f ON f.dataset_id = m.dataset_id AND f.feature_id = m.feature_id
    JOIN target_feature AS t ON t.feature_id = m.target_feature_id
),
fine_bin AS (
    SELECT m.dataset_id, m.target_feature_id, m.k, m.b, source_values, target_values, unnest(f.bins) AS bin, unnest(f.counts) AS n
    FROM matched AS m
    JOIN _hub.features AS f ON f.dataset_id = m.dataset_id AND f.feature_id = m.feature_id
    UNION ALL
    SELECT m.dataset_id, m.target_feature_id, m.k, m.b, source_values, target_values, unnest(t.bins), unnest(t.counts)
    FROM matched AS m
    JOIN target_feature AS t ON t.feature_id = m.target_feature_id
),
-- Counts of both sides together.
bin AS (
    SELECT
        dataset_id, target_feature_id, source_values, target_values,
        CASE WHEN k IS NULL THEN bin ELSE _logic.number_bin(bin, k, b) END AS bin, sum(n) AS n
    FROM fine_bin
    GROUP BY ALL
),
feature_error AS (
    SELECT
        dataset_id, target_feature_id,
        sum(_logic.expected_term(n, source_values, target_values)) AS expected,
        sqrt(sum(_logic.variance_term(n, source_values, target_values))) AS deviation
    FROM bin
    GROUP BY dataset_id, target_feature_id
),
error AS (
    SELECT
        m.dataset_id, m.distance, m.kind,
        expected * (1 + 0.005 * (together - 1)) AS expected,
        deviation * (1 + 0.005 * (together - 1)) * sqrt(least(together, 25)) AS deviation
    FROM matched AS m
    JOIN feature_error USING (dataset_id, target_feature_id)
)
SELECT
    dataset_id,
    _logic.settled(sum(expected) / any_value(c.features)) AS expected_distance,
    -- Features move together in part.
    _logic.settled(sqrt(0.25 * sum(deviation) ** 2 + 0.75 * sum(deviation ** 2)) / any_value(c.features)) AS distance_deviation,
    _logic.settled((
        sum(distance - CASE WHEN kind = 'text' THEN 0 ELSE 2 * expected / 3 END) + any_value(c.features) - count(*)
    ) / any_value(c.features)) AS judged_distance
FROM error
JOIN counted_features AS c USING (dataset_id)
GROUP BY dataset_id
