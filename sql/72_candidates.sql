-- Step 2, first pass: the target as a whole against each related dataset as a whole. Partitions
-- are compared only with the nearest of them.

CREATE MACRO comparable_datasets(matches, related, options) AS TABLE
    SELECT dataset_id, avg(js_divergence) AS js_divergence
    FROM query_table(matches)
    SEMI JOIN query_table(related) USING (dataset_id)
    GROUP BY dataset_id
    -- Aligned, every shared feature weighs the same: JS is the mean of the features', and tells the nearest before.
    ORDER BY CASE (SELECT sample_space FROM query_table(options)) WHEN 'aligned' THEN avg(js_divergence) END, dataset_id
    LIMIT (
        SELECT CASE o.sample_space WHEN 'aligned' THEN s.max_candidates ELSE (SELECT count(*) FROM datasets) END
        FROM query_table(options) AS o, settings AS s
    );
COMMENT ON MACRO TABLE comparable_datasets IS 'a related dataset that may be a candidate, and the mean JS divergence of its features';

CREATE MACRO whole_divergences(source_members, target_members, axis, target_sketch, options) AS TABLE
    WITH source_totals AS (
        SELECT dataset_id AS owner, feature_id, 0 AS partition_id, counts
        FROM features
        SEMI JOIN (SELECT owner AS dataset_id FROM query_table(source_members)) AS member USING (dataset_id)
    ),
    target_totals AS (SELECT 0 AS owner, feature_id, 0 AS partition_id, counts FROM query_table(target_sketch)),
    source_whole AS (FROM space_vectors(source_members, 'source_totals', axis, options)),
    target_whole AS (FROM space_vectors(target_members, 'target_totals', axis, options)),
    bin AS (
        SELECT
            s.owner AS dataset_id,
            len(s.roots) AS size,
            unnest(s.roots) ** 2 AS p,
            unnest(t.roots) ** 2 AS q
        FROM source_whole AS s
        JOIN target_whole AS t USING (space_id)
    )
    SELECT
        dataset_id,
        sum(js_term(p, q)) AS js_divergence,
        sum(kl_term(smoothed(q, size), smoothed(p, size))) AS kl_target_source,
        sum(kl_term(smoothed(p, size), smoothed(q, size))) AS kl_source_target
    FROM bin
    GROUP BY dataset_id;
COMMENT ON MACRO TABLE whole_divergences IS 'a dataset and its divergences from the target, each taken as one partition';

CREATE MACRO candidate_datasets(comparable, divergences, options) AS TABLE
    WITH distance AS (
        SELECT
            dataset_id,
            CASE o.sample_space WHEN 'aligned' THEN c.js_divergence ELSE d.js_divergence END AS js_divergence,
            kl_target_source,
            kl_source_target,
            o.max_divergence
        FROM query_table(comparable) AS c
        JOIN query_table(divergences) AS d USING (dataset_id)
        CROSS JOIN query_table(options) AS o
    )
    SELECT * EXCLUDE (max_divergence)
    FROM distance
    WHERE js_divergence <= max_divergence
    ORDER BY js_divergence, dataset_id
    LIMIT (SELECT max_candidates FROM settings);
COMMENT ON MACRO TABLE candidate_datasets IS 'a dataset whose partitions are to be compared: the max_candidates nearest in JS divergence';

CREATE MACRO centre_distances(matches, target_sketch) AS TABLE
    SELECT m.dataset_id, sqrt(sum((s.mean - t.mean) ** 2)) AS l2_distance
    FROM query_table(matches) AS m
    JOIN query_table(target_sketch) AS t ON t.feature_id = m.target_feature_id
    JOIN features AS s ON s.dataset_id = m.dataset_id AND s.feature_id = m.feature_id
    WHERE isfinite(s.mean) AND isfinite(t.mean)
    GROUP BY m.dataset_id;
COMMENT ON MACRO TABLE centre_distances IS 'a dataset and the Euclidean distance of its centre from the target''s, over shared numbers and times';
