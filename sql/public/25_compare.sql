-- a feature of the target and how far it is from the data of two models, which is nearer and why; where they differ most comes first
-- example: FROM compare('beer', 'restaurants', 'target.parquet', exclude := ['label'])
CREATE MACRO compare(
    model, other, target, version := NULL, other_version := NULL, exclude := [], features := NULL, min_jaccard := NULL,
    forms := NULL, nested := NULL
) AS TABLE
WITH target_sketch AS MATERIALIZED (FROM _logic.sketch(target, exclude := exclude, forms := forms, nested := nested)),
options AS MATERIALIZED (FROM _logic.search_options(features := features, min_jaccard := min_jaccard)),
explained AS MATERIALIZED (
    FROM _logic.both_explained(model::VARCHAR, version::VARCHAR, other::VARCHAR, other_version::VARCHAR)
),
searched AS (SELECT dataset_id FROM explained),
/* search/ */
FROM compared_model
