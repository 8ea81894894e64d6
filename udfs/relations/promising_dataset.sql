-- a dataset that may be among the nearest, whose features of other names are compared with the target's, too; features that count
-- Where there are hundreds, those that an estimate of what they have in common with the target puts first.
WITH many AS (
    SELECT dataset_id
    FROM possible_dataset
    WHERE (SELECT _logic.are_too_many(count(*), (SELECT options.max_candidates FROM options)) FROM possible_dataset)
        -- What is asked for might leave out all of the first.
        AND (
            SELECT options.features = 'names' AND coalesce(options.min_overlap, 0) = 0 AND options.max_divergence >= ln(2)
            FROM options
        )
),
source AS (
    FROM open_source SEMI JOIN many USING (dataset_id)
),
kind_rule AS (
    SELECT
        number::UTINYINT AS kind, kind AS kind_name, _logic.rival_js(kind)::DOUBLE AS js,
        CASE WHEN kind = 'number' THEN _logic.own_share() END::DOUBLE AS own_share
    FROM (VALUES (0, 'number'), (1, 'time'), (2, 'text')) AS n(number, kind)
),
rule AS (
    SELECT kind, js, own_share FROM kind_rule
),
source_side AS (
    SELECT
        _logic.feature_key(f.dataset_id, f.feature_id) AS key, r.kind, f."values" AS size, f.k, f.b, f.bins, f.counts,
        0::UINTEGER AS elements, []::UINTEGER[] AS minhash
    FROM _hub.features AS f
    SEMI JOIN source AS o ON o.dataset_id = f.dataset_id AND o.feature_id = f.feature_id
    JOIN kind_rule AS r ON r.kind_name = f.kind
),
target_side AS (
    SELECT
        t.feature_id::UBIGINT AS key, r.kind, t."values" AS size, t.k, t.b, t.bins, t.counts, 0::UINTEGER AS elements,
        []::UINTEGER[] AS minhash
    FROM target_feature AS t
    SEMI JOIN open_target AS o ON o.target_feature_id = t.feature_id
    JOIN kind_rule AS r ON r.kind_name = t.kind
),
still_open AS (
    SELECT o.dataset_id, o.target_feature_id AS feature_id FROM open_target AS o SEMI JOIN many USING (dataset_id)
),
by_values AS (
    FROM modelhub_likeness(source_side, target_side, still_open, rule)
),
by_name AS (
    SELECT dataset_id, sum(1 - distance) AS likeness FROM named_distance GROUP BY dataset_id
),
placed AS (
    SELECT
        dataset_id, counted,
        row_number() OVER (
            ORDER BY (coalesce(n.likeness, 0) + coalesce(v.likeness, 0)) / counted DESC, dataset_id ASC
        ) AS place
    FROM possible_dataset
    LEFT JOIN by_name AS n USING (dataset_id)
    LEFT JOIN by_values AS v USING (dataset_id)
)
SELECT dataset_id, counted
FROM placed
WHERE NOT _logic.are_too_many(place, (SELECT options.max_candidates FROM options)) OR (SELECT count(*) = 0 FROM by_values)
