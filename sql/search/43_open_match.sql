-- an equivalent feature of another name, one to one: the best pair of all first, then the best of what is left
WITH RECURSIVE compared AS (
    -- Rounding decides no match.
    SELECT o.*, round(s.js_divergence, 12) AS js_divergence, s.distance, t.kind
    FROM open_pair AS o
    JOIN open_similarity AS s USING (target_feature_id, dataset_id, feature_id)
    JOIN target_feature AS t ON t.feature_id = o.target_feature_id
),
rivals AS (
    SELECT
        *,
        list(js_divergence) OVER (PARTITION BY dataset_id, target_feature_id ORDER BY js_divergence ASC
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS of_target,
        list(js_divergence) OVER (PARTITION BY dataset_id, feature_id ORDER BY js_divergence ASC ROWS BETWEEN UNBOUNDED PRECEDING
            AND UNBOUNDED FOLLOWING) AS of_source
    FROM compared
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
    FROM rivals
    WHERE (SELECT options.features FROM options) = 'values'
        OR (
            js_divergence < _logic.most_js(kind)
            -- A number that is as like another is no number's own.
            AND (kind <> 'number' OR js_divergence < 0.8 * least(coalesce(of_target[2], 1), coalesce(of_source[2], 1)))
        )
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
