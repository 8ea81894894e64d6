-- a shared feature of a dataset (owner) in its space, the slot that it matches and its bins at the resolution there; the target is owner 0 of every space
SELECT
    s.dataset_id AS owner, s.space_id, f.feature_id,
    _logic.slot_of(m.target_feature_id, f.kind, (SELECT options.sample_space FROM options)) AS slot,
    len(s.slots) AS slots, coalesce(f.k <> m.k OR f.b <> m.b, false) AS is_finer,
    CASE WHEN is_finer THEN list_transform(f.bins, lambda bin: _logic.number_bin(bin, m.k, m.b)) ELSE f.bins END AS bins
FROM dataset_space AS s
JOIN feature_match AS m USING (dataset_id)
JOIN _hub.features AS f USING (dataset_id, feature_id)
UNION ALL
SELECT
    0 AS owner, space_id, s.feature_id, _logic.slot_of(s.feature_id, s.kind, (SELECT options.sample_space FROM options)), slots,
    coalesce(t.k <> s.k OR t.b <> s.b, false), s.bins
FROM space_slot AS s
JOIN target_feature AS t ON t.feature_id = s.feature_id
