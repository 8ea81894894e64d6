-- Distances between distributions (section 2.1), natural logarithms.

CREATE MACRO kl_term(p, q) AS CASE WHEN p > 0 THEN CASE WHEN q > 0 THEN p * ln(p / q) ELSE 'inf'::DOUBLE END ELSE 0 END;
COMMENT ON MACRO kl_term IS 'what a bin of probabilities p and q adds to the Kullback-Leibler divergence (Eq. 2.2)';

CREATE MACRO js_term(p, q) AS (kl_term(p, (p + q) / 2) + kl_term(q, (p + q) / 2)) / 2;
COMMENT ON MACRO js_term IS 'what a bin of probabilities p and q adds to the Jensen-Shannon divergence (Eq. 2.1)';

CREATE MACRO kl_divergence(p, q) AS list_sum(list_transform(list_zip(p, q), lambda pq: kl_term(pq[1], pq[2])));
COMMENT ON MACRO kl_divergence IS 'Kullback-Leibler divergence of two lists of probabilities; infinite where q is 0 and p is not';

CREATE MACRO js_divergence(p, q) AS list_sum(list_transform(list_zip(p, q), lambda pq: js_term(pq[1], pq[2])));
COMMENT ON MACRO js_divergence IS 'Jensen-Shannon divergence of two lists of probabilities, in [0, ln 2]';

CREATE MACRO hellinger2(p, q) AS list_sum(list_transform(list_zip(p, q), lambda pq: (sqrt(pq[1]) - sqrt(pq[2])) ** 2)) / 2;
COMMENT ON MACRO hellinger2 IS 'squared Hellinger distance of two lists of probabilities, in [0, 1]; ln 2 * H2 <= JS <= H2';

CREATE MACRO smoothed(p, size) AS (p + 1e-6) / (1 + 1e-6 * size);
COMMENT ON MACRO smoothed IS 'a probability after 1e-6 is added to each of size bins, so that KL divergences are finite';

CREATE MACRO dataset_divergences(source_whole, target_whole, options) AS TABLE
    WITH bin AS (
        SELECT
            s.owner AS dataset_id,
            len(s.roots) AS size,
            unnest(s.roots) ** 2 AS p,
            unnest(t.roots) ** 2 AS q
        FROM query_table(source_whole) AS s
        JOIN query_table(target_whole) AS t USING (space_id)
    )
    SELECT
        dataset_id,
        sum(js_term(p, q)) AS js_divergence,
        sum(kl_term(smoothed(q, size), smoothed(p, size))) AS kl_target_source,
        sum(kl_term(smoothed(p, size), smoothed(q, size))) AS kl_source_target
    FROM bin
    GROUP BY dataset_id
    HAVING js_divergence <= (SELECT max_divergence FROM query_table(options))
    ORDER BY js_divergence, dataset_id
    LIMIT (SELECT max_candidates FROM settings);
COMMENT ON MACRO TABLE dataset_divergences IS 'a dataset whose partitions are to be compared: its divergences from the target as a whole (one partition)';

CREATE MACRO centre_distances(matches, target_sketch) AS TABLE
    SELECT m.dataset_id, sqrt(sum((s.mean - t.mean) ** 2)) AS l2_distance
    FROM query_table(matches) AS m
    JOIN query_table(target_sketch) AS t ON t.feature_id = m.target_feature_id
    JOIN features AS s ON s.dataset_id = m.dataset_id AND s.feature_id = m.feature_id
    WHERE isfinite(s.mean) AND isfinite(t.mean)
    GROUP BY m.dataset_id;
COMMENT ON MACRO TABLE centre_distances IS 'a dataset and the Euclidean distance of its centre from the target''s, over shared numbers and times';
