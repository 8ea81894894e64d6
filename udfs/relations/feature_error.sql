-- such a pair, the distance to expect between two samples of one distribution of these sizes, and its variance
WITH source_side AS (
    SELECT _logic.feature_key(f.dataset_id, f.feature_id) AS key, f."values" AS size, f.bins, f.counts
    FROM _hub.features AS f
    SEMI JOIN comparable_pair AS n ON n.dataset_id = f.dataset_id AND n.feature_id = f.feature_id
),
target_side AS (
    SELECT feature_id::UBIGINT AS key, "values" AS size, bins, counts FROM target_feature
),
pair_side AS (
    SELECT
        pair::UBIGINT AS pair, _logic.feature_key(dataset_id, feature_id) AS source_key, target_feature_id::UBIGINT AS target_key,
        k, b, is_finer
    FROM comparable_pair
),
error AS (
    FROM modelhub_errors(source_side, target_side, pair_side)
)
SELECT pair, expected, variance FROM error
