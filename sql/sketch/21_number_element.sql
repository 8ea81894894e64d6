-- a bin of a column of numbers in a partition, as one number, its occurrences and the sum of its values
-- inlined: it is read once
WITH listed AS (
    SELECT "modelhub partition" AS partition_id, [*COLUMNS(* EXCLUDE "modelhub partition")] AS cells FROM number_row
),
cell AS (
    SELECT partition_id, generate_subscripts(cells, 1)::USMALLINT AS feature_id, unnest(cells) AS "value" FROM listed
)
SELECT
    'number' AS form, _logic.element_key(partition_id, feature_id, _logic.number_bin("value")) AS element,
    count(*) AS occurrences, sum("value") AS total
FROM cell
GROUP BY element
