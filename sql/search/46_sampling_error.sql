-- a comparable dataset, the distance to expect between two samples of one distribution of these sizes (E), and its standard deviation
WITH matched AS (
    SELECT
        m.pair, m.dataset_id, m.distance, t.kind,
        -- Words of a text come together: so many tokens a value.
        CASE WHEN t.kind = 'text' THEN greatest(
            f."values" / greatest(1, d.rows - f.nulls), t."values" / greatest(1, t.rows - t.nulls), 1
        ) ELSE 1 END AS together
    FROM comparable_pair AS m
    JOIN known_dataset AS d ON d.dataset_id = m.dataset_id
    JOIN _hub.features AS f ON f.dataset_id = m.dataset_id AND f.feature_id = m.feature_id
    JOIN target_feature AS t ON t.feature_id = m.target_feature_id
),
error AS (
    SELECT
        m.dataset_id, m.distance, m.kind,
        expected * (1 + 0.005 * (together - 1)) AS expected,
        sqrt(variance) * (1 + 0.005 * (together - 1)) * sqrt(least(together, 25)) AS deviation
    FROM matched AS m
    JOIN feature_error USING (pair)
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
