-- a position of a space: a bin (or "missing") of a target feature (slot); all features are slot 0 when flattened
-- One more position, the last, is everything else: where the target has no mass, merging bins changes neither the
-- Jensen-Shannon nor the Hellinger distance to the target.
WITH slot AS (
    SELECT DISTINCT space_id, unnest(slots) AS feature_id FROM dataset_space
),
slot_bin AS (
    SELECT DISTINCT
        space_id,
        CASE (SELECT options.sample_space FROM options) WHEN 'aligned' THEN feature_id ELSE 0 END AS slot,
        unnest(list_append(bins, _logic.missing_bin())) AS bin
    FROM slot
    JOIN target_feature USING (feature_id)
)
SELECT space_id, slot, bin, row_number() OVER (PARTITION BY space_id ORDER BY slot ASC, bin ASC) AS position FROM slot_bin
