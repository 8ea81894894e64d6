-- a feature of the parts together and its kind; what one part excludes, or leaves out for what it holds, is a feature of none
WITH refused AS (
    SELECT part, unnest(skipped) AS skipped FROM part_size
),
-- By joins: DuckDB 1.5 finds no column of an outer query in a lambda.
left_elsewhere AS (
    SELECT p.feature FROM part AS p
    JOIN part_size AS s ON s.part <> p.part AND _logic.is_excluded(p.feature, s.excluded)
    UNION
    SELECT p.feature FROM part AS p
    JOIN refused AS r
        ON r.part <> p.part AND starts_with(r.skipped, p.feature || ' (')
            AND NOT regexp_matches(r.skipped, ', (only NULL|no value that \d+ rows have)\)$')
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
    ANTI JOIN left_elsewhere USING (feature)
    GROUP BY p.feature
)
SELECT number AS feature_id, 0::USMALLINT AS dataset_number, number, feature, kind
FROM shared
