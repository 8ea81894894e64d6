-- a model related to the target, best first (Def. 4); summary says it in a sentence
-- example: SELECT * FROM find_models('target.parquet', exclude := ['label'])
CREATE MACRO find_models(
    target, exclude := [], features := NULL, min_overlap := NULL, min_jaccard := NULL, max_js := NULL,
    min_adaptivity := NULL, max_divergence := NULL, sample_space := NULL, rank_by := NULL, search := NULL,
    top := NULL, all_models := NULL, details := NULL, max_candidates := NULL, task := NULL, framework := NULL, latest := NULL,
    "where" := true, forms := NULL, nested := NULL
) AS TABLE
WITH target_sketch AS MATERIALIZED (FROM _logic.sketch(target, exclude := exclude, forms := forms, nested := nested)),
options AS MATERIALIZED (
    FROM _logic.search_options(
        features := features, min_overlap := min_overlap, min_jaccard := min_jaccard, max_js := max_js,
        min_adaptivity := min_adaptivity, max_divergence := max_divergence, sample_space := sample_space, rank_by := rank_by,
        search := search, top := top, all_models := all_models, max_candidates := max_candidates, details := details
    )
),
searched AS MATERIALIZED (
    FROM _logic.searched_models(task := task, framework := framework, latest := latest, condition := "where")
),
/* search/ */
SELECT COLUMNS(lambda name: _logic.is_shown(name, details, rank_by, max_js, min_adaptivity, sample_space, search))
FROM found_model
