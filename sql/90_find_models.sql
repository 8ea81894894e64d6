-- The whole way: a target in, its related models out, best first (Def. 4).

CREATE MACRO find_models(
    target, exclude := [], min_overlap := NULL, min_jaccard := NULL, max_js := NULL, min_adaptivity := NULL,
    max_divergence := NULL, sample_space := NULL, rank_by := NULL, search := NULL
) AS TABLE
    WITH options AS MATERIALIZED (
        FROM search_options(
            min_overlap := min_overlap, min_jaccard := min_jaccard, max_js := max_js, min_adaptivity := min_adaptivity,
            max_divergence := max_divergence, sample_space := sample_space, rank_by := rank_by, search := search
        )
    ),
    target_cells AS (FROM cells(target, exclude := exclude)),
    target_columns AS MATERIALIZED (FROM dataset_columns(target, exclude := exclude)),
    target_elements AS MATERIALIZED (FROM elements('target_cells', 'target_columns')),
    target_histogram AS MATERIALIZED (FROM feature_histograms('target_elements')),
    target_minhash AS MATERIALIZED (FROM minhash_signatures('target_histogram')),
    target_features AS MATERIALIZED (SELECT * FROM target_histogram JOIN target_minhash USING (feature_id)),
    target_histograms AS MATERIALIZED (FROM partition_histograms('target_elements', 'target_features'))
    FROM rank_models('target_features', 'target_histograms', 'options');
COMMENT ON MACRO TABLE find_models IS 'a model related to the target, best first: SELECT * FROM find_models(''target.parquet'')';
