-- such a pair: Jaccard similarity of the replicated bins and JS divergence of the distributions (Eq. 2.1)
-- A pair as one number: one column to group millions of bins by is much faster than three.
WITH source_scaled AS (
    SELECT
        target_feature_id,
        (dataset_id::UBIGINT << 32) | (feature_id::UBIGINT << 16) | target_feature_id AS pair,
        bins, counts, "values", elements, _logic.replica_scale(counts, "values") AS scale
    FROM named_pair
),
source_bin AS (
    SELECT target_feature_id, pair, unnest(bins) AS bin, unnest(counts) AS n, "values", elements, scale FROM source_scaled
),
common_bin AS (
    SELECT
        pair, s.n / s."values" AS p, t.q, t.q_entropy,
        least(round(s.scale * sqrt(s.n))::INTEGER, t.replicas) AS replicas,
        s.elements + t.elements AS both_elements
    FROM source_bin AS s
    JOIN target_bin AS t USING (target_feature_id, bin)
),
common AS (
    SELECT
        pair, sum(replicas) AS intersection, any_value(both_elements) AS both_elements,
        sum(_logic.negentropy(p) + q_entropy - _logic.negentropy(p + q)) AS entropy_gain
    FROM common_bin
    GROUP BY pair
)
SELECT
    (pair & 65535)::USMALLINT AS target_feature_id,
    (pair >> 32)::UINTEGER AS dataset_id,
    ((pair >> 16) & 65535)::USMALLINT AS feature_id,
    intersection / (both_elements - intersection) AS jaccard,
    -- In sums of p ln p: what only one side has cancels.
    greatest(0, ln(2) + entropy_gain / 2) AS js_divergence
FROM common
