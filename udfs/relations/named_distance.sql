-- such a pair and how much its distributions differ: 1 - sum 2 p q / (p + q), in [0, 1]
WITH source_side AS (
    SELECT _logic.listed_histograms(_logic.feature_key(f.dataset_id, f.feature_id), f."values", f.bins, f.counts) AS histograms
    FROM _hub.features AS f
    SEMI JOIN named_pair AS n ON n.dataset_id = f.dataset_id AND n.feature_id = f.feature_id
),
target_side AS (
    SELECT _logic.listed_histograms(feature_id::UBIGINT, "values", bins, counts) AS histograms FROM target_feature
),
listed AS (
    SELECT _logic.listed_pairs(
        pair::UBIGINT, _logic.feature_key(dataset_id, feature_id), target_feature_id::UBIGINT, k, b, is_finer
    ) AS pairs
    FROM named_pair
    HAVING count(*) > 0
),
similarity AS (
    SELECT unnest(modelhub_similarities(s.histograms, t.histograms, l.pairs, false)) AS found
    FROM source_side AS s, target_side AS t, listed AS l
)
SELECT
    n.target_feature_id, n.dataset_id, n.feature_id, n.k, n.b,
    -- named_match asks for it, of fewer pairs.
    CASE WHEN false THEN greatest(0, ln(2) + found.entropy_gain / 2) END AS js_divergence,
    greatest(0, 1 - found.affinity) AS distance
FROM named_pair AS n
JOIN similarity ON n.pair = found.pair
