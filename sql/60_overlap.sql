-- Step 1, overlap search (section 3.4, Def. 3): which features of which dataset are equivalent
-- to which features of the target, one to one: same name first, then best Jaccard, then order.
-- Features of the same name are compared at once; the others only in datasets that may still be
-- among the nearest, and there only where they share a MinHash band, or where a few are left over.
-- Every pair is verified by the Jaccard similarity of the replicated bins, so that no wrong one gets through.

CREATE MACRO named_candidates(target_sketch, among) AS TABLE
    SELECT t.feature_id AS target_feature_id, s.dataset_id, s.feature_id, s.bins, s.counts, s."values", s.elements
    FROM query_table(target_sketch) AS t
    JOIN features AS s ON folded(s.feature) = folded(t.feature) AND s.kind = t.kind
    SEMI JOIN query_table(among) AS a ON a.dataset_id = s.dataset_id;
COMMENT ON MACRO TABLE named_candidates IS 'a feature of a dataset that has the name and kind of a feature of the target, with its histogram';

CREATE MACRO feature_similarities(candidates, target_sketch) AS TABLE
    WITH target_scaled AS (
        SELECT feature_id, bins, counts, "values", elements, replica_scale(counts, "values") AS scale FROM query_table(target_sketch)
    ),
    target_count AS (
        SELECT feature_id AS target_feature_id, unnest(bins) AS bin, unnest(counts) AS n, "values", elements, scale FROM target_scaled
    ),
    target_bin AS MATERIALIZED (
        SELECT
            target_feature_id, bin, n / "values" AS q, negentropy(n / "values") AS q_entropy,
            round(scale * sqrt(n))::INTEGER AS replicas, elements
        FROM target_count
    ),
    -- A pair as one number: one column to group millions of bins by is much faster than three.
    source_scaled AS (
        SELECT
            target_feature_id,
            (dataset_id::UBIGINT << 32) | (feature_id::UBIGINT << 16) | target_feature_id AS pair,
            bins, counts, "values", elements, replica_scale(counts, "values") AS scale
        FROM query_table(candidates)
    ),
    source_bin AS (
        SELECT target_feature_id, pair, unnest(bins) AS bin, unnest(counts) AS n, "values", elements, scale FROM source_scaled
    ),
    common_bin AS (
        SELECT
            pair, s.n / s."values" AS p, t.q, t.q_entropy,
            least(round(s.scale * sqrt(s.n))::INTEGER, t.replicas) AS replicas,
            s.elements + t.elements AS both_elements
        FROM source_bin AS s
        JOIN target_bin AS t USING (target_feature_id, bin)
    ),
    common AS (
        SELECT
            pair, sum(replicas) AS intersection, any_value(both_elements) AS both_elements,
            sum(negentropy(p) + q_entropy - negentropy(p + q)) AS entropy_gain
        FROM common_bin
        GROUP BY pair
    )
    SELECT
        (pair & 65535)::USMALLINT AS target_feature_id,
        (pair >> 32)::UINTEGER AS dataset_id,
        ((pair >> 16) & 65535)::USMALLINT AS feature_id,
        intersection / (both_elements - intersection) AS jaccard,
        -- Eq. 2.1 in sums of p ln p: what only one side has cancels.
        greatest(0, ln(2) + entropy_gain / 2) AS js_divergence
    FROM common;
COMMENT ON MACRO TABLE feature_similarities IS 'a candidate pair of features: Jaccard similarity of their replicated bins and JS divergence of their distributions';

CREATE MACRO named_matches(similarities, options) AS TABLE
    FROM query_table(similarities) WHERE jaccard > (SELECT min_jaccard FROM query_table(options));
COMMENT ON MACRO TABLE named_matches IS 'a feature that is equivalent to the target''s feature of its name';

CREATE MACRO possible_datasets(matches, target_sketch, options, among) AS TABLE
    WITH tally AS (
        SELECT dataset_id, count(js_divergence) AS matched, coalesce(sum(js_divergence), 0) AS js_sum
        FROM query_table(among)
        LEFT JOIN query_table(matches) USING (dataset_id)
        GROUP BY dataset_id
    ),
    -- Aligned, the dataset's JS is the mean of its features'; what is not matched yet may turn out
    -- to be equal (0) or all different (ln 2).
    bounds AS MATERIALIZED (
        SELECT
            dataset_id, matched / features AS least_overlap,
            js_sum / features AS least_js, (js_sum + (features - matched) * ln(2)) / features AS most_js
        FROM tally, (SELECT count(*) AS features FROM query_table(target_sketch))
    ),
    nearest AS (
        SELECT most_js
        FROM bounds
        WHERE least_overlap > (SELECT min_overlap FROM query_table(options))
        ORDER BY most_js
        LIMIT (SELECT max_candidates FROM settings)
    ),
    farthest AS (
        SELECT CASE WHEN count(*) = (SELECT max_candidates FROM settings) THEN max(most_js) ELSE 1 END AS js_divergence FROM nearest
    )
    SELECT dataset_id
    FROM bounds
    WHERE least_js <= (SELECT js_divergence FROM farthest)
        OR (SELECT sample_space FROM query_table(options)) = 'flattened';
