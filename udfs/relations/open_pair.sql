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
        place, kind, coalesce(o.min_jaccard, _logic.least_jaccard(kind, o.features))::DOUBLE AS jaccard,
        CASE WHEN o.features = 'names' THEN _logic.rival_js(kind) END::DOUBLE AS js,
        CASE WHEN o.features = 'names' AND kind = 'number' THEN _logic.own_share() END::DOUBLE AS own_share,
        -- Where bands miss no pair that is alike, signatures need not be read: they are most of what is.
        _logic.bands_may_miss(jaccard, b.functions, b.bands) AS is_banded
    FROM (VALUES (0, 'number'), (1, 'time'), (2, 'text')) AS kinds(place, kind), options AS o, band AS b
),
source_side AS (
    SELECT _logic.listed_features(
        _logic.feature_key(f.dataset_id, f.feature_id), f.kind, f."values", f.k, f.b, f.bins, f.counts, f.elements,
        CASE WHEN r.is_banded THEN f.minhash ELSE [] END
    ) AS listed
    FROM _hub.features AS f
    SEMI JOIN open_source AS o ON o.dataset_id = f.dataset_id AND o.feature_id = f.feature_id
    JOIN kind_rule AS r USING (kind)
    HAVING count(*) > 0
),
target_side AS (
    SELECT _logic.listed_features(
        t.feature_id::UBIGINT, t.kind, t."values", t.k, t.b, t.bins, t.counts, t.elements,
        CASE WHEN r.is_banded THEN t.minhash ELSE [] END
    ) AS listed
    FROM target_feature AS t
    SEMI JOIN open_target AS o ON o.target_feature_id = t.feature_id
    JOIN kind_rule AS r USING (kind)
    HAVING count(*) > 0
),
rule AS (
    SELECT {
        jaccard: (SELECT list(jaccard ORDER BY place ASC) FROM kind_rule),
        js: (SELECT list(js ORDER BY place ASC) FROM kind_rule),
        own_share: (SELECT list(own_share ORDER BY place ASC) FROM kind_rule),
        replicas: _format.replicas()::UINTEGER, rows: functions
    } AS rules
    FROM band
),
listed_target AS (
    SELECT list(_logic.feature_key(dataset_id, target_feature_id)) AS open_in FROM open_target
),
pair AS (
    SELECT
        (found.source >> 16)::UINTEGER AS dataset_id, (found.source & 65535)::USMALLINT AS feature_id,
        found.target::USMALLINT AS target_feature_id, found.jaccard AS jaccard,
        found.js_divergence AS js_divergence, found.distance AS distance
    FROM (
        SELECT unnest(modelhub_open_pairs(s.listed, t.listed, o.open_in, r.rules)) AS found
        FROM source_side AS s, target_side AS t, listed_target AS o, rule AS r
    )
)
SELECT
    row_number() OVER () AS pair, p.target_feature_id, p.dataset_id, p.feature_id, p.jaccard, p.js_divergence, p.distance,
    greatest(t.k, s.k) AS k, least(t.b, s.b) AS b,
    coalesce(s.k < t.k OR s.b > t.b, false) AS is_finer
FROM pair AS p
JOIN target_feature AS t ON t.feature_id = p.target_feature_id
JOIN _hub.features AS s ON s.dataset_id = p.dataset_id AND s.feature_id = p.feature_id
