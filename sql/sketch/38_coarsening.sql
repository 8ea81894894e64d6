-- a feature that takes more than most_bins bins, or of which too little would be kept (min_count, round_counts), and its resolution
WITH RECURSIVE resolved AS (
    SELECT feature_id, k, b, list(DISTINCT bin) AS bins
    FROM fine_element
    JOIN feature_resolution USING (feature_id)
    WHERE bin IS NOT NULL
    GROUP BY feature_id, k, b
    HAVING count(DISTINCT bin) > _format.most_bins()
    UNION ALL
    SELECT
        feature_id, (k + 1)::SMALLINT AS k, greatest(b - 1, 0)::SMALLINT AS b,
        list_distinct(list_transform(bins, lambda bin: _logic.number_bin(bin, k + 1, greatest(b - 1, 0)))) AS bins
    FROM resolved
    WHERE len(bins) > _format.most_bins() AND k < 1022
),
crowded AS (
    SELECT feature_id, max(k) AS k, min(b) AS b
    FROM resolved
    GROUP BY feature_id
),
-- 98 of 100 values are to be in bins that are kept, and hardly changed when they are rounded (examples/trust/coarse.py).
coarser AS (
    SELECT
        feature_id, step, least(1022, coalesce(c.k, r.k) + step)::SMALLINT AS k,
        greatest(coalesce(c.b, r.b) - step, 0)::SMALLINT AS b, bin, sum(occurrences) AS n
    FROM fine_element
    JOIN feature_resolution AS r USING (feature_id)
    LEFT JOIN crowded AS c USING (feature_id)
    CROSS JOIN (SELECT unnest(range(16)) AS step)
    WHERE bin IS NOT NULL
    GROUP BY ALL
),
kept AS (
    SELECT feature_id, step, k, b, coalesce(sum(n) FILTER (n >= _logic.safe_count()), 0) / sum(n) AS share
    FROM (SELECT feature_id, step, k, b, _logic.number_bin(bin, k, b) AS coarse_bin, sum(n) AS n FROM coarser GROUP BY ALL)
    GROUP BY feature_id, step, k, b
),
thinned AS NOT MATERIALIZED (
    SELECT feature_id, k, b
    FROM kept
    QUALIFY row_number() OVER (PARTITION BY feature_id ORDER BY least(share, 0.98) DESC, step ASC) = 1
)
FROM query_table(CASE WHEN _logic.is_exact() THEN 'crowded' ELSE 'thinned' END)
