-- a model related to the target, and its rank
SELECT
    f.rank, f.model, f.version, f.verdict, _logic.shown(f.distance, o.details) AS distance,
    _logic.shown(f.overlap, o.details) AS overlap, f.source_accuracy, f.source_rows::BIGINT AS source_rows, f.uri,
    f.adaptivity, f.coverage, _logic.shown(f.js_divergence, o.details) AS js_divergence, f.shared_features,
    f.missing_features, f.expected_distance, f.fit_score, f.kl_target_source, f.kl_source_target, f.l2_distance, f.max_js,
    f.sampling_floor, f.search, l.expected_loss, s.summary, f.warning
FROM judged_model AS f
CROSS JOIN search_summary AS s
CROSS JOIN options AS o
LEFT JOIN _logic.verdict_loss AS l USING (verdict)
WHERE f.dropped IS NULL
ORDER BY f.rank ASC
