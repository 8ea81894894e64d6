-- a dataset with a partition that is so small that its rows show
-- A row has at most one number or time a column; where there is none, texts have at least a word.
WITH counted AS (
    SELECT dataset_id, feature_id, partition_id, list_sum(frequent || rare) AS n FROM _hub.partition_counts
),
partition_size AS (
    SELECT c.dataset_id, c.partition_id, coalesce(max(n) FILTER (f.kind <> 'text'), min(n)) AS rows
    FROM counted AS c
    JOIN _hub.features AS f ON f.dataset_id = c.dataset_id AND f.feature_id = c.feature_id
    WHERE n > 0
    GROUP BY ALL
)
SELECT
    dataset_id, any_value(dataset) AS dataset, NULL::VARCHAR AS feature, 'a small partition' AS what,
    min(p.rows)::UBIGINT AS rows,
    'a partition has so few rows: of each of them nearly all values can be put together' AS meaning
FROM partition_size AS p
JOIN _hub.datasets AS d USING (dataset_id)
WHERE p.rows <= 5
GROUP BY dataset_id
