-- a bin of a feature in a partition and its occurrences as they are kept: of min_count values at least, rounded to round_counts; bin NULL counts what is missing
WITH exact AS NOT MATERIALIZED (
    SELECT partition_id, feature_id, bin, occurrences
    FROM fine_element
    ANTI JOIN coarsening USING (feature_id)
    UNION ALL
    SELECT partition_id, feature_id, _logic.number_bin(bin, k, b) AS bin, sum(occurrences)::UBIGINT AS occurrences
    FROM fine_element
    JOIN coarsening USING (feature_id)
    GROUP BY ALL
),
counted AS (
    SELECT
        partition_id, feature_id, bin, occurrences,
        sum(occurrences) OVER (PARTITION BY feature_id, bin) AS n,
        dense_rank() OVER (PARTITION BY feature_id ORDER BY bin ASC NULLS LAST) AS place
    FROM exact
),
-- Rounded is the sum over the partitions, so that they still add up to the whole. It begins at another partition for each bin:
-- no partition has the rare bins of all.
summed AS (
    SELECT
        c.partition_id, c.feature_id, c.bin, c.occurrences,
        sum(c.occurrences) OVER (
            PARTITION BY c.feature_id, c.bin
            ORDER BY (c.partition_id + floor(c.place * 0.6180339887498949e0 % 1 * p.partitions)::BIGINT) % (p.partitions + 1) ASC
        )::BIGINT AS until
    FROM counted AS c
    JOIN dataset_column AS d ON d.feature_id = c.feature_id
    JOIN row_permutation AS p ON p.dataset_number = d.dataset_number
    WHERE c.n >= _format.min_count()
),
rounded AS (
    SELECT
        partition_id, feature_id, bin,
        (_logic.rounded_count(until) - _logic.rounded_count(until - occurrences::BIGINT))::UBIGINT AS occurrences
    FROM summed
),
coarse AS NOT MATERIALIZED (
    FROM rounded WHERE occurrences > 0
)
FROM query_table(CASE WHEN _logic.is_exact() THEN 'exact' ELSE 'coarse' END)
