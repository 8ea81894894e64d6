-- a model that is searched: its rank and verdict, or why it is not ranked
-- The score of a model depends on the model and the target alone, whatever else the hub has.
WITH scored AS (
    SELECT
        m.model, m.version, m.dataset_id, m.source_accuracy, m.uri, m.task, m.framework, d.rows AS source_rows,
        s.* EXCLUDE (dataset_id),
        _logic.fit_score(
            s.judged_distance, d.rows, c.features, _logic.accuracy_bound(m.source_accuracy, coalesce(m.accuracy_rows, d.rows))
        ) AS fit_score,
        _logic.verdict(s.distance, s.expected_distance, s.distance_deviation) AS verdict,
        CASE
            WHEN c.features = 0 THEN 'no feature of the target counts: its owner excluded them all'
            WHEN r.dataset_id IS NULL AND o.min_overlap > 0 THEN printf('overlap is not above min_overlap %.4g', o.min_overlap)
            WHEN r.dataset_id IS NULL THEN 'shares no feature with the target, or others are nearer (max_candidates)'
            WHEN s.dataset_id IS NULL AND r.js_divergence > o.max_divergence
                THEN printf('JS divergence %.4g is above max_divergence %.4g', r.js_divergence, o.max_divergence)
            WHEN s.dataset_id IS NULL THEN printf('%d others are nearer (max_candidates)', o.max_candidates)
            WHEN s.adaptivity < o.min_adaptivity THEN printf('adaptivity %.4g is below min_adaptivity %.4g', s.adaptivity, o.min_adaptivity)
        END AS dropped,
        o.rank_by AS ranked_by, o.max_js AS given_js, o.top AS most_rows, o.all_models AS far_too
    FROM known_dataset AS d
    JOIN _hub.models AS m USING (dataset_id)
    JOIN counted_features AS c USING (dataset_id)
    LEFT JOIN related_dataset AS r USING (dataset_id)
    LEFT JOIN dataset_score AS s USING (dataset_id)
    CROSS JOIN options AS o
),
scores AS (
    SELECT
        *,
        CASE ranked_by
            WHEN 'distance' THEN -fit_score
            WHEN 'adaptivity' THEN adaptivity
            WHEN 'coverage' THEN coverage
            WHEN 'js' THEN -js_divergence
            WHEN 'l2' THEN -l2_distance
            WHEN 'kl_target_source' THEN -kl_target_source
            WHEN 'kl_source_target' THEN -kl_source_target
            WHEN 'source_accuracy' THEN source_accuracy
        END AS score
    FROM scored
),
ranked AS (
    SELECT
        *,
        -- Rounding decides no rank: it may differ from client to client.
        row_number() OVER (
            PARTITION BY dropped IS NULL
            ORDER BY round(f.score, 12) DESC NULLS LAST, round(f.distance, 12) ASC, f.source_rows DESC, encode(f.model) ASC, encode(f.version) ASC
        ) AS place
    FROM scores AS f
)
SELECT
    CASE WHEN f.dropped IS NULL THEN place END AS rank,
    f.* EXCLUDE (dropped, place, score, ranked_by, given_js, most_rows, far_too),
    CASE
        WHEN f.dropped IS NOT NULL THEN f.dropped
        WHEN place = 1 THEN NULL
        WHEN f.verdict = 'far' AND ranked_by = 'distance' AND NOT far_too THEN printf('far: distance %.4g (all_models lists it)', f.distance)
        WHEN place > most_rows THEN printf('rank %d is beyond top %d', place, most_rows)
    END AS dropped,
    CASE
        WHEN f.given_js < 2 * f.sampling_floor THEN printf(
            'max_js = %.4g is below twice the sampling floor %.4g: partitions of one distribution may not match',
            f.max_js, f.sampling_floor
        )
    END AS warning
FROM ranked AS f
ORDER BY rank ASC NULLS LAST, encode(f.model) ASC, encode(f.version) ASC
