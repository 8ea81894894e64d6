-- a dataset that is like the target, nearest first, and the models that were trained on it
WITH trained AS (
    SELECT dataset_id, list(DISTINCT m.model ORDER BY m.model ASC) AS models FROM _hub.models AS m GROUP BY dataset_id
),
placed AS (
    SELECT
        row_number() OVER (ORDER BY c.distance ASC, d.rows DESC, d.dataset_id ASC) AS rank, d.dataset,
        _logic.verdict(c.distance, e.expected_distance, e.distance_deviation) AS verdict, c.distance, c.overlap,
        d.rows::BIGINT AS rows, coalesce(models, []) AS models,
        d.source, c.js_divergence, c.shared_features, c.missing_features, e.expected_distance,
        d.dataset_id
    FROM comparable_dataset AS c
    JOIN _hub.datasets AS d ON d.dataset_id = c.dataset_id
    JOIN sampling_error AS e ON e.dataset_id = c.dataset_id
    LEFT JOIN trained AS t ON t.dataset_id = c.dataset_id
)
FROM placed
WHERE rank <= coalesce((SELECT options.top FROM options), 4294967295)
ORDER BY rank ASC
