-- a dataset of the hub that is like the target, nearest first, and the models that were trained on it
-- example: SELECT rank, dataset, verdict, distance FROM find_datasets('target.parquet', top := 5)
CREATE MACRO find_datasets(
    target, exclude := [], features := NULL, min_overlap := NULL, min_jaccard := NULL, max_divergence := NULL, top := NULL,
    forms := NULL, nested := NULL
) AS TABLE
WITH target_sketch AS MATERIALIZED (FROM _logic.sketch(target, exclude := exclude, forms := forms, nested := nested)),
options AS MATERIALIZED (
    FROM _logic.search_options(
        features := features, min_overlap := min_overlap, min_jaccard := min_jaccard, max_divergence := max_divergence, top := top
    )
),
searched AS (SELECT dataset_id FROM _hub.datasets),
/* search/ */
FROM found_dataset
