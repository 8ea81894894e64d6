-- a feature of the target and how far it is from the data of two models; where they differ most comes first
WITH side AS (
    SELECT
        e.side, e.model AS name, target_feature, counted_distance, distance, bar, f.target_range, f.source_range, f.reason
    FROM explained AS e
    JOIN explained_feature AS f ON f.source_model = e.model AND f.source_version = e.version
),
total AS (
    SELECT side, any_value(name) AS name, avg(counted_distance) AS distance FROM side GROUP BY side
),
pair AS (
    SELECT
        target_feature, l.counted_distance - r.counted_distance AS ahead,
        CASE WHEN ahead < -1e-9 THEN l.name WHEN ahead > 1e-9 THEN r.name END AS nearer,
        l.distance, l.bar, r.distance AS other_distance, r.bar AS other_bar, l.target_range, l.source_range,
        r.source_range AS other_range, l.reason, r.reason AS other_reason
    FROM side AS l
    JOIN side AS r USING (target_feature)
    WHERE l.side = 1 AND r.side = 2
)
SELECT
    p.target_feature, p.nearer, p.distance, p.bar, p.other_distance, p.other_bar, p.target_range, p.source_range, p.other_range,
    p.reason, p.other_reason,
    CASE
        WHEN l.distance IS NULL OR r.distance IS NULL
            THEN printf('no feature of the target counts for %s', CASE WHEN l.distance IS NULL THEN l.name ELSE r.name END)
        WHEN abs(l.distance - r.distance) < 5e-5
            THEN printf('%s and %s are equally near (distance %.2f)', l.name, r.name, l.distance)
        ELSE printf(
            '%s is nearer than %s: distance %.2f against %.2f', CASE WHEN l.distance < r.distance THEN l.name ELSE r.name END,
            CASE WHEN l.distance < r.distance THEN r.name ELSE l.name END, least(l.distance, r.distance),
            greatest(l.distance, r.distance)
        )
    END || printf(
        '; %s in %d of %d features, %s in %d', l.name, count(*) FILTER (p.ahead < -1e-9) OVER (), count(p.ahead) OVER (), r.name,
        count(*) FILTER (p.ahead > 1e-9) OVER ()
    ) AS summary
FROM pair AS p
CROSS JOIN (FROM total WHERE side = 1) AS l
CROSS JOIN (FROM total WHERE side = 2) AS r
ORDER BY abs(p.ahead) DESC NULLS LAST, p.target_feature ASC
