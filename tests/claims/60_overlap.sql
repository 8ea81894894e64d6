-- Claims of sql/60_overlap.sql, on real tables.

CREATE TEMP TABLE defaults AS FROM search_options();
CREATE TEMP TABLE torso AS FROM sketch('data/torso1.parquet', exclude := ['activity']);
CREATE TEMP TABLE torso_matches AS FROM feature_matches('torso', 'defaults');

SELECT 'a target feature is matched at most once in a dataset, and so is a feature of the dataset',
    count(*) = count(DISTINCT (dataset_id, target_feature_id)) AND count(*) = count(DISTINCT (dataset_id, feature_id)) AND count(*) > 8
FROM torso_matches;

SELECT 'every match is above the least Jaccard similarity', bool_and(jaccard > min_jaccard AND jaccard <= 1) FROM torso_matches, defaults;

SELECT 'a dataset matches itself wholly', count(*) = 8 AND bool_and(m.jaccard = 1 AND s.feature = t.feature)
FROM torso_matches AS m
JOIN models AS model USING (dataset_id)
JOIN features AS s USING (dataset_id, feature_id)
JOIN torso AS t ON t.feature_id = m.target_feature_id
WHERE model.model = 'torso1';

SELECT 'features of one name and kind are compared at once', count(*) = (
    SELECT count(*) FROM features AS s JOIN torso AS t ON lower(s.feature) = lower(t.feature) AND s.kind = t.kind
)
FROM named_candidates('torso', 'datasets');

SELECT 'overlap is the share of the target''s features that is matched', bool_and(overlap = shared_features / 8 AND overlap > min_overlap)
FROM dataset_overlap('torso_matches', 'torso', 'defaults'), defaults;

WITH matched AS (SELECT 1 AS dataset_id, unnest([1, 2, 3, 4]) AS target_feature_id),
half AS (FROM search_options(min_overlap := 0.5))
SELECT 'an overlap of exactly the threshold is not above it', count(*) = 0 FROM dataset_overlap('matched', 'torso', 'half');

-- Element by element: a bin's replicas are the elements "bin:1", "bin:2" and so on of a set.
WITH pair AS (
    SELECT t.feature_id AS target_feature_id, s.* FROM torso AS t CROSS JOIN features AS s WHERE s.kind = t.kind
),
source AS (SELECT dataset_id * 1000 + feature_id AS feature_id, bins, counts, "values" FROM features),
source_element AS (SELECT feature_id // 1000 AS dataset_id, feature_id % 1000 AS feature_id, hash FROM minhash_elements('source')),
target_element AS (SELECT feature_id AS target_feature_id, hash FROM minhash_elements('torso')),
common AS (SELECT target_feature_id, dataset_id, feature_id, count(*) AS n FROM source_element JOIN target_element USING (hash) GROUP BY ALL),
expected AS (
    SELECT target_feature_id, dataset_id, feature_id, n / (s.size + t.size - n) AS jaccard
    FROM common
    JOIN (SELECT dataset_id, feature_id, count(*) AS size FROM source_element GROUP BY ALL) AS s USING (dataset_id, feature_id)
    JOIN (SELECT target_feature_id, count(*) AS size FROM target_element GROUP BY ALL) AS t USING (target_feature_id)
)
SELECT 'the Jaccard similarity of features is that of their sets of MinHash elements',
    bool_and(abs(f.jaccard - e.jaccard) < 1e-12) AND count(*) = (SELECT count(*) FROM expected) AND count(*) > 100
FROM feature_similarities('pair', 'torso') AS f
JOIN expected AS e USING (target_feature_id, dataset_id, feature_id);

WITH pair AS (
    SELECT t.feature_id AS target_feature_id, s.* FROM torso AS t CROSS JOIN features AS s WHERE s.kind = t.kind
),
dense AS (
    SELECT
        target_feature_id, dataset_id, feature_id,
        list_transform(range(2048), lambda b: coalesce(s.counts[list_position(s.bins, b)], 0) / s."values") AS p,
        list_transform(range(2048), lambda b: coalesce(t.counts[list_position(t.bins, b)], 0) / t."values") AS q
    FROM pair
    JOIN features AS s USING (dataset_id, feature_id)
    JOIN torso AS t ON t.feature_id = target_feature_id
)
SELECT 'the JS divergence of features is that of their distributions', bool_and(abs(f.js_divergence - js_divergence(p, q)) < 1e-9) AND count(*) > 100
FROM feature_similarities('pair', 'torso') AS f
JOIN dense USING (target_feature_id, dataset_id, feature_id);

WITH none AS (SELECT 0 AS target_feature_id, 0 AS dataset_id, 0 AS feature_id WHERE false),
open AS (FROM open_candidates('torso', 'none', 'datasets')),
pair AS (SELECT t.feature_id AS target_feature_id, s.* FROM torso AS t CROSS JOIN features AS s WHERE s.kind = t.kind),
resembling AS (FROM feature_similarities('pair', 'torso') WHERE jaccard > 0.15)
SELECT 'bands propose the similar features', count(o.feature_id) / count(*) >= 0.98 AND count(*) > 100
FROM resembling AS s LEFT JOIN open AS o USING (target_feature_id, dataset_id, feature_id);

WITH named AS (SELECT target_feature_id, dataset_id, feature_id FROM torso_matches WHERE target_feature_id > few_features())
SELECT 'where few features are open, all of a kind are proposed',
    count(*) = (
        SELECT count(*)
        FROM (SELECT dataset_id, feature_id AS target_feature_id, kind FROM datasets CROSS JOIN torso ANTI JOIN named ON named.dataset_id = datasets.dataset_id AND named.target_feature_id = torso.feature_id) AS t
        JOIN (FROM features ANTI JOIN named USING (dataset_id, feature_id)) AS s USING (dataset_id, kind)
        SEMI JOIN (SELECT dataset_id FROM named GROUP BY ALL HAVING count(*) >= 8 - few_features()) AS d USING (dataset_id)
    )
FROM open_candidates('torso', 'named', 'datasets')
SEMI JOIN (SELECT dataset_id FROM named GROUP BY ALL HAVING count(*) >= 8 - few_features()) AS d USING (dataset_id);

WITH pair AS (
    SELECT *, 0.1 AS js_divergence FROM (VALUES (1, 7, 1, 0.9), (1, 7, 2, 0.8), (2, 7, 1, 0.8), (2, 7, 2, 0.3), (3, 7, 3, 0.05)) AS v(target_feature_id, dataset_id, feature_id, jaccard)
),
chosen AS (FROM search_options(min_jaccard := 0.1)),
matched AS (FROM greedy_matches('pair', 'chosen'))
SELECT 'the best pair is matched first, then the best of what is left; none below the threshold',
    list((target_feature_id, feature_id) ORDER BY target_feature_id) = [(1, 1), (2, 2)]
FROM matched;

WITH pair AS (
    SELECT i AS target_feature_id, 7 AS dataset_id, j AS feature_id, 0.5 AS jaccard, 0.1 AS js_divergence FROM range(1, 4) AS a(i), range(1, 4) AS b(j)
),
chosen AS (FROM search_options(min_jaccard := 0.1)),
matched AS (FROM greedy_matches('pair', 'chosen'))
SELECT 'ties are matched in order', list((target_feature_id, feature_id) ORDER BY target_feature_id) = [(1, 1), (2, 2), (3, 3)]
FROM matched;
