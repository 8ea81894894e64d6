-- the answer in a sentence (one row)
SELECT CASE
    WHEN count(j.model) = 0 AND (SELECT count(*) = 0 FROM _hub.models) THEN 'the hub has no model'
    WHEN count(j.model) = 0 AND (SELECT count(*) = 0 FROM judged_model) THEN (
        SELECT
            printf('none of the hub''s %d models is searched: task, framework, latest or where leave all out', count(*))
            || coalesce('; its tasks are ' || left(string_agg(DISTINCT m.task, ', ' ORDER BY m.task ASC), 300), '')
            || coalesce('; its frameworks are ' || left(string_agg(DISTINCT m.framework, ', ' ORDER BY m.framework ASC), 300), '')
        FROM _hub.models AS m
    )
    WHEN count(j.model) = 0 AND (SELECT count(shared_features) = 0 FROM judged_model)
        THEN 'no model shares a feature with the target'
    WHEN count(j.model) = 0 THEN (
        SELECT printf('no model is listed: %s is the nearest, its %s', n.model, n.dropped)
        FROM judged_model AS n
        WHERE n.shared_features > 0
        ORDER BY distance ASC NULLS LAST, overlap DESC, encode(n.model) ASC, encode(n.version) ASC
        LIMIT 1
    )
    ELSE any_value(
        CASE j.verdict
            WHEN 'same' THEN printf('%s fits: its data and the target are the same, as far as %d rows can tell', j.model,
                least(j.source_rows, t.rows))
            WHEN 'close' THEN printf('%s is close (distance %.2f)', j.model, j.distance)
            WHEN 'partly' THEN printf('%s fits partly (distance %.2f)', j.model, j.distance)
            ELSE printf('nothing is close: the nearest is %s (distance %.2f)', j.model, j.distance)
        END
        || CASE
            WHEN j.verdict IN ('same', 'close') THEN ''
            WHEN tr.shown IS NOT NULL AND sr.shown IS NOT NULL
                THEN printf(', because %s is %s here and %s there', t.feature, tr.shown, sr.shown)
            WHEN w.feature_id IS NOT NULL THEN printf(', because %s differs', t.feature)
            ELSE printf(', because it has no %s', t.feature)
        END
        || CASE WHEN j.missing_features > 0 AND w.feature_id IS NOT NULL
            THEN printf('; it lacks %d of %d features', j.missing_features, j.missing_features + j.shared_features) ELSE '' END
        || CASE WHEN l.expected_loss IS NULL THEN '' ELSE printf(
            '; models called %s %s %d points of accuracy here, on the average of %d targets', l.verdict,
            CASE WHEN l.measured_loss < 0 THEN 'gained' ELSE 'lost' END, round(100 * abs(l.measured_loss))::BIGINT, l.targets
        ) END
    )
END || coalesce(
    '; most models here were trained without '
    || (SELECT string_agg(feature, ', ' ORDER BY target_feature_id ASC) FROM likely_label) || ': exclude it?',
    ''
) AS summary
FROM (FROM judged_model WHERE rank = 1) AS j
LEFT JOIN _logic.verdict_loss AS l ON l.verdict = j.verdict
LEFT JOIN worst_match AS w ON true
LEFT JOIN target_feature AS t ON t.feature_id = w.target_feature_id
LEFT JOIN worst_range AS tr ON tr.owner = 0
LEFT JOIN worst_range AS sr ON sr.owner <> 0
