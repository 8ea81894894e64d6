-- The whole way: a target in, its related models out, best first (Def. 4).

CREATE MACRO find_models(
    target, exclude := [], min_overlap := NULL, min_jaccard := NULL, max_js := NULL, min_adaptivity := NULL,
    max_divergence := NULL, sample_space := NULL, rank_by := NULL, search := NULL, forms := NULL, nested := NULL
) AS TABLE
    WITH target_sketch AS MATERIALIZED (FROM sketch(target, exclude := exclude, forms := forms, nested := nested)),
    options AS MATERIALIZED (
        FROM search_options(
            min_overlap := min_overlap, min_jaccard := min_jaccard, max_js := max_js, min_adaptivity := min_adaptivity,
            max_divergence := max_divergence, sample_space := sample_space, rank_by := rank_by, search := search
        )
    )
    FROM rank_models('target_sketch', 'options');
COMMENT ON MACRO TABLE find_models IS 'a model related to the target, best first: SELECT * FROM find_models(''target.parquet'')';
