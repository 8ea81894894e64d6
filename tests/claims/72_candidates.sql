-- Claims of sql/72_candidates.sql, on real tables.

CREATE TEMP TABLE by_feature AS FROM search_options(sample_space := 'aligned', min_overlap := 0.1);
CREATE TEMP TABLE all_together AS FROM search_options(sample_space := 'flattened', min_overlap := 0.1);
CREATE TEMP TABLE torso AS FROM sketch('data/torso1.parquet', exclude := ['activity']);
CREATE TEMP TABLE torso_matches AS FROM feature_matches('torso', 'by_feature');
CREATE TEMP TABLE torso_related AS FROM dataset_overlap('torso_matches', 'torso', 'by_feature');
CREATE TEMP TABLE spaces AS FROM dataset_spaces('torso_matches', 'torso_related');
CREATE TEMP TABLE sources AS FROM source_space_members('spaces', 'torso_matches');
CREATE TEMP TABLE targets AS FROM target_space_members('spaces', 'torso');
CREATE TEMP TABLE aligned_axis AS FROM space_axis('spaces', 'torso', 'by_feature');

CREATE TEMP TABLE flattened_axis AS FROM space_axis('spaces', 'torso', 'all_together');
CREATE TEMP TABLE aligned_divergences AS FROM whole_divergences('sources', 'targets', 'aligned_axis', 'torso', 'by_feature');
CREATE TEMP TABLE flattened_divergences AS FROM whole_divergences('sources', 'targets', 'flattened_axis', 'torso', 'all_together');
CREATE TEMP TABLE comparable AS FROM comparable_datasets('torso_matches', 'torso_related', 'by_feature');
CREATE TEMP TABLE comparable_together AS FROM comparable_datasets('torso_matches', 'torso_related', 'all_together');

SELECT 'without bounds every related dataset is a candidate', bool_and(n = (SELECT count(*) FROM torso_related)) AND count(*) = 2
FROM (
    SELECT count(*) AS n FROM candidate_datasets('comparable', 'aligned_divergences', 'by_feature')
    UNION ALL
    SELECT count(*) FROM candidate_datasets('comparable_together', 'flattened_divergences', 'all_together')
);

SELECT 'aligned, the divergence of datasets is the mean of the divergences of their features', bool_and(abs(c.js_divergence - w.js_divergence) < 1e-9) AND count(*) > 2
FROM comparable AS c
JOIN aligned_divergences AS w USING (dataset_id);

SELECT 'flattened, the divergence is that of all features together', bool_and(c.js_divergence = w.js_divergence) AND count(*) > 2
FROM candidate_datasets('comparable_together', 'flattened_divergences', 'all_together') AS c
JOIN flattened_divergences AS w USING (dataset_id);

SELECT 'the dataset itself is nearest, at divergence 0',
    bool_and(abs(js_divergence) < 1e-9 AND abs(kl_target_source) < 1e-9 AND abs(kl_source_target) < 1e-9) AND count(*) = 1
FROM aligned_divergences
SEMI JOIN (FROM models WHERE model = 'torso1') AS m USING (dataset_id);

WITH near AS (FROM search_options(sample_space := 'aligned', min_overlap := 0.1, max_divergence := 0.2)),
every AS (FROM candidate_datasets('comparable', 'aligned_divergences', 'by_feature'))
SELECT 'max_divergence leaves out what is farther', count(*) = (SELECT count(*) FROM every WHERE js_divergence <= 0.2) AND count(*) < (SELECT count(*) FROM every)
FROM candidate_datasets('comparable', 'aligned_divergences', 'near');

SELECT 'the distance of the centres is Euclidean', count(*) = 1 AND bool_and(l2_distance < 1e-9)
FROM centre_distances('torso_matches', 'torso')
SEMI JOIN (FROM models WHERE model = 'torso1') AS m USING (dataset_id);
