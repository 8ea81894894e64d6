-- a target feature of a space, its resolution there, and its bins at that resolution
WITH slot AS (
    SELECT space_id, len(slots) AS slots, unnest(slots) AS slot FROM (SELECT DISTINCT space_id, slots FROM dataset_space)
)
SELECT
    s.space_id, s.slots, t.feature_id, t.kind, s.slot.k AS k, s.slot.b AS b,
    CASE WHEN t.k <> s.slot.k OR t.b <> s.slot.b
        THEN list_transform(t.bins, lambda bin: _logic.number_bin(bin, s.slot.k, s.slot.b)) ELSE t.bins END AS bins
FROM slot AS s
JOIN target_feature AS t ON t.feature_id = s.slot.feature_id
