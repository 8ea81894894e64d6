-- The stages of find_models (sql/ of this repository) up to the divergence of every pair of partitions,
-- without a threshold: what any threshold, and rankings without one, can be computed from.
-- Reads the relations evaluation_sketch (FROM sketch(...)) and evaluation_options (FROM search_options(...)).
-- A row is a source partition and a target partition.
WITH matches AS MATERIALIZED (FROM feature_matches('evaluation_sketch', 'evaluation_options')),
related AS MATERIALIZED (FROM dataset_overlap('matches', 'evaluation_sketch', 'evaluation_options')),
spaces AS MATERIALIZED (FROM dataset_spaces('matches', 'related')),
axis AS MATERIALIZED (FROM space_axis('spaces', 'evaluation_sketch', 'evaluation_options')),
source_members AS MATERIALIZED (FROM source_space_members('spaces', 'matches')),
target_members AS MATERIALIZED (FROM target_space_members('spaces', 'evaluation_sketch')),
source_partitions AS MATERIALIZED (
    SELECT dataset_id AS owner, feature_id, partition_id, counts FROM histograms SEMI JOIN related USING (dataset_id)
),
target_partitions AS (SELECT 0 AS owner, feature_id, partition_id, counts FROM sketched_histograms('evaluation_sketch')),
source_vectors AS MATERIALIZED (FROM space_vectors('source_members', 'source_partitions', 'axis', 'evaluation_options')),
target_vectors AS MATERIALIZED (FROM space_vectors('target_members', 'target_partitions', 'axis', 'evaluation_options')),
pairs AS MATERIALIZED (
    SELECT
        row_number() OVER () AS pair_id,
        s.owner, s.space_id, s.partition_id AS source_partition, t.partition_id AS target_partition
    FROM source_vectors AS s
    JOIN target_vectors AS t USING (space_id)
),
divergence AS MATERIALIZED (FROM pair_divergences('pairs', 'source_vectors', 'target_vectors'))
SELECT model, source_partition, target_partition, js_divergence
FROM pairs
JOIN divergence USING (pair_id)
JOIN models AS m ON m.dataset_id = pairs.owner
ORDER BY ALL
