-- a feature of the target and the feature of the model's dataset that it matches, closest first; NULL where none does
-- example: FROM explain_features('beer', 'target.parquet', exclude := ['label'])
CREATE MACRO explain_features(
    model, target, version := NULL, exclude := [], min_jaccard := NULL, forms := NULL, nested := NULL
) AS TABLE
WITH target_sketch AS MATERIALIZED (FROM _logic.sketch(target, exclude := exclude, forms := forms, nested := nested)),
options AS MATERIALIZED (FROM _logic.search_options(min_jaccard := min_jaccard)),
searched AS MATERIALIZED (SELECT _logic.dataset_of(model::VARCHAR, version::VARCHAR) AS dataset_id),
/* search/ */
FROM explained_feature