COMMENT ON MACRO TABLE possible_datasets IS 'a dataset that its features of the same name leave a chance to be among the max_candidates nearest';

CREATE MACRO few_features() AS 4;
COMMENT ON MACRO few_features IS 'unmatched features of the target up to which it is faster to compare them all than to look up bands';

CREATE MACRO open_candidates(target_sketch, matches, among) AS TABLE
    WITH open_target AS MATERIALIZED (
        SELECT
            d.dataset_id, t.feature_id AS target_feature_id, t.kind,
            count(*) OVER (PARTITION BY d.dataset_id) > few_features() AS many
        FROM query_table(among) AS d
        CROSS JOIN query_table(target_sketch) AS t
        ANTI JOIN query_table(matches) AS m ON m.dataset_id = d.dataset_id AND m.target_feature_id = t.feature_id
    ),
    open_source AS MATERIALIZED (
        SELECT f.dataset_id, f.feature_id, f.kind
        FROM features AS f
        SEMI JOIN open_target USING (dataset_id)
        ANTI JOIN query_table(matches) AS m ON m.dataset_id = f.dataset_id AND m.feature_id = f.feature_id
    ),
    target_signature AS (SELECT feature_id AS target_feature_id, minhash FROM query_table(target_sketch)),
    source_signature AS (
        SELECT f.dataset_id, f.feature_id, f.minhash
        FROM features AS f
        SEMI JOIN open_source USING (dataset_id, feature_id)
        SEMI JOIN (SELECT dataset_id FROM open_target WHERE many) AS wide USING (dataset_id)
    ),
    target_band AS MATERIALIZED (FROM minhash_bands('target_signature')),
    source_band AS (FROM minhash_bands('source_signature')),
    colliding AS (
        SELECT DISTINCT target_feature_id, dataset_id, feature_id
        FROM source_band
        JOIN target_band USING (band, signature)
    )
    SELECT target_feature_id, dataset_id, feature_id
    FROM open_target
    JOIN open_source USING (dataset_id, kind)
    WHERE NOT many
    UNION ALL
    FROM colliding SEMI JOIN open_target USING (dataset_id, target_feature_id);
COMMENT ON MACRO TABLE open_candidates IS 'a feature that shares a MinHash band with a feature of the target (or any, where few are left), both without a match so far';

CREATE MACRO greedy_matches(similarities, options) AS TABLE
    WITH RECURSIVE equivalent AS (
        SELECT
            dataset_id, target_feature_id, feature_id, jaccard, js_divergence,
            row_number() OVER (PARTITION BY dataset_id ORDER BY jaccard DESC, target_feature_id, feature_id) AS preference
        FROM query_table(similarities)
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
            SELECT dataset_id, target_feature_id, feature_id, jaccard, js_divergence, preference
            FROM round
            QUALIFY NOT bool_or(matched) OVER (PARTITION BY dataset_id, target_feature_id)
                AND NOT bool_or(matched) OVER (PARTITION BY dataset_id, feature_id)
        )
    )
    SELECT target_feature_id, dataset_id, feature_id, jaccard, js_divergence FROM round WHERE matched;
COMMENT ON MACRO TABLE greedy_matches IS 'an equivalent feature, one to one: the best pair of all first, then the best of what is left';

CREATE MACRO feature_matches(target_sketch, options, among := 'datasets') AS TABLE
    WITH named AS (FROM named_candidates(target_sketch, among)),
    named_similarities AS (FROM feature_similarities('named', target_sketch)),
    all_same_name AS MATERIALIZED (FROM named_matches('named_similarities', options)),
    possible AS MATERIALIZED (FROM possible_datasets('all_same_name', target_sketch, options, among)),
    same_name AS MATERIALIZED (FROM all_same_name SEMI JOIN possible USING (dataset_id)),
    open AS (FROM open_candidates(target_sketch, 'same_name', 'possible')),
    open_features AS (
        SELECT open.*, f.bins, f.counts, f."values", f.elements FROM open JOIN features AS f USING (dataset_id, feature_id)
    ),
    open_similarities AS MATERIALIZED (FROM feature_similarities('open_features', target_sketch))
    FROM same_name
    UNION ALL
    FROM greedy_matches('open_similarities', options);
COMMENT ON MACRO TABLE feature_matches IS 'a feature of a dataset that may be among the nearest and is shared with the target, one to one: their Jaccard similarity and JS divergence';

CREATE MACRO dataset_overlap(matches, target_sketch, options) AS TABLE
    SELECT dataset_id, count(*) AS shared_features, count(*) / (SELECT count(*) FROM query_table(target_sketch)) AS overlap
    FROM query_table(matches)
    GROUP BY dataset_id
    HAVING overlap > (SELECT min_overlap FROM query_table(options));
COMMENT ON MACRO TABLE dataset_overlap IS 'a dataset that shares more than min_overlap of the target''s features (Def. 3)';
