-- such a feature and the range that nine tenths of its numbers or times lie in
WITH bin AS (
    SELECT owner, feature_id, kind, k, b, unnest(bins) AS bin, unnest(counts) AS n, "values" FROM worst_feature
        WHERE kind <> 'text'
),
-- optimizer: the width is a column; what is made of it names it a hundred times.
cumulated AS (
    SELECT
        owner, feature_id, kind, bin, _logic.bin_width(bin, k, b) AS width,
        sum(n) OVER (PARTITION BY owner, feature_id ORDER BY bin ASC) / "values" AS share
    FROM bin
),
range_of AS (
    SELECT
        owner, feature_id, any_value(kind) AS kind,
        min(bin) FILTER (share > 0.05) AS low,
        min(CASE
            WHEN kind = 'time' THEN bin + width
            ELSE _logic.roundest_in(bin, width)
        END) FILTER (share >= 0.95) AS high
    FROM cumulated
    GROUP BY owner, feature_id
)
SELECT owner, feature_id, low, high, _logic.shown_range(kind, low, high) AS shown FROM range_of
