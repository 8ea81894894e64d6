-- Step 2, second half (section 3.5): partitions of the target against partitions of each dataset.
-- Pairs that collide in a band (or all, when exact) are verified; matches are counted.

CREATE MACRO sampling_floors(spaces, target_sketch, options) AS TABLE
    WITH slot AS (
        SELECT DISTINCT space_id, unnest(slots) AS feature_id FROM query_table(spaces)
    )
    SELECT
        space_id,
        CASE (SELECT sample_space FROM query_table(options))
            WHEN 'aligned' THEN avg((len(bins) - 1) * len(partitions) / (4 * "values"))
            ELSE (len(list_distinct(flatten(list(bins)))) - 1) * max(len(partitions)) / (4 * sum("values"))
        END AS sampling_floor
    FROM slot
    JOIN query_table(target_sketch) USING (feature_id)
    GROUP BY space_id;
COMMENT ON MACRO TABLE sampling_floors IS 'a space and the JS divergence to expect between two samples of the target itself, (B - 1) / (4 n)';

-- row_number() would be as good, but leaves what comes before to one thread.
CREATE MACRO pair_number(owner, source_partition, target_partition) AS
    (owner::HUGEINT << 64) | (source_partition::HUGEINT << 32) | target_partition::HUGEINT;
COMMENT ON MACRO pair_number IS 'a pair of partitions as one number';

CREATE MACRO many_pairs(pairs) AS TABLE
    -- One row that the optimizer takes for many makes it take the pairs for many, too. Else a join may keep each pair with a
    -- copy of its roots, gigabytes, where it should keep the vectors and look them up.
    WITH one AS (SELECT i FROM range(1000000) AS r(i) WHERE i = 0),
    many AS MATERIALIZED (SELECT p.* FROM query_table(pairs) AS p CROSS JOIN one)
    FROM many;
COMMENT ON MACRO TABLE many_pairs IS 'a pair, as it is: for joins with the vectors of pairs';

CREATE MACRO pair_divergences(pairs, source_vectors, target_vectors) AS TABLE
    WITH vector AS (
        SELECT v.owner, v.space_id, v.partition_id, v.roots
        FROM query_table(source_vectors) AS v
        SEMI JOIN query_table(pairs) AS p ON p.owner = v.owner AND p.source_partition = v.partition_id
        UNION ALL
        SELECT owner, space_id, partition_id, roots FROM query_table(target_vectors)
    ),
    vector_bin AS (
        SELECT owner, space_id, partition_id, unnest(roots) AS root FROM vector
    ),
    vector_entropy AS MATERIALIZED (
        SELECT owner, space_id, partition_id, sum(negentropy(root * root)) AS negentropy
        FROM vector_bin
        GROUP BY owner, space_id, partition_id
    ),
    pair_bin AS (
        SELECT p.pair_id, unnest(s.roots) AS source_root, unnest(t.roots) AS target_root
        FROM many_pairs(pairs) AS p
        JOIN query_table(source_vectors) AS s ON s.owner = p.owner AND s.partition_id = p.source_partition
        JOIN query_table(target_vectors) AS t ON t.space_id = p.space_id AND t.partition_id = p.target_partition
    ),
    pair_sum AS (
        SELECT pair_id, source_root * source_root + target_root * target_root AS mass FROM pair_bin
    ),
    pair_entropy AS (
        SELECT pair_id, sum(negentropy(mass)) AS negentropy FROM pair_sum GROUP BY pair_id
    )
    SELECT p.pair_id, least(ln(2), greatest(0, ln(2) + (s.negentropy + t.negentropy - m.negentropy) / 2)) AS js_divergence
    FROM query_table(pairs) AS p
    JOIN pair_entropy AS m USING (pair_id)
    JOIN vector_entropy AS s ON s.owner = p.owner AND s.partition_id = p.source_partition
    JOIN vector_entropy AS t ON t.owner = 0 AND t.space_id = p.space_id AND t.partition_id = p.target_partition;
COMMENT ON MACRO TABLE pair_divergences IS 'a pair of partitions and its JS divergence, as ln 2 + (sum p ln p + sum q ln q - sum (p + q) ln (p + q)) / 2';

