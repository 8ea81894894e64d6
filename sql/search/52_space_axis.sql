-- a position of a space: a bin (or "missing") of a target feature (slot); when flattened all features of a kind are one slot
-- One more position, the last, is everything else: where the target has no mass, merging bins changes neither the
-- Jensen-Shannon nor the Hellinger distance to the target.
WITH slot_bin AS (
    SELECT DISTINCT
        space_id, _logic.slot_of(feature_id, kind, (SELECT options.sample_space FROM options)) AS slot,
        unnest(list_append(list_distinct(bins), _logic.missing_bin())) AS bin
    FROM space_slot
)
SELECT
    space_id, slot, bin,
    row_number() OVER (PARTITION BY space_id, slot ORDER BY bin ASC) AS ordinal,
    row_number() OVER (PARTITION BY space_id ORDER BY slot ASC, bin ASC) AS position
FROM slot_bin
