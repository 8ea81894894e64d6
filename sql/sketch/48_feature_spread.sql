-- a feature and the greatest JS divergence of one of its partitions from the whole
SELECT feature_id, max(js_divergence) AS spread
FROM partition_distance
GROUP BY feature_id