CREATE MACRO pair_estimates(pairs, source_vectors, target_vectors) AS TABLE
    WITH source_waves AS MATERIALIZED (
        SELECT v.owner, v.partition_id, waves(v.roots) AS waves
        FROM query_table(source_vectors) AS v
        SEMI JOIN query_table(pairs) AS p ON p.owner = v.owner AND p.source_partition = v.partition_id
    ),
    target_waves AS MATERIALIZED (
        SELECT v.space_id, v.partition_id, waves(v.roots) AS waves
        FROM query_table(target_vectors) AS v
        SEMI JOIN query_table(pairs) AS p ON p.space_id = v.space_id AND p.target_partition = v.partition_id
    )
    SELECT
        p.pair_id,
        js_estimate(p.hellinger2, list_inner_product(s.waves, t.waves)) AS js_divergence,
        js_cosine().error * p.hellinger2 AS error
    FROM many_pairs(pairs) AS p
    JOIN source_waves AS s ON s.owner = p.owner AND s.partition_id = p.source_partition
    JOIN target_waves AS t ON t.space_id = p.space_id AND t.partition_id = p.target_partition;
COMMENT ON MACRO TABLE pair_estimates IS 'a pair of partitions, an estimate of its JS divergence, and the most that it is off';

CREATE MACRO dataset_partitions(among) AS TABLE
    -- The limit, which no search reaches, makes the optimizer read the histograms of these datasets only.
    SELECT dataset_id AS owner, feature_id, partition_id, frequent || rare AS counts
    FROM partition_counts
    SEMI JOIN (SELECT dataset_id FROM query_table(among) LIMIT 10000) AS dataset USING (dataset_id);
COMMENT ON MACRO TABLE dataset_partitions IS 'a feature of a partition of a dataset (owner): occurrences of each of features.bins';

CREATE MACRO sample_size() AS 4;
COMMENT ON MACRO sample_size IS 'partitions of the target, and of each dataset, whose divergences an automatic t is chosen from';

CREATE MACRO is_sampled(partition_id, partitions) AS CASE hub_partitioning()
    WHEN 'sequential' THEN (partitions - partition_id::BIGINT * sample_size() % partitions) % partitions < sample_size()
    ELSE partition_id < sample_size()
END;
COMMENT ON MACRO is_sampled IS 'whether a partition is in the sample: the first ones, or evenly spread ones where they are in the order of the rows';

CREATE MACRO sampled_partitions(candidates, target_partitions, options) AS TABLE
    WITH size AS (
        SELECT dataset_id AS owner, partitions FROM datasets
        UNION ALL
        SELECT 0 AS owner, max(partition_id) + 1 AS partitions FROM query_table(target_partitions)
    )
    SELECT owner, feature_id, partition_id, counts
    FROM (FROM dataset_partitions(candidates) UNION ALL FROM query_table(target_partitions))
    JOIN size USING (owner)
    WHERE is_sampled(partition_id, partitions) AND (SELECT max_js FROM query_table(options)) IS NULL;
COMMENT ON MACRO TABLE sampled_partitions IS 'a feature of a partition that an automatic t is chosen from; none when t is given';

CREATE MACRO js_threshold(sample_vectors, options) AS TABLE
    WITH source_sample AS (FROM query_table(sample_vectors) WHERE owner <> 0),
    target_sample AS (FROM query_table(sample_vectors) WHERE owner = 0),
    sample_pair AS MATERIALIZED (
        SELECT
            row_number() OVER () AS pair_id,
            s.owner, s.space_id, s.partition_id AS source_partition, t.partition_id AS target_partition
        FROM source_sample AS s
        JOIN target_sample AS t USING (space_id)
    ),
    divergence AS (FROM pair_divergences('sample_pair', 'source_sample', 'target_sample')),
    -- Every dataset weighs the same, however few partitions it has.
    weighted AS (
        SELECT js_divergence, 1 / count(*) OVER (PARTITION BY owner) AS weight
        FROM divergence
        JOIN sample_pair USING (pair_id)
    ),
    ranked AS (
        SELECT js_divergence, sum(weight) OVER (ORDER BY js_divergence) AS datasets FROM weighted
    ),
    wanted AS (
        SELECT greatest(1, count(DISTINCT owner)) * coalesce(
            (SELECT auto_quantile FROM settings), least(0.25, (SELECT auto_models FROM settings) / count(DISTINCT owner))
        ) AS datasets
        FROM sample_pair
    ),
    -- A hair above the pair it is taken from, so that rounding does not decide whether that one matches.
    -- Below ln 2, at which partitions have nothing in common.
    chosen AS (
        SELECT least(greatest(min(js_divergence) + 1e-12, 1e-9), ln(2) - 1e-6) AS max_js
        FROM ranked
        WHERE datasets >= (SELECT datasets FROM wanted) - 1e-9
    )
    SELECT
        coalesce(o.max_js, chosen.max_js) AS max_js,
        (SELECT jslsh_width FROM settings) * sqrt(2 * coalesce(o.max_js, chosen.max_js) / ln(2)) AS width
    FROM query_table(options) AS o, chosen;
