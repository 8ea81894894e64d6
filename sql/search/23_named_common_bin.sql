-- a bin that both sides of such a pair have, its probability there (p) and in the target (q); only what both have matters
-- inlined: it is read once
WITH source_bin AS NOT MATERIALIZED (
    SELECT pair, r.resolution_id, n.k, n.b, n.is_finer, unnest(f.bins) AS bin, unnest(f.counts) / f."values" AS p
    FROM named_pair AS n
    JOIN named_resolution AS r ON r.target_feature_id = n.target_feature_id
        AND r.k IS NOT DISTINCT FROM n.k AND r.b IS NOT DISTINCT FROM n.b
    JOIN _hub.features AS f ON f.dataset_id = n.dataset_id AND f.feature_id = n.feature_id
),
-- Bins of the finer side that fall together. Millions are grouped by one number, of the pair and the bin: much faster than by
-- several columns.
merged_bin AS (
    SELECT (pair << 32) | t.place AS cell, sum(s.p) AS p
    FROM source_bin AS s
    JOIN named_target_bin AS t ON t.resolution_id = s.resolution_id AND t.target_bin = _logic.number_bin(s.bin, s.k, s.b)
    WHERE s.is_finer
    GROUP BY cell
)
SELECT pair, s.p, t.q, t.q_entropy
FROM source_bin AS s
JOIN named_target_bin AS t ON t.resolution_id = s.resolution_id AND t.target_bin = s.bin
WHERE NOT s.is_finer
UNION ALL
SELECT m.cell >> 32, m.p, t.q, t.q_entropy
FROM merged_bin AS m
JOIN named_target_bin AS t ON t.place = m.cell & 4294967295
