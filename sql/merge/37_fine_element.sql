-- a bin of a feature in a partition and its occurrences, at the resolution of the parts together; bin NULL counts what is missing
WITH listed AS (
    SELECT p.part, p.feature, p.bins, unnest(range(len(p.partitions)))::UINTEGER AS part_partition, unnest(p.partitions) AS counts
    FROM part AS p
),
partition_bin AS (
    SELECT part, feature, part_partition, unnest(bins) AS bin, unnest(counts) AS n FROM listed WHERE len(counts) > 0
),
kept AS (
    SELECT b.part, b.feature, t.partition_id, b.bin, sum(b.n) AS n
    FROM partition_bin AS b
    JOIN part_partition AS t ON t.part = b.part AND t.part_partition = b.part_partition
    WHERE b.n > 0
    GROUP BY ALL
),
-- What is in none of the partitions that are kept counts in the whole.
counted AS (
    SELECT part, feature, unnest(bins) AS bin, unnest(counts) AS n FROM part
),
other AS (
    SELECT c.part, c.feature, c.bin, c.n - coalesce(k.n, 0) AS n
    FROM counted AS c
    LEFT JOIN (SELECT part, feature, bin, sum(n) AS n FROM kept GROUP BY ALL) AS k USING (part, feature, bin)
),
missing AS (
    SELECT c.feature, coalesce(p.nulls, s.rows) AS n
    FROM dataset_column AS c
    CROSS JOIN part_size AS s
    LEFT JOIN part AS p ON p.part = s.part AND p.feature = c.feature
),
every AS (
    SELECT feature, partition_id, bin, n FROM kept
    UNION ALL
    SELECT feature, (SELECT r.partitions FROM row_permutation AS r), bin, n FROM other
    UNION ALL
    SELECT feature, (SELECT r.partitions FROM row_permutation AS r), NULL, n FROM missing
)
SELECT
    e.partition_id::UINTEGER AS partition_id, feature_id,
    CASE WHEN kind = 'text' THEN e.bin ELSE _logic.number_bin(e.bin, k, b) END AS bin, sum(e.n)::UBIGINT AS occurrences
FROM every AS e
JOIN dataset_column USING (feature)
LEFT JOIN feature_resolution USING (feature_id)
WHERE e.n > 0
GROUP BY ALL
