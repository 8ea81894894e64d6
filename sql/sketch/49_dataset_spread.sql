-- the greatest sum, over the features, of the JS divergences of one partition from the whole (a row for each dataset)
SELECT dataset_number, max(js_sum) AS dataset_spread
FROM (
    -- In order, for a sum depends on it.
    SELECT dataset_number, partition_id, sum(js_divergence ORDER BY number ASC) AS js_sum
    FROM partition_distance
    JOIN dataset_column USING (feature_id)
    GROUP BY dataset_number, partition_id
)
GROUP BY dataset_number
