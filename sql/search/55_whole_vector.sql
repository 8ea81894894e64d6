-- a distribution over a space, as the list of its square roots: here of a dataset, or of the target, as a whole
WITH slot_bins AS MATERIALIZED (
    SELECT space_id, slot, list(bin ORDER BY position ASC) FILTER (bin <> _logic.missing_bin()) AS bins FROM space_axis GROUP BY ALL
),
aligned_member AS (
    SELECT
        m.owner, m.space_id, m.feature_id, m.slot, m.slots,
        list_transform(a.bins, lambda b: coalesce(list_position(m.bins, b), 0)) AS gather
    FROM space_member AS m
    JOIN slot_bins AS a USING (space_id, slot)
    WHERE (SELECT options.sample_space FROM options) = 'aligned'
),
aligned_slot AS (
    SELECT
        m.owner, m.space_id, h.partition_id, m.slot,
        m.gather, h.counts,
        greatest(list_sum(h.counts), 1) * m.slots AS total,
        CASE WHEN len(h.counts) = 0 THEN sqrt(1 / m.slots) ELSE 0 END AS missing_root
    FROM aligned_member AS m
    JOIN whole_histogram AS h ON h.owner = m.owner AND h.feature_id = m.feature_id
),
flattened_bin AS (
    SELECT m.owner, m.space_id, h.partition_id, unnest(m.bins) AS bin, unnest(h.counts) AS occurrences
    FROM space_member AS m
    JOIN whole_histogram AS h ON h.owner = m.owner AND h.feature_id = m.feature_id
    WHERE (SELECT options.sample_space FROM options) = 'flattened' AND len(h.counts) > 0
),
flattened_mass AS (
    SELECT owner, space_id, partition_id, bin, sum(occurrences) AS occurrences FROM flattened_bin GROUP BY ALL
),
flattened AS (
    SELECT
        owner, space_id, partition_id,
        list(bin ORDER BY bin ASC) AS bins, list(occurrences ORDER BY bin ASC) AS counts, sum(occurrences) AS total
    FROM flattened_mass
    GROUP BY owner, space_id, partition_id
),
inside AS (
    SELECT owner, space_id, partition_id, flatten(list(
        list_append(list_transform(list_select(counts, gather), lambda n: sqrt(coalesce(n, 0) / total)), missing_root)
        ORDER BY slot ASC
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
FROM inside