COMMENT ON MACRO TABLE js_threshold IS 't, given or chosen from a sample of the pairs, and r of Eq. 2.4 for it (one row)';

CREATE MACRO reachable_datasets(candidates, matches, target_distances, threshold, options) AS TABLE
    -- Aligned, the divergence of a partition from its dataset is the mean of its features'.
    WITH reach AS (
        SELECT
            m.dataset_id,
            sqrt(mean_spread(s.spread, d.spread)) + sqrt(mean_spread(t.spread, (FROM dataset_spread(target_distances)))) AS reach
        FROM query_table(matches) AS m
        JOIN datasets AS d USING (dataset_id)
        JOIN features AS s ON s.dataset_id = m.dataset_id AND s.feature_id = m.feature_id
        JOIN feature_spreads(target_distances) AS t ON t.feature_id = m.target_feature_id
        GROUP BY m.dataset_id
    )
    SELECT dataset_id
    FROM query_table(candidates)
    JOIN reach USING (dataset_id)
    -- A little more than the bound, for rounding.
    WHERE sqrt(js_divergence) <= reach + sqrt((SELECT max_js FROM query_table(threshold))) + 1e-6
        OR (SELECT sample_space FROM query_table(options)) = 'flattened';
COMMENT ON MACRO TABLE reachable_datasets IS 'a candidate that may have a partition within t of one of the target, by the triangle inequality of sqrt(JS)';

CREATE MACRO all_pairs(source_vectors, target_vectors, threshold, method) AS TABLE
    WITH pair AS (
        SELECT
            s.owner, s.space_id, s.partition_id AS source_partition, t.partition_id AS target_partition,
            greatest(0, 1 - list_inner_product(s.roots, t.roots)) AS hellinger2
        FROM query_table(source_vectors) AS s
        JOIN query_table(target_vectors) AS t USING (space_id)
        WHERE (SELECT search FROM query_table(method)) = 'exact'
    )
    -- Unnested instead of filtered: a filter would have the distance computed twice.
    SELECT
        owner, space_id, source_partition, target_partition,
        unnest(CASE WHEN hellinger2 <= (SELECT max_js FROM query_table(threshold)) / ln(2) THEN [hellinger2] ELSE [] END) AS hellinger2
    FROM pair;
COMMENT ON MACRO TABLE all_pairs IS 'a pair of partitions that may match, ln 2 * H2 <= t, of all pairs (search exact)';

CREATE MACRO colliding_pairs(source_vectors, target_vectors, source_signatures, target_signatures, threshold) AS TABLE
    WITH colliding AS (
        SELECT DISTINCT s.owner, s.space_id, s.partition_id AS source_partition, t.partition_id AS target_partition
        FROM query_table(source_signatures) AS s
        JOIN query_table(target_signatures) AS t USING (space_id, band, signature)
    )
    SELECT
        c.owner, c.space_id, c.source_partition, c.target_partition,
        greatest(0, 1 - list_inner_product(s.roots, t.roots)) AS hellinger2
    FROM many_pairs('colliding') AS c
    JOIN query_table(source_vectors) AS s ON s.owner = c.owner AND s.partition_id = c.source_partition
    JOIN query_table(target_vectors) AS t ON t.space_id = c.space_id AND t.partition_id = c.target_partition
    WHERE hellinger2 <= (SELECT max_js FROM query_table(threshold)) / ln(2);
COMMENT ON MACRO TABLE colliding_pairs IS 'a pair of partitions that may match, ln 2 * H2 <= t, of those that share a band (search lsh)';

CREATE MACRO verified_pairs(pairs, source_vectors, target_vectors, threshold) AS TABLE
    WITH open_pair AS MATERIALIZED (
        FROM query_table(pairs) WHERE hellinger2 > (SELECT max_js FROM query_table(threshold))
    ),
    estimate AS MATERIALIZED (FROM pair_estimates('open_pair', source_vectors, target_vectors)),
    near_pair AS MATERIALIZED (
        SELECT p.*
        FROM open_pair AS p
        JOIN estimate AS e USING (pair_id)
        -- A little more than the error, for rounding.
        WHERE abs(e.js_divergence - (SELECT max_js FROM query_table(threshold))) <= e.error + 1e-9
    ),
    divergence AS (FROM pair_divergences('near_pair', source_vectors, target_vectors))
    SELECT p.owner, p.source_partition, p.target_partition, p.hellinger2
    FROM query_table(pairs) AS p
    LEFT JOIN estimate AS e USING (pair_id)
    LEFT JOIN divergence AS d USING (pair_id)
    WHERE coalesce(d.js_divergence, e.js_divergence, p.hellinger2) <= (SELECT max_js FROM query_table(threshold));
