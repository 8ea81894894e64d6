-- such a pair that is alike: the Jaccard similarity of its MinHash elements is above the bar of its kind; compared at the coarser resolution (k, b)
-- Without those that are too far apart to be a match or a match's rival; open_similarity reads what more is known of the others.
WITH source_side AS (
    SELECT _logic.listed_features(
        _logic.feature_key(f.dataset_id, f.feature_id), f.kind, f."values", f.k, f.b, f.bins, f.counts, f.elements, f.minhash
    ) AS listed
    FROM _hub.features AS f
    SEMI JOIN open_source AS o ON o.dataset_id = f.dataset_id AND o.feature_id = f.feature_id
    HAVING count(*) > 0
),
target_side AS (
    SELECT _logic.listed_features(
        t.feature_id::UBIGINT, t.kind, t."values", t.k, t.b, t.bins, t.counts, t.elements, t.minhash
    ) AS listed
    FROM target_feature AS t
    SEMI JOIN open_target AS o ON o.target_feature_id = t.feature_id
    HAVING count(*) > 0
),
rule AS (
    SELECT {
        jaccard: list_transform(
            ['number', 'time', 'text'],
            lambda kind: coalesce(options.min_jaccard, _logic.least_jaccard(kind, options.features))::DOUBLE
        ),
        js: list_transform(
            ['number', 'time', 'text'], lambda kind: CASE WHEN options.features = 'names' THEN _logic.rival_js(kind) END::DOUBLE
        ),
        replicas: _format.replicas()::UINTEGER,
        rows: CASE
            WHEN _logic.is_any_function_a_band(options.features, options.min_jaccard) THEN 1 ELSE _format.minhash_rows()
        END::UINTEGER
    } AS rules
    FROM options
),
pair AS (
    SELECT
        (found.source >> 16)::UINTEGER AS dataset_id, (found.source & 65535)::USMALLINT AS feature_id,
        found.target::USMALLINT AS target_feature_id, found.jaccard AS jaccard,
        found.js_divergence AS js_divergence, found.distance AS distance
    FROM (
        SELECT unnest(modelhub_open_pairs(s.listed, t.listed, r.rules)) AS found
        FROM source_side AS s, target_side AS t, rule AS r
    )
)
SELECT
    row_number() OVER () AS pair, p.target_feature_id, p.dataset_id, p.feature_id, p.jaccard, p.js_divergence, p.distance,
    greatest(t.k, s.k) AS k, least(t.b, s.b) AS b,
    coalesce(s.k < t.k OR s.b > t.b, false) AS is_finer
FROM pair AS p
SEMI JOIN open_target AS o ON o.dataset_id = p.dataset_id AND o.target_feature_id = p.target_feature_id
JOIN target_feature AS t ON t.feature_id = p.target_feature_id
JOIN _hub.features AS s ON s.dataset_id = p.dataset_id AND s.feature_id = p.feature_id
