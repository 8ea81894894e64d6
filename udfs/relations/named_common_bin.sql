-- a bin that both sides of such a pair have, its probability there (p) and in the target (q); only what both have matters
-- inlined: it is read once
WITH resolved_pair AS (
    SELECT n.*, r.resolution_id
    FROM named_pair AS n
    JOIN named_resolution AS r ON r.target_feature_id = n.target_feature_id
        AND r.k IS NOT DISTINCT FROM n.k AND r.b IS NOT DISTINCT FROM n.b
),
source_bin AS (
    SELECT pair, resolution_id, unnest(f.bins) AS bin, unnest(f.counts) / f."values" AS p
    FROM resolved_pair AS n
    JOIN _hub.features AS f ON f.dataset_id = n.dataset_id AND f.feature_id = n.feature_id
    WHERE NOT n.is_finer
    UNION ALL
    -- Bins of the finer side that fall together.
    SELECT pair, resolution_id, merged.bin, merged.n / "values"
    FROM (
        SELECT pair, resolution_id, f."values", unnest(modelhub_coarser(f.bins, f.counts, n.k::SMALLINT, n.b::SMALLINT)) AS merged
        FROM resolved_pair AS n
        JOIN _hub.features AS f ON f.dataset_id = n.dataset_id AND f.feature_id = n.feature_id
        WHERE n.is_finer
    )
)
SELECT pair, s.p, t.q, t.q_entropy
FROM source_bin AS s
JOIN named_target_bin AS t ON t.resolution_id = s.resolution_id AND t.target_bin = s.bin
