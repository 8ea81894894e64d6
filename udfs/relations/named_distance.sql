-- such a pair and how much its distributions differ: 1 - sum 2 p q / (p + q), in [0, 1]
WITH source_side AS (
    SELECT _logic.feature_key(f.dataset_id, f.feature_id) AS key, f."values" AS size, f.bins, f.counts
    FROM _hub.features AS f
    SEMI JOIN named_pair AS n ON n.dataset_id = f.dataset_id AND n.feature_id = f.feature_id
),
target_side AS (
    SELECT feature_id::UBIGINT AS key, "values" AS size, bins, counts FROM target_feature
),
pair_side AS (
    SELECT
        pair::UBIGINT AS pair, _logic.feature_key(dataset_id, feature_id) AS source_key, target_feature_id::UBIGINT AS target_key,
        k, b, is_finer
    FROM named_pair
),
asked AS (
    -- named_match asks for it, of fewer pairs.
    SELECT false AS divergence
),
similarity AS (
    FROM modelhub_similarities(source_side, target_side, pair_side, asked)
)
SELECT
    n.target_feature_id, n.dataset_id, n.feature_id, n.k, n.b,
    CASE WHEN false THEN greatest(0, ln(2) + s.entropy_gain / 2) END AS js_divergence,
    greatest(0, 1 - s.affinity) AS distance
FROM named_pair AS n
JOIN similarity AS s ON s.pair = n.pair
