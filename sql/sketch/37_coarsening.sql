-- a feature that takes more than most_bins bins, and the resolution at which it takes no more
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
)
SELECT feature_id, max(k) AS k, min(b) AS b
FROM resolved
GROUP BY feature_id
