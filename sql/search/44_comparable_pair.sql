-- a feature of a comparable dataset and the feature of the target that it is compared with
SELECT
    row_number() OVER () AS pair, m.target_feature_id, m.dataset_id, m.feature_id, m.k, m.b, m.distance,
    coalesce(f.k < m.k OR f.b > m.b, false) AS is_finer
FROM feature_match AS m
SEMI JOIN comparable_dataset AS c ON c.dataset_id = m.dataset_id
JOIN _hub.features AS f ON f.dataset_id = m.dataset_id AND f.feature_id = m.feature_id
