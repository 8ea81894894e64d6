-- such a pair, the distance to expect between two samples of one distribution of these sizes, and its variance
WITH pair_side AS (
    SELECT
        n.pair::UBIGINT AS pair, n.target_feature_id::UBIGINT AS target_key, n.k, n.b, n.is_finer, f."values" AS size, f.bins,
        f.counts
    FROM comparable_pair AS n
    JOIN _hub.features AS f ON f.dataset_id = n.dataset_id AND f.feature_id = n.feature_id
),
target_side AS (
    SELECT feature_id::UBIGINT AS key, "values" AS size, bins, counts FROM target_feature
),
error AS (
    FROM modelhub_errors(pair_side, target_side)
)
SELECT pair, expected, variance FROM error
