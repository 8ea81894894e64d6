-- Step 2, first pass: the target as a whole against each related dataset as a whole. Partitions
-- are compared only with the nearest of them.

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

CREATE MACRO candidate_datasets(matches, related, target_sketch, options) AS TABLE
    WITH flattened AS (
        FROM query_table(related) WHERE (SELECT sample_space FROM query_table(options)) = 'flattened'
    ),
    spaces AS MATERIALIZED (FROM dataset_spaces(matches, 'flattened')),
    axis AS MATERIALIZED (FROM space_axis('spaces', target_sketch, options)),
    source_members AS MATERIALIZED (FROM source_space_members('spaces', matches)),
    target_members AS MATERIALIZED (FROM target_space_members('spaces', target_sketch)),
    divergence AS (
        -- Aligned, every shared feature weighs the same: JS is the mean of the features'.
        SELECT dataset_id, avg(js_divergence) AS js_divergence
        FROM query_table(matches)
        SEMI JOIN query_table(related) USING (dataset_id)
        WHERE (SELECT sample_space FROM query_table(options)) = 'aligned'
        GROUP BY dataset_id
        UNION ALL
        SELECT dataset_id, js_divergence FROM whole_divergences('source_members', 'target_members', 'axis', target_sketch, options)
    )
    FROM divergence
    WHERE js_divergence <= (SELECT max_divergence FROM query_table(options))
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
