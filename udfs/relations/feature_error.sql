-- such a pair, the distance to expect between two samples of one distribution of these sizes, and its variance
WITH source_side AS (
    SELECT _logic.listed_histograms(_logic.feature_key(f.dataset_id, f.feature_id), f."values", f.bins, f.counts) AS histograms
    FROM _hub.features AS f
    SEMI JOIN comparable_pair AS n ON n.dataset_id = f.dataset_id AND n.feature_id = f.feature_id
),
target_side AS (
    SELECT _logic.listed_histograms(feature_id::UBIGINT, "values", bins, counts) AS histograms FROM target_feature
),
listed AS (
    SELECT _logic.listed_pairs(
        pair::UBIGINT, _logic.feature_key(dataset_id, feature_id), target_feature_id::UBIGINT, k, b, is_finer
    ) AS pairs
    FROM comparable_pair
    HAVING count(*) > 0
),
error AS (
    SELECT unnest(modelhub_errors(s.histograms, t.histograms, l.pairs)) AS found
    FROM source_side AS s, target_side AS t, listed AS l
)
SELECT found.pair AS pair, found.expected AS expected, found.variance AS variance FROM error
