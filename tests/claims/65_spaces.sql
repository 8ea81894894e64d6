-- Claims of sql/65_spaces.sql, on real tables.

CREATE TEMP TABLE aligned AS FROM search_options(sample_space := 'aligned');
CREATE TEMP TABLE flattened AS FROM search_options(sample_space := 'flattened');
CREATE TEMP TABLE torso AS FROM sketch('data/torso1.parquet', exclude := ['activity']);
CREATE TEMP TABLE torso_matches AS FROM feature_matches('torso', 'aligned');
CREATE TEMP TABLE torso_related AS FROM dataset_overlap('torso_matches', 'torso', 'aligned');
CREATE TEMP TABLE torso_spaces AS FROM dataset_spaces('torso_matches', 'torso_related');

SELECT 'every related dataset has one space', count(*) = count(DISTINCT dataset_id) AND count(*) = (SELECT count(*) FROM torso_related)
FROM torso_spaces;

SELECT 'datasets that share the same features share a space', count(DISTINCT slots) = count(DISTINCT space_id) FROM torso_spaces;

CREATE TEMP TABLE aligned_axis AS FROM space_axis('torso_spaces', 'torso', 'aligned');
CREATE TEMP TABLE flattened_axis AS FROM space_axis('torso_spaces', 'torso', 'flattened');

SELECT 'the positions of a space are counted from 1', bool_and(last = positions)
FROM (SELECT space_id, max(position) AS last, count(DISTINCT position) AS positions FROM aligned_axis GROUP BY space_id);

SELECT 'an aligned space has a slot for each shared feature, a flattened one has one slot',
    (SELECT count(DISTINCT slot) FROM aligned_axis WHERE space_id = 1) = (SELECT len(slots) FROM torso_spaces WHERE space_id = 1 LIMIT 1)
    AND (SELECT count(DISTINCT slot) FROM flattened_axis) = 1;

CREATE TEMP TABLE torso_members AS FROM target_space_members('torso_spaces', 'torso');
CREATE TEMP TABLE torso_partitions AS SELECT 0 AS owner, * FROM sketched_histograms('torso');
CREATE TEMP TABLE aligned_vectors AS FROM space_vectors('torso_members', 'torso_partitions', 'aligned_axis', 'aligned');
CREATE TEMP TABLE flattened_vectors AS FROM space_vectors('torso_members', 'torso_partitions', 'flattened_axis', 'flattened');

SELECT 'every partition of the target is in every space', count(*) = 12 * (SELECT count(DISTINCT space_id) FROM torso_spaces) FROM aligned_vectors;

SELECT 'the squares of the roots are a distribution', bool_and(abs(list_inner_product(roots, roots) - 1) < 1e-9 AND list_min(roots) >= 0)
FROM (FROM aligned_vectors UNION ALL FROM flattened_vectors);

SELECT 'a vector has a root for each position, and one for everything else', bool_and(len(v.roots) = a.positions + 1)
FROM aligned_vectors AS v
JOIN (SELECT space_id, count(*) AS positions FROM aligned_axis GROUP BY space_id) AS a USING (space_id);

SELECT 'the target has nothing outside its own bins', bool_and(roots[-1] < 1e-6) FROM (FROM aligned_vectors UNION ALL FROM flattened_vectors);

WITH mass AS (
    SELECT v.space_id, v.partition_id, a.slot, sum(v.roots[a.position] ** 2) AS mass
    FROM aligned_vectors AS v
    JOIN aligned_axis AS a USING (space_id)
    GROUP BY ALL
)
SELECT 'when aligned, every shared feature weighs the same', bool_and(abs(mass - 1 / len(slots)) < 1e-9)
FROM mass
JOIN (SELECT DISTINCT space_id, slots FROM torso_spaces) USING (space_id);

CREATE TEMP TABLE patchy AS SELECT 1 AS space_id, 1 AS owner, unnest([1, 2]) AS feature_id, unnest([1, 2]) AS slot, 2 AS slots, unnest([[4, 6], [5, 9]]) AS bins;
CREATE TEMP TABLE patchy_axis AS FROM (VALUES (1, 1, 4, 1), (1, 1, 65535, 2), (1, 2, 5, 3), (1, 2, 65535, 4)) AS v(space_id, slot, bin, position);
CREATE TEMP TABLE patchy_histograms AS FROM (VALUES (1, 1, 0, [3, 1]), (1, 2, 0, []::INTEGER[])) AS v(owner, feature_id, partition_id, counts);

SELECT 'a feature without a value has all its mass on missing, and a bin that the target has not is everything else',
    list_transform(roots, lambda r: round(r * r, 9)) = [0.375, 0, 0, 0.5, 0.125]
FROM space_vectors('patchy', 'patchy_histograms', 'patchy_axis', 'aligned');

CREATE TEMP TABLE pool AS SELECT 1 AS space_id, 1 AS owner, unnest([1, 2]) AS feature_id, unnest([1, 2]) AS slot, 2 AS slots, unnest([[4, 6], [4, 7]]) AS bins;
CREATE TEMP TABLE pool_axis AS FROM (VALUES (1, 0, 4, 1), (1, 0, 6, 2), (1, 0, 65535, 3)) AS v(space_id, slot, bin, position);
CREATE TEMP TABLE pool_histograms AS FROM (VALUES (1, 1, 0, [1, 3]), (1, 2, 0, [3, 3])) AS v(owner, feature_id, partition_id, counts);

SELECT 'when flattened, the counts of all features are added bin by bin',
    list_transform(roots, lambda r: round(r * r, 9)) = [0.4, 0.3, 0, 0.3]
FROM space_vectors('pool', 'pool_histograms', 'pool_axis', 'flattened');