COMMENT ON MACRO TABLE verified_pairs IS 'a pair of partitions with JS <= t (Def. 2); an estimate only where H2 > t leaves it open, and logarithms only where that does';

CREATE MACRO hashed_pairs(source_vectors, target_vectors, axis, threshold, method) AS TABLE
    WITH hashed_axis AS (FROM query_table(axis) WHERE (SELECT search FROM query_table(method)) = 'lsh'),
    functions AS MATERIALIZED (FROM space_functions('hashed_axis')),
    source_signatures AS (FROM jslsh_signatures(source_vectors, 'functions', threshold)),
    target_signatures AS (FROM jslsh_signatures(target_vectors, 'functions', threshold)),
    colliding AS (FROM colliding_pairs(source_vectors, target_vectors, 'source_signatures', 'target_signatures', threshold))
    SELECT pair_number(owner, source_partition, target_partition) AS pair_id, * FROM colliding;
COMMENT ON MACRO TABLE hashed_pairs IS 'a pair of partitions that may match and shares a JS-LSH band, numbered (search lsh)';

CREATE MACRO partition_matches(
    source_members, source_partitions, target_members, target_partitions, axis, threshold, method, options
) AS TABLE
    WITH source_vectors AS MATERIALIZED (FROM space_vectors(source_members, source_partitions, axis, options)),
    target_vectors AS MATERIALIZED (FROM space_vectors(target_members, target_partitions, axis, options)),
    hashed_pairs AS (FROM hashed_pairs('source_vectors', 'target_vectors', axis, threshold, method)),
    compared_pairs AS (FROM all_pairs('source_vectors', 'target_vectors', threshold, method)),
    -- One of the two is empty.
    pairs AS MATERIALIZED (
        FROM hashed_pairs
        UNION ALL
        SELECT pair_number(owner, source_partition, target_partition) AS pair_id, * FROM compared_pairs
    )
    FROM verified_pairs('pairs', 'source_vectors', 'target_vectors', threshold);
COMMENT ON MACRO TABLE partition_matches IS 'a partition of a dataset that matches a partition of the target, JS <= t (Def. 2)';

CREATE MACRO target_coverage(target_sketch, options) AS TABLE
    -- Without the histograms of partitions, which a join would copy for each row that it finds. The limit, which
    -- no sketch reaches, keeps the optimizer from replacing this by the sketch itself.
    WITH target_features AS MATERIALIZED (SELECT * EXCLUDE (partitions) FROM query_table(target_sketch) LIMIT 65536),
    matches AS MATERIALIZED (FROM feature_matches('target_features', options)),
    related AS MATERIALIZED (FROM dataset_overlap('matches', 'target_features', options)),
    comparable AS MATERIALIZED (FROM comparable_datasets('matches', 'related', options)),

    spaces AS MATERIALIZED (FROM dataset_spaces('matches', 'comparable')),
    axis AS MATERIALIZED (FROM space_axis('spaces', 'target_features', options)),
    floors AS MATERIALIZED (FROM sampling_floors('spaces', target_sketch, options)),
    source_members AS MATERIALIZED (FROM source_space_members('spaces', 'matches')),
    target_members AS MATERIALIZED (FROM target_space_members('spaces', 'target_features')),

    divergences AS MATERIALIZED (FROM whole_divergences('source_members', 'target_members', 'axis', 'target_features', options)),
    candidates AS MATERIALIZED (FROM candidate_datasets('comparable', 'divergences', options)),
    candidate_matches AS MATERIALIZED (FROM matches SEMI JOIN candidates USING (dataset_id)),
    centres AS MATERIALIZED (FROM centre_distances('candidate_matches', 'target_features')),

    target_partitions AS MATERIALIZED (
        SELECT 0 AS owner, feature_id, partition_id, counts FROM sketched_histograms(target_sketch)
    ),
    method AS MATERIALIZED (FROM search_method('target_partitions', options)),
    candidate_members AS MATERIALIZED (FROM source_members WHERE owner IN (SELECT dataset_id FROM candidates)),
    sample_members AS (
        FROM candidate_members
        UNION ALL
        FROM target_members WHERE space_id IN (SELECT space_id FROM candidate_members)
    ),
    sample_partitions AS (FROM sampled_partitions('candidates', 'target_partitions', options)),
    sample_vectors AS MATERIALIZED (FROM space_vectors('sample_members', 'sample_partitions', 'axis', options)),
    threshold AS MATERIALIZED (FROM js_threshold('sample_vectors', options)),

    target_distances AS MATERIALIZED (FROM whole_distances('target_features', 'target_partitions')),
    reachable AS MATERIALIZED (
        FROM reachable_datasets('candidates', 'candidate_matches', 'target_distances', 'threshold', options)
    ),
    reachable_members AS MATERIALIZED (FROM candidate_members WHERE owner IN (SELECT dataset_id FROM reachable)),
    reachable_spaces AS MATERIALIZED (SELECT DISTINCT space_id FROM reachable_members),
    reachable_axis AS MATERIALIZED (FROM axis SEMI JOIN reachable_spaces USING (space_id)),
    reachable_target AS (FROM target_members SEMI JOIN reachable_spaces USING (space_id)),
    source_partitions AS (FROM dataset_partitions('reachable')),
    matching AS (
        FROM partition_matches(
            'reachable_members', 'source_partitions', 'reachable_target', 'target_partitions', 'reachable_axis',
            'threshold', 'method', options
        )
    ),
    match_count AS (
        SELECT owner AS dataset_id, target_partition, count(*) AS matches FROM matching GROUP BY ALL
    ),
    target_partition AS (
        SELECT unnest(range((SELECT max(len(partitions)) FROM query_table(target_sketch))))::UINTEGER AS target_partition
    )
    SELECT
        dataset_id, target_partition, coalesce(matches, 0) AS matches,
        shared_features, overlap, sampling_floor,
        c.js_divergence, kl_target_source, kl_source_target, l2_distance,
        (SELECT max_js FROM threshold) AS max_js,
        (SELECT search FROM method) AS search
    FROM candidates AS c
    JOIN related USING (dataset_id)
    JOIN spaces USING (dataset_id)
    JOIN floors USING (space_id)
    LEFT JOIN centres USING (dataset_id)
    CROSS JOIN target_partition
    LEFT JOIN match_count USING (dataset_id, target_partition);
