-- a model as find_models judges it: its rank, or which rule dropped it
SELECT
    e.model, e.version, f.rank, f.verdict,
    CASE WHEN f.model IS NULL THEN 'not searched: left out by task, framework, latest or where' ELSE f.dropped END AS dropped,
    f.distance, f.expected_distance, f.overlap, f.source_accuracy, f.adaptivity, f.coverage, f.js_divergence, f.shared_features,
    f.missing_features, f.source_rows::BIGINT AS source_rows
FROM explained AS e
LEFT JOIN judged_model AS f ON f.model = e.model AND f.version = e.version
