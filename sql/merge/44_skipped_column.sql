-- columns that the parts together leave out, each with the reason that the first part gives (one row)
WITH skipped_text AS (
    SELECT part, unnest(skipped) AS skipped FROM part_size
),
named AS (
    SELECT part, skipped, regexp_replace(skipped, ' \([^(]*(\([^)]*\)[^(]*)*\)$', '') AS feature FROM skipped_text
)
SELECT 0::USMALLINT AS dataset_number, coalesce(list(skipped ORDER BY part ASC, skipped ASC), []) AS skipped
FROM (SELECT min(part) AS part, min_by(skipped, part) AS skipped, feature FROM named GROUP BY feature)
ANTI JOIN feature_histogram USING (feature)
