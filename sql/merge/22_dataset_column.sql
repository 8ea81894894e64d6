-- a feature of the parts together and its kind; what one part excludes, or leaves out for what it holds, is a feature of none
WITH refused AS (
    SELECT part, unnest(skipped) AS skipped FROM part_size
),
shared AS (
    SELECT
        row_number() OVER (ORDER BY min(p.part) ASC, min_by(p.feature_id, p.part) ASC)::USMALLINT AS number, p.feature,
        CASE
            WHEN min(p.kind) = max(p.kind) THEN min(p.kind)
            ELSE error('DatasetError: ' || p.feature || ' is a ' || min_by(p.kind, p.part) || ' in one part and a '
            || max_by(p.kind, p.part) || ' in another: they are no parts of one dataset. Exclude it, or register all rows anew')
        END AS kind
    FROM part AS p
    WHERE NOT EXISTS (FROM part_size AS s WHERE s.part <> p.part AND _logic.is_excluded(p.feature, s.excluded))
        AND NOT EXISTS (
            FROM refused AS r
            WHERE r.part <> p.part AND starts_with(r.skipped, p.feature || ' (') AND NOT ends_with(r.skipped, ', only NULL)')
        )
    GROUP BY p.feature
)
SELECT number AS feature_id, 0::USMALLINT AS dataset_number, number, feature, kind
FROM shared
