-- a distribution over a space, as the list of its square roots: here of a dataset, or of the target, as a whole
WITH slot_bins AS MATERIALIZED (
    SELECT space_id, slot, list(bin ORDER BY position ASC) FILTER (NOT isnan(bin)) AS bins FROM space_axis GROUP BY ALL
),
aligned_member AS (
    SELECT
        m.owner, m.space_id, m.feature_id, m.slot, m.slots, m.is_finer,
        list_transform(a.bins, lambda b: coalesce(list_position(m.bins, b), 0)) AS gather,
        -- Several bins of the finer side may fall into one.
        CASE WHEN m.is_finer THEN
            list_transform(a.bins, lambda b: list_filter(range(1, len(m.bins) + 1), lambda i: m.bins[i] = b))
        END AS gathers
    FROM space_member AS m
    JOIN slot_bins AS a USING (space_id, slot)
    WHERE (SELECT options.sample_space FROM options) = 'aligned'
),
aligned_slot AS (
    SELECT
        m.owner, m.space_id, h.partition_id, m.slot,
        CASE
            WHEN len(h.counts) = 0 OR NOT m.is_finer THEN list_select(h.counts, m.gather)
            ELSE list_transform(m.gathers, lambda places: list_sum(list_select(h.counts, places)))
        END AS counts,
        greatest(list_sum(h.counts), 1) * m.slots AS total,
        CASE WHEN len(h.counts) = 0 THEN sqrt(1 / m.slots) ELSE 0 END AS missing_root
    FROM aligned_member AS m
    JOIN whole_histogram AS h ON h.owner = m.owner AND h.feature_id = m.feature_id
),
flattened_bin AS (
    SELECT m.owner, m.space_id, h.partition_id, m.slot, unnest(m.bins) AS bin, unnest(h.counts) AS occurrences
    FROM space_member AS m
    JOIN whole_histogram AS h ON h.owner = m.owner AND h.feature_id = m.feature_id
    WHERE (SELECT options.sample_space FROM options) = 'flattened' AND len(h.counts) > 0
),
flattened_total AS (
    SELECT owner, space_id, partition_id, sum(occurrences) AS total FROM flattened_bin GROUP BY ALL
),
flattened_slot AS (
    SELECT owner, space_id, partition_id, slot, list(bin ORDER BY bin ASC) AS bins, list(occurrences ORDER BY bin ASC) AS counts
    FROM (
        SELECT owner, space_id, partition_id, slot, bin, sum(occurrences) AS occurrences FROM flattened_bin GROUP BY ALL
    )
    GROUP BY ALL
),
inside AS (
    SELECT owner, space_id, partition_id, flatten(list(
        list_append(list_transform(counts, lambda n: sqrt(coalesce(n, 0) / total)), missing_root)
        ORDER BY slot ASC
    )) AS roots
    FROM aligned_slot
    GROUP BY owner, space_id, partition_id
    UNION ALL
    SELECT
        t.owner, t.space_id, t.partition_id,
        flatten(list(list_append(list_transform(
            CASE
                WHEN f.counts IS NULL THEN list_transform(a.bins, lambda b: 0)
                ELSE list_select(f.counts, list_transform(a.bins, lambda b: coalesce(list_position(f.bins, b), 0)))
            END,
            lambda n: sqrt(coalesce(n, 0) / t.total)
        ), 0::DOUBLE) ORDER BY a.slot ASC))
    FROM flattened_total AS t
    JOIN slot_bins AS a USING (space_id)
    LEFT JOIN flattened_slot AS f USING (owner, space_id, partition_id, slot)
    GROUP BY t.owner, t.space_id, t.partition_id
)
SELECT
    owner, space_id, partition_id,
    list_append(roots, sqrt(greatest(0, 1 - list_inner_product(roots, roots)))) AS roots
FROM inside
