-- the greatest sum, over the features, of the JS divergences of one partition from the whole (one row)
SELECT max(js_sum) AS dataset_spread
FROM (SELECT partition_id, sum(js_divergence) AS js_sum FROM partition_distance GROUP BY partition_id)
