-- an equivalent feature of another name, one to one: the best pair of all first, then the best of what is left
WITH RECURSIVE equivalent AS (
    SELECT
        dataset_id, target_feature_id, feature_id, jaccard, js_divergence,
        row_number() OVER (PARTITION BY dataset_id ORDER BY jaccard DESC, target_feature_id ASC, feature_id ASC) AS preference
    FROM open_similarity
    WHERE jaccard > (SELECT options.min_jaccard FROM options)
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
        SELECT dataset_id, target_feature_id, feature_id, jaccard, js_divergence, preference
        FROM round
        QUALIFY NOT bool_or(matched) OVER (PARTITION BY dataset_id, target_feature_id)
            AND NOT bool_or(matched) OVER (PARTITION BY dataset_id, feature_id)
    )
)
SELECT target_feature_id, dataset_id, feature_id, jaccard, js_divergence FROM round WHERE matched
