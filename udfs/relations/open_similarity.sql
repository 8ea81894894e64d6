-- such a pair and how much its distributions differ: JS divergence (Eq. 2.1) and distance, 1 - sum 2 p q / (p + q), in [0, 1]
SELECT target_feature_id, dataset_id, feature_id, k, b, js_divergence, distance FROM open_pair
