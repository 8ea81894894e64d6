-- a space and the JS divergence to expect between two partitions of the target itself, (B - 1) / (4 n)
SELECT
    space_id,
    _logic.settled(CASE (SELECT options.sample_space FROM options)
        WHEN 'aligned' THEN avg((len(list_distinct(s.bins)) - 1) * _logic.whole_partitions(t.rows) / (4 * t."values"))
        ELSE (len(list_distinct(flatten(list(s.bins)))) - 1) * max(_logic.whole_partitions(t.rows)) / (4 * sum(t."values"))
    END) AS sampling_floor
FROM space_slot AS s
JOIN target_sketch AS t USING (feature_id)
GROUP BY space_id
