-- a partition of a dataset that matches a partition of the target, JS <= t (Def. 2)
-- All pairs (search exact) are compared straight from the histograms; only what is hashed becomes vectors in SQL.
WITH compared_member AS MATERIALIZED (
    SELECT
        owner, space_id::UINTEGER AS space_id, feature_id::UINTEGER AS feature_id, slot, bins,
        (row_number() OVER (PARTITION BY owner, space_id ORDER BY slot ASC, feature_id ASC) - 1)::UINTEGER AS number
    FROM reachable_member
    WHERE (SELECT search_method.search FROM search_method) = 'exact'
),
compared_space AS (
    SELECT
        owner, space_id, list(feature_id ORDER BY number ASC) AS feature_ids, list(bins ORDER BY number ASC) AS bins,
        list(slot ORDER BY number ASC) AS slots
    FROM compared_member
    GROUP BY owner, space_id
),
source_histogram AS (
    SELECT {
        owner: list(m.owner::UINTEGER), number: list(m.number), partition_id: list(h.partition_id), counts: list(h.counts)
    } AS histograms
    FROM compared_member AS m
    JOIN partition_histogram AS h ON h.owner = m.owner AND h.feature_id = m.feature_id
    WHERE m.owner <> 0
    HAVING count(*) > 0
),
target_side AS (
    SELECT {feature_id: list(feature_id::UINTEGER), partition_id: list(partition_id), counts: list(counts)} AS histograms
    FROM target_histogram
),
slot_bins AS (
    SELECT space_id::UINTEGER AS space_id, slot, list(bin ORDER BY position ASC) AS bins
    FROM space_axis
    SEMI JOIN reachable_space USING (space_id)
    GROUP BY ALL
),
space_bins AS (
    SELECT space_id, list(bins ORDER BY slot ASC) AS bins, list(slot ORDER BY slot ASC) AS slots FROM slot_bins GROUP BY space_id
),
compared_dataset AS (
    SELECT list({
        owner: s.owner::UINTEGER, space_id: s.space_id, bins: s.bins, slots: s.slots,
        target_features: t.feature_ids, target_bins: t.bins, target_slots: t.slots, axis: a.bins, axis_slots: a.slots
    } ORDER BY s.space_id ASC, s.owner ASC) AS datasets
    FROM compared_space AS s
    JOIN compared_space AS t ON t.space_id = s.space_id AND t.owner = 0
    JOIN space_bins AS a ON a.space_id = s.space_id
    WHERE s.owner <> 0
    HAVING count(*) > 0
),
compared AS (
    SELECT unnest(modelhub_matches(
        d.datasets, s.histograms, t.histograms,
        (SELECT options.sample_space = 'aligned' FROM options), (SELECT threshold.max_js FROM threshold)
    )) AS pair
    FROM compared_dataset AS d, source_histogram AS s, target_side AS t
)
SELECT pair.owner, pair.source_partition, pair.target_partition, pair.hellinger2 FROM compared
UNION ALL
FROM verified_pair
