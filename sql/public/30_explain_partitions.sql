-- a partition of the target and how many partitions of the model's dataset match it, uncovered ones first
-- example: FROM explain_partitions('beer', 'target.parquet', exclude := ['label'])
CREATE MACRO explain_partitions(
    model, target, version := NULL, exclude := [], features := NULL, min_overlap := NULL, min_jaccard := NULL, max_js := NULL,
    sample_space := NULL, search := NULL, max_candidates := NULL, forms := NULL, nested := NULL
) AS TABLE
WITH target_sketch AS MATERIALIZED (FROM _logic.sketch(target, exclude := exclude, forms := forms, nested := nested)),
options AS MATERIALIZED (
    FROM _logic.search_options(
        features := features, min_overlap := min_overlap, min_jaccard := min_jaccard, max_js := max_js,
        sample_space := sample_space, search := search, max_candidates := max_candidates, details := true
    )
),
searched AS (SELECT dataset_id FROM _hub.datasets),
explained AS MATERIALIZED (FROM _logic.explained(model::VARCHAR, version::VARCHAR)),
/* search/ */
FROM explained_partition
