-- a model as find_models judges it: its rank, or which rule dropped it
SELECT
    f.model, f.version, f.rank, f.verdict, f.dropped, f.distance, f.expected_distance, f.overlap, f.source_accuracy, f.adaptivity,
    f.coverage, f.js_divergence, f.shared_features, f.missing_features, f.source_rows::BIGINT AS source_rows
FROM judged_model AS f
JOIN explained AS e ON e.model = f.model AND e.version = f.version
