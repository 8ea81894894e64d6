-- a model related to the target, and its rank
WITH model_score AS (
    SELECT
        m.model, m.version, s.*, m.source_accuracy, m.uri, m.task, m.framework,
        CASE o.rank_by
            WHEN 'adaptivity' THEN s.adaptivity
            WHEN 'coverage' THEN s.coverage
            WHEN 'js' THEN -s.js_divergence
            WHEN 'l2' THEN -s.l2_distance
            WHEN 'kl_target_source' THEN -s.kl_target_source
            WHEN 'kl_source_target' THEN -s.kl_source_target
            WHEN 'source_accuracy' THEN m.source_accuracy
        END AS score,
        o.max_js AS given_js
    FROM dataset_score AS s
    JOIN _hub.models AS m USING (dataset_id)
    JOIN options AS o ON s.adaptivity >= o.min_adaptivity
)
SELECT
    -- Rounding decides no rank: it may differ from client to client.
    row_number() OVER (ORDER BY round(f.score, 12) DESC NULLS LAST, round(f.js_divergence, 12) ASC, f.model ASC, f.version ASC) AS rank,
    f.model, f.version, f.adaptivity, f.coverage, f.js_divergence, f.overlap, f.shared_features, f.source_accuracy, f.uri,
    f.kl_target_source, f.kl_source_target, f.l2_distance, f.max_js, f.sampling_floor, f.search,
    CASE
        WHEN f.given_js < 2 * f.sampling_floor THEN printf(
            'max_js = %.4g is below twice the sampling floor %.4g: partitions of one distribution may not match',
            f.max_js, f.sampling_floor
        )
        WHEN f.given_js IS NULL AND f.max_js > 0.9 * ln(2) THEN printf(
            'max_js was chosen as %.4g of at most ln 2: even the nearest partitions have next to nothing in common with the target', f.max_js
        )
    END AS warning
FROM model_score AS f
ORDER BY rank ASC
