-- a feature of the best dataset (owner), or of the target (owner 0), and the range that nine tenths of its numbers or times lie in
WITH feature AS (
    SELECT f.dataset_id AS owner, f.feature_id, f.kind, f.k, f.b, f.bins, f.counts, f."values"
    FROM _hub.features AS f
    SEMI JOIN best_dataset AS d ON d.dataset_id = f.dataset_id
    WHERE f.kind <> 'text'
    UNION ALL
    SELECT 0, feature_id, kind, k, b, bins, counts, "values" FROM target_feature WHERE kind <> 'text'
),
bin AS (
    SELECT owner, feature_id, kind, k, b, unnest(bins) AS bin, unnest(counts) AS n, "values" FROM feature
),
cumulated AS (
    SELECT *, sum(n) OVER (PARTITION BY owner, feature_id ORDER BY bin ASC) / "values" AS share FROM bin
)
SELECT
    owner, feature_id,
    min(bin) FILTER (share > 0.05) AS low,
    min(bin + _logic.bin_width(bin, k, b)) FILTER (share >= 0.95) AS high,
    _logic.shown_range(any_value(kind), low, high) AS shown
FROM cumulated
GROUP BY owner, feature_id
