-- a feature of the target, what it was compared with, how far apart they are and why; or why it was not compared; farthest last
-- What the target's sketch left out comes at the end.
WITH twin AS (
    SELECT e.dataset_id, t.feature_id AS target_feature_id, any_value(f.kind) AS kind
    FROM target_feature AS t
    JOIN explained AS e ON true
    JOIN _hub.features AS f ON f.dataset_id = e.dataset_id AND _logic.folded(f.feature) = _logic.folded(t.feature)
        AND f.kind <> t.kind
    GROUP BY ALL
),
left_out AS (
    SELECT DISTINCT unnest(skipped) AS skipped FROM target_sketch
),
feature AS (
    SELECT
        e.model AS source_model, e.version AS source_version, t.feature_id, t.feature AS target_feature, t.kind,
        f.feature AS source_feature, m.matched_by, m.distance, m.js_divergence, m.jaccard,
        coalesce(m.distance, CASE WHEN x.dataset_id IS NULL THEN 1 END) AS counted_distance,
        tr.shown AS target_range, sr.shown AS source_range,
        CASE
            WHEN x.by_owner THEN 'the model''s owner left it out: it does not count'
            WHEN x.dataset_id IS NOT NULL THEN 'the model''s sketch left it out, a key or empty: it does not count'
            WHEN m.matched_by = 'name' AND m.distance > 0.5 AND t.kind <> 'text' THEN 'other values: other units?'
            WHEN m.matched_by = 'name' AND m.distance > 0.5 THEN 'other words'
            WHEN m.matched_by = 'values' AND m.js_divergence > 0.8 * _logic.most_js(t.kind)
                THEN 'another name, like in values, barely'
            WHEN m.matched_by = 'values' THEN 'another name, like in values'
            WHEN m.matched_by IS NULL AND w.kind IS NOT NULL
                THEN printf('of that name the model has %s, here it is %s: it counts as wholly different', w.kind, t.kind)
            WHEN m.matched_by IS NULL THEN 'the model has none: it counts as wholly different'
        END AS reason,
        t."values" AS target_values, t.nulls AS target_nulls, f."values" AS source_values, f.nulls AS source_nulls
    FROM target_feature AS t
    CROSS JOIN explained AS e
    LEFT JOIN excluded_feature AS x ON x.dataset_id = e.dataset_id AND x.target_feature_id = t.feature_id
    LEFT JOIN feature_match AS m ON m.dataset_id = e.dataset_id AND m.target_feature_id = t.feature_id
    LEFT JOIN _hub.features AS f ON f.dataset_id = e.dataset_id AND f.feature_id = m.feature_id
    LEFT JOIN twin AS w ON w.dataset_id = e.dataset_id AND w.target_feature_id = t.feature_id
    LEFT JOIN explained_range AS tr ON tr.owner = 0 AND tr.feature_id = t.feature_id
    LEFT JOIN explained_range AS sr ON sr.owner = m.dataset_id AND sr.feature_id = m.feature_id
    UNION ALL BY NAME
    SELECT
        e.model AS source_model, e.version AS source_version, regexp_extract(skipped, '(.*) \((.*)\)$', 1) AS target_feature,
        'left out: ' || regexp_extract(skipped, '(.*) \((.*)\)$', 2) AS reason
    FROM left_out
    CROSS JOIN explained AS e
)
SELECT
    target_feature, source_feature, _logic.shown(distance, o.details) AS distance, _logic.distance_bar(distance) AS bar,
    target_range, source_range, reason, kind, matched_by, counted_distance, js_divergence, jaccard, target_values, target_nulls,
    source_values, source_nulls, source_model, source_version
FROM feature AS f
CROSS JOIN options AS o
ORDER BY f.distance ASC NULLS LAST, feature_id ASC NULLS LAST, target_feature ASC
