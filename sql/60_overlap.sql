-- Step 1, overlap search (section 3.4, Def. 3): which features of which dataset are equivalent
-- to which features of the target. Candidates come from the bands; each is verified by the
-- Jaccard similarity of the replicated bins, so that no wrong pair gets through.

CREATE MACRO feature_candidates(bands) AS TABLE
    SELECT DISTINCT t.feature_id AS target_feature_id, s.dataset_id, s.feature_id
    FROM query_table(bands) AS t
    JOIN feature_bands AS s ON s.band = t.band AND s.signature = t.signature;
COMMENT ON MACRO TABLE feature_candidates IS 'a feature of a dataset that shares a MinHash band with a feature of the target';

CREATE MACRO feature_jaccard(candidates, target_sketch) AS TABLE
    WITH target_bin AS (
        SELECT feature_id AS target_feature_id, unnest(bins) AS bin, unnest(replicas_of(counts, "values", replicas)) AS replicas
        FROM query_table(target_sketch), settings
    ),
    target_size AS (
        SELECT target_feature_id, sum(replicas) AS size FROM target_bin GROUP BY ALL
    ),
    source_feature AS (
        SELECT dataset_id, feature_id, bins, replicas_of(counts, "values", replicas) AS replicas
        FROM features
        CROSS JOIN settings
        SEMI JOIN query_table(candidates) AS c USING (dataset_id, feature_id)
    ),
    source_bin AS (
        SELECT dataset_id, feature_id, list_sum(replicas) AS size, unnest(bins) AS bin, unnest(replicas) AS replicas
        FROM source_feature
    ),
    common AS (
        SELECT
            c.target_feature_id, c.dataset_id, c.feature_id,
            any_value(s.size) AS source_size,
            sum(least(s.replicas, t.replicas)) AS intersection
        FROM query_table(candidates) AS c
        JOIN source_bin AS s USING (dataset_id, feature_id)
        JOIN target_bin AS t ON t.target_feature_id = c.target_feature_id AND t.bin = s.bin
        GROUP BY c.target_feature_id, c.dataset_id, c.feature_id
    )
    SELECT target_feature_id, dataset_id, feature_id, intersection / (source_size + size - intersection) AS jaccard
    FROM common
    JOIN target_size USING (target_feature_id);
COMMENT ON MACRO TABLE feature_jaccard IS 'a candidate pair of features and the Jaccard similarity of their replicated bins';

CREATE MACRO feature_matches(jaccards, target_sketch, options) AS TABLE
    WITH RECURSIVE equivalent AS (
        SELECT
            j.dataset_id, j.target_feature_id, j.feature_id, j.jaccard,
            row_number() OVER (
                PARTITION BY j.dataset_id
                ORDER BY lower(s.feature) = lower(t.feature) DESC, j.jaccard DESC, j.target_feature_id, j.feature_id
            ) AS preference
        FROM query_table(jaccards) AS j
        JOIN query_table(target_sketch) AS t ON t.feature_id = j.target_feature_id
        JOIN features AS s ON s.dataset_id = j.dataset_id AND s.feature_id = j.feature_id
        WHERE j.jaccard > (SELECT min_jaccard FROM query_table(options))
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
            SELECT dataset_id, target_feature_id, feature_id, jaccard, preference
            FROM round
            QUALIFY NOT bool_or(matched) OVER (PARTITION BY dataset_id, target_feature_id)
                AND NOT bool_or(matched) OVER (PARTITION BY dataset_id, feature_id)
        )
    )
    SELECT dataset_id, target_feature_id, feature_id, jaccard FROM round WHERE matched;
COMMENT ON MACRO TABLE feature_matches IS 'a feature shared with the target, one to one: same name first, then best Jaccard, then order';

CREATE MACRO dataset_overlap(matches, target_sketch, options) AS TABLE
    SELECT dataset_id, count(*) AS shared_features, count(*) / (SELECT count(*) FROM query_table(target_sketch)) AS overlap
    FROM query_table(matches)
    GROUP BY dataset_id
    HAVING overlap > (SELECT min_overlap FROM query_table(options));
COMMENT ON MACRO TABLE dataset_overlap IS 'a dataset that shares more than min_overlap of the target''s features (Def. 3)';
