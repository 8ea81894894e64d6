-- such a pair that is alike: the Jaccard similarity of its MinHash elements is above the bar of its kind; compared at the coarser resolution (k, b)
-- Without those that surely are no match and make no other none; open_similarity reads what more is known of the others.
WITH band AS (
    SELECT
        CASE WHEN each THEN 1 ELSE _format.minhash_rows() END::UINTEGER AS functions,
        CASE WHEN each THEN _format.minhash_bands() * _format.minhash_rows() ELSE _format.minhash_bands() END AS bands
    FROM (SELECT _logic.is_any_function_a_band(options.features, options.min_jaccard) AS each FROM options)
),
kind_rule AS (
    SELECT
        n.number::UTINYINT AS kind, n.kind AS kind_name,
        coalesce(o.min_jaccard, _logic.least_jaccard(n.kind, o.features))::DOUBLE AS jaccard,
        CASE WHEN o.features = 'names' THEN _logic.rival_js(n.kind) END::DOUBLE AS js,
        CASE WHEN o.features = 'names' AND n.kind = 'number' THEN _logic.own_share() END::DOUBLE AS own_share,
        _format.replicas()::UINTEGER AS replicas, b.functions,
        -- Where bands miss no pair that is alike, signatures need not be read: they are most of what is.
        _logic.bands_may_miss(jaccard, b.functions, b.bands) AS is_banded
    FROM (VALUES (0, 'number'), (1, 'time'), (2, 'text')) AS n(number, kind), options AS o, band AS b
),
rule AS (
    SELECT kind, jaccard, js, own_share, replicas, functions FROM kind_rule
),
source AS (
    FROM open_source SEMI JOIN promising_dataset USING (dataset_id)
),
source_side AS (
    SELECT
        _logic.feature_key(f.dataset_id, f.feature_id) AS key, r.kind, f."values" AS size, f.k, f.b, f.bins, f.counts, f.elements,
        CASE WHEN r.is_banded THEN f.minhash ELSE [] END AS minhash
    FROM _hub.features AS f
    SEMI JOIN source AS o ON o.dataset_id = f.dataset_id AND o.feature_id = f.feature_id
    JOIN kind_rule AS r ON r.kind_name = f.kind
),
target_side AS (
    SELECT
        t.feature_id::UBIGINT AS key, r.kind, t."values" AS size, t.k, t.b, t.bins, t.counts, t.elements,
        CASE WHEN r.is_banded THEN t.minhash ELSE [] END AS minhash
    FROM target_feature AS t
    SEMI JOIN open_target AS o ON o.target_feature_id = t.feature_id
    JOIN kind_rule AS r ON r.kind_name = t.kind
),
still_open AS (
    SELECT dataset_id, target_feature_id AS feature_id FROM open_target SEMI JOIN promising_dataset USING (dataset_id)
),
alike AS (
    FROM modelhub_open_pairs(source_side, target_side, still_open, rule)
),
pair AS (
    SELECT
        (source_key >> 16)::UINTEGER AS dataset_id, (source_key & 65535)::USMALLINT AS feature_id,
        target_key::USMALLINT AS target_feature_id, jaccard, js_divergence, distance
    FROM alike
)
SELECT
    row_number() OVER () AS pair, p.target_feature_id, p.dataset_id, p.feature_id, p.jaccard, p.js_divergence, p.distance,
    greatest(t.k, s.k) AS k, least(t.b, s.b) AS b,
    coalesce(s.k < t.k OR s.b > t.b, false) AS is_finer
FROM pair AS p
JOIN target_feature AS t ON t.feature_id = p.target_feature_id
JOIN _hub.features AS s ON s.dataset_id = p.dataset_id AND s.feature_id = p.feature_id
