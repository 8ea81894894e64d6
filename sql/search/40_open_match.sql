-- an equivalent feature of another name, one to one: the best pair of all first, then the best of what is left
WITH RECURSIVE compared AS (
    -- Rounding decides no match.
    SELECT
        s.target_feature_id, s.dataset_id, s.feature_id, o.jaccard, round(s.js_divergence, 12) AS js_divergence, s.distance,
        s.k, s.b, t.kind
    FROM open_similarity AS s
    JOIN open_pair AS o USING (target_feature_id, dataset_id, feature_id)
    JOIN target_feature AS t ON t.feature_id = s.target_feature_id
),
nearest_of_target AS (
    SELECT dataset_id, target_feature_id, min(js_divergence) AS js_divergence FROM compared GROUP BY ALL
),
nearest_of_source AS (
    SELECT dataset_id, feature_id, min(js_divergence) AS js_divergence FROM compared GROUP BY ALL
),
mutual AS (
    FROM compared
    SEMI JOIN nearest_of_target USING (dataset_id, target_feature_id, js_divergence)
    SEMI JOIN nearest_of_source USING (dataset_id, feature_id, js_divergence)
),
-- A number that is as like another is no number's own.
own AS (
    FROM mutual AS m
    ANTI JOIN compared AS r ON r.dataset_id = m.dataset_id AND r.target_feature_id = m.target_feature_id
        AND r.feature_id <> m.feature_id AND m.js_divergence >= _logic.own_share() * r.js_divergence
    ANTI JOIN compared AS r ON r.dataset_id = m.dataset_id AND r.feature_id = m.feature_id
        AND r.target_feature_id <> m.target_feature_id AND m.js_divergence >= _logic.own_share() * r.js_divergence
    WHERE kind = 'number'
),
equivalent AS (
    SELECT
        dataset_id, target_feature_id, feature_id, jaccard, js_divergence, distance, k, b,
        row_number() OVER (
            PARTITION BY dataset_id
            ORDER BY
                CASE WHEN kind = 'text' OR (SELECT options.features FROM options) = 'values' THEN -jaccard
                    ELSE js_divergence END ASC,
                target_feature_id ASC, feature_id ASC
        ) AS preference
    FROM (
        FROM compared WHERE kind <> 'number' OR (SELECT options.features FROM options) = 'values'
        UNION ALL
        FROM own WHERE (SELECT options.features FROM options) <> 'values'
    )
    WHERE (SELECT options.features FROM options) = 'values' OR js_divergence < _logic.most_js(kind)
),
round AS (
    SELECT
        *,
        preference = min(preference) OVER (PARTITION BY dataset_id, target_feature_id)
        AND preference = min(preference) OVER (PARTITION BY dataset_id, feature_id) AS matched
    FROM equivalent
    UNION ALL
    SELECT
        *,
        preference = min(preference) OVER (PARTITION BY dataset_id, target_feature_id)
        AND preference = min(preference) OVER (PARTITION BY dataset_id, feature_id) AS matched
    FROM (
        SELECT * EXCLUDE (matched)
        FROM round
        QUALIFY NOT bool_or(matched) OVER (PARTITION BY dataset_id, target_feature_id)
            AND NOT bool_or(matched) OVER (PARTITION BY dataset_id, feature_id)
    )
)
SELECT target_feature_id, dataset_id, feature_id, jaccard, js_divergence, distance, k, b FROM round WHERE matched
