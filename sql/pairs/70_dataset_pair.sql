-- a dataset as the target, another that shares features of one name with it, and how far that is from it as a whole
WITH both_ways AS (
    SELECT dataset_id, other_id, shared_features, shared_distance, shared_js FROM shared_pair
    UNION ALL
    SELECT other_id, dataset_id, shared_features, shared_distance, shared_js FROM shared_pair
),
size AS (
    SELECT dataset_id, count(*) AS features FROM named_feature GROUP BY dataset_id
),
counted AS (
    SELECT p.*, s.features - coalesce(x.left_out, 0) - shared_features AS missing_features,
        shared_features + missing_features AS n
    FROM both_ways AS p
    JOIN size AS s USING (dataset_id)
    LEFT JOIN left_out_feature AS x ON x.dataset_id = p.dataset_id AND x.other_id = p.other_id
)
SELECT
    t.dataset AS target, d.dataset, _logic.settled((shared_distance + missing_features) / n) AS distance,
    shared_features / n AS overlap, _logic.settled((shared_js + missing_features * ln(2)) / n) AS js_divergence,
    shared_features::BIGINT AS shared_features, missing_features::BIGINT AS missing_features, t.rows::BIGINT AS target_rows,
    d.rows::BIGINT AS rows, p.dataset_id AS target_id, p.other_id AS dataset_id
FROM counted AS p
JOIN paired_dataset AS t ON t.dataset_id = p.dataset_id
JOIN paired_dataset AS d ON d.dataset_id = p.other_id
