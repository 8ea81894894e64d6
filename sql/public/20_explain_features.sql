-- a feature of the target, what it was compared with in the model's data, how far apart they are and why; farthest last
-- example: FROM explain_features('beer', 'target.parquet', exclude := ['label'])
CREATE MACRO explain_features(
    model, target, version := NULL, exclude := [], features := NULL, min_jaccard := NULL,
    details := NULL, forms := NULL, nested := NULL
) AS TABLE
WITH target_sketch AS MATERIALIZED (FROM _logic.sketch(target, exclude := exclude, forms := forms, nested := nested)),
options AS MATERIALIZED (FROM _logic.search_options(features := features, min_jaccard := min_jaccard, details := details)),
explained AS MATERIALIZED (FROM _logic.explained(model::VARCHAR, version::VARCHAR)),
searched AS (SELECT dataset_id FROM explained),
/* search/ */
SELECT COLUMNS(lambda name: _logic.explanation_shows(name, details)) FROM explained_feature
