-- such a pair and how much its distributions differ: 1 - sum 2 p q / (p + q), in [0, 1]
WITH pair_side AS (
    SELECT
        _logic.feature_key(dataset_id, target_feature_id) AS pair, target_feature_id::UBIGINT AS target_key, k, b, is_finer, size,
        bins, counts
    FROM named_pair
),
target_side AS (
    SELECT feature_id::UBIGINT AS key, "values" AS size, bins, counts FROM target_feature
),
asked AS (
    -- named_match asks for it, of fewer pairs.
    SELECT false AS divergence
),
similarity AS (
    FROM modelhub_similarities(pair_side, target_side, asked)
)
SELECT
    (pair & 65535)::USMALLINT AS target_feature_id, (pair >> 16)::UINTEGER AS dataset_id, greatest(0, 1 - affinity) AS distance
FROM similarity
