-- a dataset and a later one: how many features of one name they share, the sum of their distances and of their JS divergences
WITH shared_name AS (
    SELECT name_id FROM named_feature GROUP BY name_id HAVING count(*) > 1
),
listed AS (
    SELECT {
        dataset_id: list(n.dataset_id), name_id: list(n.name_id::UINTEGER), k: list(n.k), b: list(n.b),
        size: list(f."values"), bins: list(f.bins), counts: list(f.counts)
    } AS listed_features
    FROM named_feature AS n
    SEMI JOIN shared_name AS s ON s.name_id = n.name_id
    JOIN _hub.features AS f ON f.dataset_id = n.dataset_id AND f.feature_id = n.feature_id
    HAVING count(*) > 0
),
compared AS (
    SELECT unnest(modelhub_pairs(listed_features)) AS pair FROM listed
)
SELECT pair.dataset_id, pair.other_id, pair.shared_features, pair.shared_distance, pair.shared_js FROM compared
