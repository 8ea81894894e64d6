-- a feature that no dataset can have
SELECT dataset_id, feature, 'it is there ' || count(*) || ' times' AS fault
FROM _hub.features
GROUP BY dataset_id, feature_id, feature
HAVING count(*) > 1
UNION ALL
SELECT dataset_id, feature, 'its histogram is no histogram of its ' || "values" || ' values'
FROM _hub.features
WHERE NOT coalesce(
    len(bins) > 0 AND len(bins) = len(counts) AND len(list_distinct(bins)) = len(bins)
    AND list_min(counts) > 0 AND len(list_filter(counts, lambda n: n IS NULL)) = 0 AND list_sum(counts) = "values",
    false
)
UNION ALL
SELECT dataset_id, feature, 'its kind and its resolution do not go together'
FROM _hub.features
WHERE NOT (kind IN ('number', 'time', 'text') AND (kind = 'text') = (k IS NULL) AND (k IS NULL) = (b IS NULL))
UNION ALL
SELECT dataset_id, feature, 'its MinHash signature is none of the hub''s functions'
FROM _hub.features
WHERE len(minhash) <> _format.minhash_bands() * _format.minhash_rows()
    OR len(list_filter(minhash, lambda h: h IS NULL)) > 0 OR elements = 0
UNION ALL
SELECT dataset_id, feature, 'its spread is no divergence'
FROM _hub.features
WHERE NOT (isfinite(spread) AND spread BETWEEN 0 AND ln(2) + 1e-9)
UNION ALL
SELECT dataset_id, feature, 'it has counts that min_count = ' || _format.min_count() || ' and round_counts = '
    || _format.round_counts() || ' do not allow'
FROM _hub.features
WHERE len(list_filter(counts, lambda n: NOT _logic.is_kept_count(n))) > 0
