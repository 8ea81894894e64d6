-- a candidate and the Euclidean distance of its centre from the target's, over shared numbers and times
SELECT m.dataset_id, sqrt(sum((s.mean - t.mean) ** 2)) AS l2_distance
FROM feature_match AS m
SEMI JOIN candidate_dataset AS c ON c.dataset_id = m.dataset_id
JOIN target_feature AS t ON t.feature_id = m.target_feature_id
JOIN _hub.features AS s ON s.dataset_id = m.dataset_id AND s.feature_id = m.feature_id
WHERE isfinite(s.mean) AND isfinite(t.mean)
GROUP BY m.dataset_id
