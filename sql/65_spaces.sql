-- Step 2 begins (section 3.5, "dynamic"): partitions as distributions over the shared features only.
--
-- Datasets that share the same target features share a *space*. Its positions are the bins that
-- the target occupies there (of each feature when aligned, of all features together when
-- flattened) and one last position for everything else: where the target has no mass, merging
-- bins changes neither the Jensen-Shannon nor the Hellinger distance to the target.
-- A distribution P is kept as its roots, the list of sqrt(P) over the positions.

CREATE MACRO dataset_spaces(matches, related) AS TABLE
    WITH shared AS (
        SELECT dataset_id, list(target_feature_id ORDER BY target_feature_id) AS slots
        FROM query_table(matches)
        SEMI JOIN query_table(related) USING (dataset_id)
        GROUP BY dataset_id
    )
    SELECT dataset_id, dense_rank() OVER (ORDER BY slots) AS space_id, slots FROM shared;
COMMENT ON MACRO TABLE dataset_spaces IS 'a dataset and the space that it is compared in: the set of shared target features';

CREATE MACRO space_axis(spaces, target_sketch, options) AS TABLE
    WITH slot AS (
        SELECT DISTINCT space_id, unnest(slots) AS feature_id FROM query_table(spaces)
    ),
    slot_bin AS (
        SELECT DISTINCT
            space_id,
            CASE (SELECT sample_space FROM query_table(options)) WHEN 'aligned' THEN feature_id ELSE 0 END AS slot,
            unnest(list_append(bins, missing_bin())) AS bin
        FROM slot
        JOIN query_table(target_sketch) USING (feature_id)
    )
    SELECT space_id, slot, bin, row_number() OVER (PARTITION BY space_id ORDER BY slot, bin) AS position FROM slot_bin;
COMMENT ON MACRO TABLE space_axis IS 'a position of a space: a bin (or "missing") of a target feature (slot); all features are slot 0 when flattened';

CREATE MACRO source_space_members(spaces, matches) AS TABLE
    SELECT
        s.dataset_id AS owner, s.space_id, f.feature_id, m.target_feature_id AS slot,
        len(s.slots) AS slots, f.bins
    FROM query_table(spaces) AS s
    JOIN query_table(matches) AS m USING (dataset_id)
    JOIN features AS f USING (dataset_id, feature_id);
COMMENT ON MACRO TABLE source_space_members IS 'a shared feature of a dataset (owner) in its space, and the target feature (slot) that it matches';

CREATE MACRO target_space_members(spaces, target_sketch) AS TABLE
    WITH slot AS (
        SELECT DISTINCT space_id, len(slots) AS slots, unnest(slots) AS feature_id FROM query_table(spaces)
    )
    SELECT 0 AS owner, space_id, feature_id, feature_id AS slot, slots, bins
    FROM slot
    JOIN query_table(target_sketch) USING (feature_id);
COMMENT ON MACRO TABLE target_space_members IS 'a feature of the target in a space; the target is owner 0 of every space';

CREATE MACRO space_vectors(members, histograms, axis, options) AS TABLE
    WITH slot_bins AS MATERIALIZED (
        SELECT space_id, slot, list(bin ORDER BY position) FILTER (bin <> missing_bin()) AS bins FROM query_table(axis) GROUP BY ALL
    ),
    aligned_member AS (
        SELECT
            m.owner, m.space_id, m.feature_id, m.slot, m.slots,
            list_transform(a.bins, lambda b: coalesce(list_position(m.bins, b), 0)) AS gather
        FROM query_table(members) AS m
        JOIN slot_bins AS a USING (space_id, slot)
        WHERE (SELECT sample_space FROM query_table(options)) = 'aligned'
    ),
    aligned_slot AS (
        SELECT
            m.owner, m.space_id, h.partition_id, m.slot,
            m.gather, h.counts,
            greatest(list_sum(h.counts), 1) * m.slots AS total,
            CASE WHEN len(h.counts) = 0 THEN sqrt(1 / m.slots) ELSE 0 END AS missing_root
        FROM aligned_member AS m
        JOIN query_table(histograms) AS h ON h.owner = m.owner AND h.feature_id = m.feature_id
    ),
    flattened_bin AS (
        SELECT m.owner, m.space_id, h.partition_id, unnest(m.bins) AS bin, unnest(h.counts) AS occurrences
        FROM query_table(members) AS m
        JOIN query_table(histograms) AS h ON h.owner = m.owner AND h.feature_id = m.feature_id
        WHERE (SELECT sample_space FROM query_table(options)) = 'flattened' AND len(h.counts) > 0
    ),
    flattened_mass AS (
        SELECT owner, space_id, partition_id, bin, sum(occurrences) AS occurrences FROM flattened_bin GROUP BY ALL
    ),
    flattened AS (
        SELECT
            owner, space_id, partition_id,
            list(bin) AS bins, list(occurrences) AS counts, sum(occurrences) AS total
        FROM flattened_mass
        GROUP BY owner, space_id, partition_id
    ),
    inside AS (
        SELECT owner, space_id, partition_id, flatten(list(
            list_append(list_transform(list_select(counts, gather), lambda n: sqrt(coalesce(n, 0) / total)), missing_root)
            ORDER BY slot
        )) AS roots
        FROM aligned_slot
        GROUP BY owner, space_id, partition_id
        UNION ALL
        SELECT
            owner, space_id, partition_id,
            list_append(list_transform(
                list_select(f.counts, list_transform(a.bins, lambda b: coalesce(list_position(f.bins, b), 0))),
                lambda n: sqrt(coalesce(n, 0) / f.total)
            ), 0::DOUBLE)
        FROM flattened AS f
        JOIN slot_bins AS a USING (space_id)
    )
    SELECT
        owner, space_id, partition_id,
        list_append(roots, sqrt(greatest(0, 1 - list_inner_product(roots, roots)))) AS roots
    FROM inside;
COMMENT ON MACRO TABLE space_vectors IS 'a distribution (of a partition or a whole dataset) over a space, as its square roots';
