-- a bin of a feature of the target (owner 0), or of the explained dataset's that it is compared with: its ends and share, to draw
-- Both sides at the coarser of their resolutions; a bin of text is a word's, without ends.
WITH side AS (
    SELECT target_feature_id, 0 AS owner, target_feature_id AS feature_id, k, b FROM feature_match
    UNION ALL
    SELECT target_feature_id, dataset_id, feature_id, k, b FROM feature_match
),
bin AS (
    SELECT s.target_feature_id, s.owner, f.kind, s.k, s.b, unnest(f.bins) AS bin, unnest(f.counts) AS n, f."values"
    FROM side AS s
    JOIN compared_feature AS f USING (owner, feature_id)
),
resolved AS (
    SELECT
        target_feature_id, owner, kind, k, b, CASE WHEN kind = 'text' THEN bin ELSE _logic.number_bin(bin, k, b) END AS bin,
        sum(n) / any_value("values") AS share
    FROM bin
    GROUP BY ALL
)
SELECT
    target_feature_id, owner, kind, bin AS low, CASE WHEN kind <> 'text' THEN bin + _logic.bin_width(bin, k, b) END AS high, share
FROM resolved
WHERE NOT isinf(bin)
ORDER BY target_feature_id ASC, owner ASC, low ASC
