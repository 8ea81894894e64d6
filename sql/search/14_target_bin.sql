-- a bin of a feature of the target: its probability, p ln p, and how often it is replicated for MinHash
WITH scaled AS (
    SELECT feature_id, bins, counts, "values", elements, _logic.replica_scale(counts, "values") AS scale FROM target_feature
),
counted AS (
    SELECT feature_id AS target_feature_id, unnest(bins) AS bin, unnest(counts) AS n, "values", elements, scale FROM scaled
)
SELECT
    target_feature_id, bin, n / "values" AS q, _logic.negentropy(n / "values") AS q_entropy,
    round(scale * sqrt(n))::INTEGER AS replicas, elements
FROM counted
