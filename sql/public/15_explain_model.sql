-- the model as find_models judges it: its rank, or which rule dropped it and by how much (one row)
-- example: FROM explain_model('beer', 'target.parquet', exclude := ['label'])
CREATE MACRO explain_model(
    model, target, version := NULL, exclude := [], features := NULL, min_overlap := NULL, min_jaccard := NULL, max_js := NULL,
    min_adaptivity := NULL, max_divergence := NULL, sample_space := NULL, rank_by := NULL, search := NULL,
    top := NULL, all_models := NULL, max_candidates := NULL, task := NULL, framework := NULL, latest := NULL,
    "where" := true, forms := NULL, nested := NULL
) AS TABLE
WITH target_sketch AS MATERIALIZED (FROM _logic.sketch(target, exclude := exclude, forms := forms, nested := nested)),
options AS MATERIALIZED (
    FROM _logic.search_options(
        features := features, min_overlap := min_overlap, min_jaccard := min_jaccard, max_js := max_js,
        min_adaptivity := min_adaptivity, max_divergence := max_divergence, sample_space := sample_space, rank_by := rank_by,
        search := search, top := top, all_models := all_models, max_candidates := max_candidates, details := true
    )
),
searched AS MATERIALIZED (
    FROM _logic.searched_models(task := task, framework := framework, latest := latest, condition := "where")
),
explained AS MATERIALIZED (FROM _logic.explained(model::VARCHAR, version::VARCHAR)),
/* search/ */
FROM explained_model
