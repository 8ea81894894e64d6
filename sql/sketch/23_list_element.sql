-- a bin of the numbers of a column of lists in a partition, as one number, its occurrences and the sum of its values
-- inlined: it is read once
WITH typed AS (
    SELECT "modelhub partition", _logic.numbers_of(COLUMNS(* EXCLUDE "modelhub partition"))
    FROM partitioned_row
    WHERE (SELECT count(*) > 0 FROM dataset_column WHERE form = 'list')
),
listed AS (
    SELECT "modelhub partition" AS partition_id, [*COLUMNS(* EXCLUDE "modelhub partition")] AS cells FROM typed
),
cell AS (
    SELECT partition_id, generate_subscripts(cells, 1)::USMALLINT AS feature_id, unnest(cells) AS "values" FROM listed
),
-- One NULL for a cell that is NULL, empty or no list.
number AS (
    SELECT partition_id, feature_id, unnest(CASE WHEN len("values") > 0 THEN "values" ELSE [NULL] END) AS "value" FROM cell
)
SELECT
    'list' AS form, _logic.element_key(partition_id, feature_id, _logic.number_bin("value")) AS element,
    count(*) AS occurrences, sum("value") AS total
FROM number
GROUP BY element