COMMENT ON MACRO TABLE target_coverage IS 'a partition of the target and a related dataset: how many of its partitions match';

CREATE MACRO rank_models(target_sketch, options) AS TABLE
    WITH coverage AS MATERIALIZED (FROM target_coverage(target_sketch, options)),
    dataset_score AS (
        SELECT
            dataset_id,
            sum(matches) / count(*) AS adaptivity,
            count(*) FILTER (matches > 0) / count(*) AS coverage,
            any_value(js_divergence) AS js_divergence,
            any_value(overlap) AS overlap,
            any_value(shared_features) AS shared_features,
            any_value(kl_target_source) AS kl_target_source,
            any_value(kl_source_target) AS kl_source_target,
            any_value(l2_distance) AS l2_distance,
            any_value(max_js) AS max_js,
            any_value(sampling_floor) AS sampling_floor,
            any_value(search) AS search
        FROM coverage
        GROUP BY dataset_id
    ),
    model_score AS (
        SELECT
            m.model, m.version, s.*, m.source_accuracy, m.uri, m.task, m.framework,
            CASE o.rank_by
                WHEN 'adaptivity' THEN s.adaptivity
                WHEN 'coverage' THEN s.coverage
                WHEN 'js' THEN -s.js_divergence
                WHEN 'l2' THEN -s.l2_distance
                WHEN 'kl_target_source' THEN -s.kl_target_source
                WHEN 'kl_source_target' THEN -s.kl_source_target
                WHEN 'source_accuracy' THEN m.source_accuracy
            END AS score,
            o.max_js AS given_js
        FROM dataset_score AS s
        JOIN models AS m USING (dataset_id)
        JOIN query_table(options) AS o ON s.adaptivity >= o.min_adaptivity
    )
    SELECT
        -- Rounding decides no rank: it may differ from client to client.
        row_number() OVER (ORDER BY round(score, 12) DESC NULLS LAST, round(js_divergence, 12), model, version) AS rank,
        model, version, adaptivity, coverage, js_divergence, overlap, shared_features, source_accuracy, uri,
        kl_target_source, kl_source_target, l2_distance, max_js, sampling_floor, search,
        CASE
            WHEN given_js < 2 * sampling_floor THEN
                printf('max_js = %.4g is below twice the sampling floor %.4g: partitions of one distribution may not match', max_js, sampling_floor)
            WHEN given_js IS NULL AND max_js > 0.9 * ln(2) THEN
                printf('max_js was chosen as %.4g of at most ln 2: even the nearest partitions have next to nothing in common with the target', max_js)
        END AS warning
    FROM model_score
    ORDER BY rank;
COMMENT ON MACRO TABLE rank_models IS 'a related model, best first, for a target that is sketched already';
