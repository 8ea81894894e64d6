-- such a pair and how much its distributions differ: JS divergence (Eq. 2.1) and distance, 1 - sum 2 p q / (p + q), in [0, 1]
WITH pair_side AS (
    SELECT
        n.pair::UBIGINT AS pair, n.target_feature_id::UBIGINT AS target_key, n.k, n.b, n.is_finer, f."values" AS size, f.bins,
        f.counts
    FROM possible_pair AS n
    JOIN _hub.features AS f ON f.dataset_id = n.dataset_id AND f.feature_id = n.feature_id
),
target_side AS (
    SELECT feature_id::UBIGINT AS key, "values" AS size, bins, counts FROM target_feature
),
asked AS (
    SELECT true AS divergence
),
similarity AS (
    FROM modelhub_similarities(pair_side, target_side, asked)
)
SELECT
    n.target_feature_id, n.dataset_id, n.feature_id, n.k, n.b,
    -- In sums of p ln p: what only one side has cancels.
    greatest(0, ln(2) + s.entropy_gain / 2) AS js_divergence, greatest(0, 1 - s.affinity) AS distance
FROM possible_pair AS n
JOIN similarity AS s ON s.pair = n.pair
