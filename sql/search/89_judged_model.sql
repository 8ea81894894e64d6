-- a model that is searched: its rank and verdict, or why it is not listed
-- The score of a model depends on the model and the target alone, whatever else the hub has.
WITH shared AS (
    SELECT dataset_id, count(*) AS shared_features FROM feature_match GROUP BY dataset_id
),
scored AS (
    SELECT
        m.model, m.version, m.dataset_id, m.source_accuracy, m.uri, m.task, m.framework, d.rows AS source_rows,
        s.expected_distance, s.distance_deviation, s.judged_distance, a.adaptivity, a.coverage, a.kl_target_source,
        a.kl_source_target, a.l2_distance, a.max_js, a.sampling_floor, a.search, r.distance,
        coalesce(r.overlap, h.shared_features / c.features) AS overlap,
        coalesce(a.flattened_js, r.js_divergence) AS js_divergence,
        h.shared_features, c.features - h.shared_features AS missing_features,
        CASE WHEN s.dataset_id IS NOT NULL THEN _logic.fit_score(
            s.judged_distance, d.rows, c.features, _logic.accuracy_bound(m.source_accuracy, coalesce(m.accuracy_rows, d.rows))
        ) END AS fit_score,
        CASE WHEN s.dataset_id IS NOT NULL
            THEN _logic.verdict(r.distance, s.expected_distance, s.distance_deviation) END AS verdict,
        CASE
            WHEN c.features = 0 THEN 'no feature of the target counts: all are left out there'
            WHEN p.dataset_id IS NULL THEN printf('%d others are nearer (max_candidates)', o.max_candidates)
            WHEN h.dataset_id IS NULL THEN 'shares no feature with the target'
            WHEN r.dataset_id IS NULL
                THEN printf('overlap %.4g is not above min_overlap %.4g', h.shared_features / c.features, o.min_overlap)
            WHEN s.dataset_id IS NULL AND r.js_divergence > o.max_divergence
                THEN printf('JS divergence %.4g is above max_divergence %.4g', r.js_divergence, o.max_divergence)
            WHEN s.dataset_id IS NULL THEN printf('%d others are nearer (max_candidates)', o.max_candidates)
            WHEN a.adaptivity < o.min_adaptivity
                THEN printf('adaptivity %.4g is below min_adaptivity %.4g', a.adaptivity, o.min_adaptivity)
        END AS refused,
        o.rank_by AS ranked_by, o.max_js AS given_js, o.top AS most_rows, o.all_models AS far_too
    FROM known_dataset AS d
    JOIN _hub.models AS m USING (dataset_id)
    SEMI JOIN searched AS q ON q.model = m.model AND q.version = m.version
    JOIN counted_features AS c USING (dataset_id)
    LEFT JOIN promising_dataset AS p USING (dataset_id)
    LEFT JOIN shared AS h USING (dataset_id)
    LEFT JOIN related_dataset AS r USING (dataset_id)
    LEFT JOIN sampling_error AS s USING (dataset_id)
    LEFT JOIN partition_score AS a USING (dataset_id)
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
ordered AS (
    SELECT
        *,
        -- Rounding decides no rank: it may differ from client to client.
        row_number() OVER (
            PARTITION BY refused IS NULL
            ORDER BY _logic.settled(f.score) DESC NULLS LAST, f.distance ASC, f.source_rows DESC, encode(f.model) ASC,
                encode(f.version) ASC
        ) AS place,
        bool_and(f.verdict = 'far') OVER (PARTITION BY refused IS NULL) AS all_are_far
    FROM scores AS f
),
ranked AS (
    SELECT
        *,
        -- Where all are far, the nearest is listed.
        coalesce(refused, CASE
            WHEN verdict = 'far' AND ranked_by = 'distance' AND NOT far_too AND NOT (all_are_far AND place = 1)
                THEN printf('far: distance %.4g (all_models lists it)', distance)
        END) AS left_out
    FROM ordered
),
listed AS (
    SELECT
        *,
        CASE WHEN left_out IS NULL THEN row_number() OVER (PARTITION BY left_out IS NULL ORDER BY place ASC) END AS rank
    FROM ranked
)
SELECT
    f.rank, f.model, f.version, f.dataset_id, f.verdict, f.distance, f.expected_distance, f.distance_deviation,
    f.judged_distance, f.fit_score, f.overlap, f.shared_features, f.missing_features, f.source_accuracy, f.source_rows, f.uri,
    f.task, f.framework, f.adaptivity, f.coverage, f.js_divergence, f.kl_target_source, f.kl_source_target, f.l2_distance,
    f.max_js, f.sampling_floor, f.search,
    CASE WHEN f.rank > most_rows THEN printf('rank %d is beyond top %d', f.rank, most_rows) ELSE left_out END AS dropped,
    CASE
        WHEN f.given_js < 2 * f.sampling_floor THEN printf(
            'max_js = %.4g is below twice the sampling floor %.4g: partitions of one distribution may not match',
            f.max_js, f.sampling_floor
        )
    END AS warning
FROM listed AS f
ORDER BY f.rank ASC NULLS LAST, encode(f.model) ASC, encode(f.version) ASC
