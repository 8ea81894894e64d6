-- Step 1, overlap search (section 3.4, Def. 3): which features of which dataset are equivalent
-- to which features of the target, one to one: same name first, then best Jaccard, then order.
-- Features of the same name are compared at once; the others only where they share a MinHash
-- band. Every pair is verified by the Jaccard similarity of the replicated bins, so that no
-- wrong one gets through.

CREATE MACRO named_candidates(target_sketch) AS TABLE
    SELECT t.feature_id AS target_feature_id, s.dataset_id, s.feature_id
    FROM query_table(target_sketch) AS t
    JOIN features AS s ON lower(s.feature) = lower(t.feature) AND s.kind = t.kind;
COMMENT ON MACRO TABLE named_candidates IS 'a feature of a dataset that has the name and kind of a feature of the target';

CREATE MACRO feature_jaccard(candidates, target_sketch) AS TABLE
    WITH target_scaled AS (
        SELECT feature_id, bins, counts, replica_scale(counts, "values") AS scale FROM query_table(target_sketch)
    ),
    target_bin AS (
        SELECT feature_id AS target_feature_id, unnest(bins) AS bin, unnest(replicas_of(counts, scale)) AS replicas FROM target_scaled
    ),
    target_size AS (
        SELECT target_feature_id, sum(replicas) AS size FROM target_bin GROUP BY ALL
    ),
    source_scaled AS (
        SELECT
            c.target_feature_id, c.dataset_id, c.feature_id,
            f.bins, f.counts, replica_scale(f.counts, f."values") AS scale
        FROM query_table(candidates) AS c
        JOIN features AS f USING (dataset_id, feature_id)
    ),
    source_replicated AS (
        SELECT target_feature_id, dataset_id, feature_id, bins, replicas_of(counts, scale) AS replicas FROM source_scaled
    ),
    source_bin AS (
        SELECT
            target_feature_id, dataset_id, feature_id, list_sum(replicas) AS source_size,
            unnest(bins) AS bin, unnest(replicas) AS replicas
        FROM source_replicated
    ),
    common AS (
        SELECT
            s.target_feature_id, s.dataset_id, s.feature_id,
            any_value(s.source_size) AS source_size,
            sum(least(s.replicas, t.replicas)) AS intersection
        FROM source_bin AS s
        JOIN target_bin AS t USING (target_feature_id, bin)
        GROUP BY s.target_feature_id, s.dataset_id, s.feature_id
    )
    SELECT target_feature_id, dataset_id, feature_id, intersection / (source_size + size - intersection) AS jaccard
    FROM common
    JOIN target_size USING (target_feature_id);
COMMENT ON MACRO TABLE feature_jaccard IS 'a candidate pair of features and the Jaccard similarity of their replicated bins';

CREATE MACRO named_matches(jaccards, options) AS TABLE
    FROM query_table(jaccards) WHERE jaccard > (SELECT min_jaccard FROM query_table(options));
COMMENT ON MACRO TABLE named_matches IS 'a feature that is equivalent to the target''s feature of its name';

CREATE MACRO band_candidates(target_sketch, matches) AS TABLE
    WITH open_target AS (
        SELECT d.dataset_id, t.feature_id AS target_feature_id
        FROM datasets AS d
        CROSS JOIN query_table(target_sketch) AS t
        ANTI JOIN query_table(matches) AS m ON m.dataset_id = d.dataset_id AND m.target_feature_id = t.feature_id
    ),
    open_source AS (
        SELECT f.dataset_id, f.feature_id
        FROM features AS f
        SEMI JOIN open_target USING (dataset_id)
        ANTI JOIN query_table(matches) AS m ON m.dataset_id = f.dataset_id AND m.feature_id = f.feature_id
    ),
    target_band AS MATERIALIZED (FROM minhash_bands(target_sketch)),
    -- Materialised, so that the planner joins only the bands of features that are still open.
    open_band AS MATERIALIZED (
        SELECT b.band, b.signature, b.dataset_id, b.feature_id
        FROM feature_bands AS b
        SEMI JOIN open_source USING (dataset_id, feature_id)
    ),
    colliding AS (
        SELECT DISTINCT t.feature_id AS target_feature_id, s.dataset_id, s.feature_id
        FROM open_band AS s
        JOIN target_band AS t USING (band, signature)
    )
    FROM colliding SEMI JOIN open_target USING (dataset_id, target_feature_id);
COMMENT ON MACRO TABLE band_candidates IS 'a feature that shares a MinHash band with a feature of the target, both without a match so far';

CREATE MACRO greedy_matches(jaccards, options) AS TABLE
    WITH RECURSIVE equivalent AS (
        SELECT
            dataset_id, target_feature_id, feature_id, jaccard,
            row_number() OVER (PARTITION BY dataset_id ORDER BY jaccard DESC, target_feature_id, feature_id) AS preference
        FROM query_table(jaccards)
        WHERE jaccard > (SELECT min_jaccard FROM query_table(options))
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
    SELECT target_feature_id, dataset_id, feature_id, jaccard FROM round WHERE matched;
COMMENT ON MACRO TABLE greedy_matches IS 'an equivalent feature, one to one: the best pair of all first, then the best of what is left';

CREATE MACRO feature_matches(target_sketch, options) AS TABLE
    WITH named AS MATERIALIZED (FROM named_candidates(target_sketch)),
    named_jaccards AS (FROM feature_jaccard('named', target_sketch)),
    same_name AS MATERIALIZED (FROM named_matches('named_jaccards', options)),
    banded AS MATERIALIZED (FROM band_candidates(target_sketch, 'same_name')),
    band_jaccards AS MATERIALIZED (FROM feature_jaccard('banded', target_sketch))
    FROM same_name
    UNION ALL
    FROM greedy_matches('band_jaccards', options);
COMMENT ON MACRO TABLE feature_matches IS 'a feature of a dataset that is shared with the target, one to one, and their Jaccard similarity';

CREATE MACRO dataset_overlap(matches, target_sketch, options) AS TABLE
    SELECT dataset_id, count(*) AS shared_features, count(*) / (SELECT count(*) FROM query_table(target_sketch)) AS overlap
    FROM query_table(matches)
    GROUP BY dataset_id
    HAVING overlap > (SELECT min_overlap FROM query_table(options));
COMMENT ON MACRO TABLE dataset_overlap IS 'a dataset that shares more than min_overlap of the target''s features (Def. 3)';
