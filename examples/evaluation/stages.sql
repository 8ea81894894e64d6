-- The stages of find_models (sql/ of this repository) up to the divergence of every pair of partitions,
-- without a threshold: what any threshold, and rankings without one, can be computed from.
-- Reads the relations evaluation_sketch (FROM sketch(...)) and evaluation_options (FROM search_options(...)).
CREATE OR REPLACE TEMP TABLE evaluation_matches AS FROM feature_matches('evaluation_sketch', 'evaluation_options');
CREATE OR REPLACE TEMP TABLE evaluation_related AS FROM dataset_overlap('evaluation_matches', 'evaluation_sketch', 'evaluation_options');
CREATE OR REPLACE TEMP TABLE evaluation_spaces AS FROM dataset_spaces('evaluation_matches', 'evaluation_related');
CREATE OR REPLACE TEMP TABLE evaluation_axis AS FROM space_axis('evaluation_spaces', 'evaluation_sketch', 'evaluation_options');
CREATE OR REPLACE TEMP TABLE evaluation_floors AS FROM sampling_floors('evaluation_spaces', 'evaluation_sketch', 'evaluation_options');
CREATE OR REPLACE TEMP TABLE evaluation_source_members AS FROM source_space_members('evaluation_spaces', 'evaluation_matches');
CREATE OR REPLACE TEMP TABLE evaluation_target_members AS FROM target_space_members('evaluation_spaces', 'evaluation_sketch');

CREATE OR REPLACE TEMP TABLE evaluation_source_vectors AS
    WITH source_partitions AS (
        SELECT dataset_id AS owner, feature_id, partition_id, counts
        FROM histograms
        SEMI JOIN evaluation_related USING (dataset_id)
    )
    FROM space_vectors('evaluation_source_members', 'source_partitions', 'evaluation_axis', 'evaluation_options');
CREATE OR REPLACE TEMP TABLE evaluation_target_vectors AS
    WITH target_partitions AS (SELECT 0 AS owner, feature_id, partition_id, counts FROM sketched_histograms('evaluation_sketch'))
    FROM space_vectors('evaluation_target_members', 'target_partitions', 'evaluation_axis', 'evaluation_options');
CREATE OR REPLACE TEMP TABLE evaluation_pairs AS
    SELECT
        row_number() OVER () AS pair_id,
        s.owner, s.space_id, s.partition_id AS source_partition, t.partition_id AS target_partition
    FROM evaluation_source_vectors AS s
    JOIN evaluation_target_vectors AS t USING (space_id);
CREATE OR REPLACE TEMP TABLE evaluation_divergences AS
    FROM pair_divergences('evaluation_pairs', 'evaluation_source_vectors', 'evaluation_target_vectors');

CREATE OR REPLACE TEMP TABLE evaluation_source_whole AS
    WITH source_totals AS (
        SELECT dataset_id AS owner, feature_id, 0 AS partition_id, counts FROM features SEMI JOIN evaluation_related USING (dataset_id)
    )
    FROM space_vectors('evaluation_source_members', 'source_totals', 'evaluation_axis', 'evaluation_options');
CREATE OR REPLACE TEMP TABLE evaluation_target_whole AS
    WITH target_totals AS (SELECT 0 AS owner, feature_id, 0 AS partition_id, counts FROM evaluation_sketch)
    FROM space_vectors('evaluation_target_members', 'target_totals', 'evaluation_axis', 'evaluation_options');
