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
FROM named_candidates('torso');

SELECT 'overlap is the share of the target''s features that is matched', bool_and(overlap = shared_features / 8 AND overlap > min_overlap)
FROM dataset_overlap('torso_matches', 'torso', 'defaults'), defaults;

WITH matched AS (SELECT 1 AS dataset_id, unnest([1, 2, 3, 4]) AS target_feature_id),
half AS (FROM search_options(min_overlap := 0.5))
SELECT 'an overlap of exactly the threshold is not above it', count(*) = 0 FROM dataset_overlap('matched', 'torso', 'half');

WITH pair AS (
    FROM (VALUES (1, 7, 1, 0.9), (1, 7, 2, 0.8), (2, 7, 1, 0.8), (2, 7, 2, 0.3), (3, 7, 3, 0.05)) AS v(target_feature_id, dataset_id, feature_id, jaccard)
),
chosen AS (FROM search_options(min_jaccard := 0.1)),
matched AS (FROM greedy_matches('pair', 'chosen'))
SELECT 'the best pair is matched first, then the best of what is left; none below the threshold',
    list((target_feature_id, feature_id) ORDER BY target_feature_id) = [(1, 1), (2, 2)]
FROM matched;

WITH pair AS (
    SELECT i AS target_feature_id, 7 AS dataset_id, j AS feature_id, 0.5 AS jaccard FROM range(1, 4) AS a(i), range(1, 4) AS b(j)
),
chosen AS (FROM search_options(min_jaccard := 0.1)),
matched AS (FROM greedy_matches('pair', 'chosen'))
SELECT 'ties are matched in order', list((target_feature_id, feature_id) ORDER BY target_feature_id) = [(1, 1), (2, 2), (3, 3)]
FROM matched;
