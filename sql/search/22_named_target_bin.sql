-- a bin of a feature of the target at such a resolution: its number, its probability and p ln p
WITH counted AS (
    SELECT r.resolution_id, r.k, r.b, t.k <> r.k OR t.b <> r.b AS is_finer, unnest(bins) AS bin, unnest(counts) AS n, "values"
    FROM named_resolution AS r
    JOIN target_feature AS t ON t.feature_id = r.target_feature_id
)
SELECT
    resolution_id, CASE WHEN is_finer THEN _logic.number_bin(bin, k, b) ELSE bin END AS target_bin,
    row_number() OVER () AS place, sum(n) / any_value("values") AS q, _logic.negentropy(q) AS q_entropy
FROM counted
GROUP BY resolution_id, target_bin
