-- such a pair and how much its distributions differ: JS divergence (Eq. 2.1) and distance, 1 - sum 2 p q / (p + q), in [0, 1]
WITH source_side AS (
    SELECT _logic.listed_histograms(_logic.feature_key(f.dataset_id, f.feature_id), f."values", f.bins, f.counts) AS histograms
    FROM _hub.features AS f
    SEMI JOIN possible_pair AS n ON n.dataset_id = f.dataset_id AND n.feature_id = f.feature_id
),
target_side AS (
    SELECT _logic.listed_histograms(feature_id::UBIGINT, "values", bins, counts) AS histograms FROM target_feature
),
listed AS (
    SELECT _logic.listed_pairs(
        pair::UBIGINT, _logic.feature_key(dataset_id, feature_id), target_feature_id::UBIGINT, k, b, is_finer
    ) AS pairs
    FROM possible_pair
    HAVING count(*) > 0
),
similarity AS (
    SELECT unnest(modelhub_similarities(s.histograms, t.histograms, l.pairs, true)) AS found
    FROM source_side AS s, target_side AS t, listed AS l
)
SELECT
    n.target_feature_id, n.dataset_id, n.feature_id, n.k, n.b,
    greatest(0, ln(2) + found.entropy_gain / 2) AS js_divergence, greatest(0, 1 - found.affinity) AS distance
FROM possible_pair AS n
JOIN similarity ON n.pair = found.pair
