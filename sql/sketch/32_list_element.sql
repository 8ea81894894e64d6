-- a bin of the numbers of a column of lists in a partition and its occurrences; bin NULL counts what is missing
-- inlined: it is read once
WITH typed AS (
    SELECT "_modelhub partition 5f1c", _logic.numbers_of(COLUMNS(* EXCLUDE "_modelhub partition 5f1c"))
    FROM partitioned_row
    WHERE (SELECT count(*) > 0 FROM typed_column WHERE form = 'list')
),
listed AS (
    SELECT "_modelhub partition 5f1c" AS partition_id, [*COLUMNS(* EXCLUDE "_modelhub partition 5f1c")] AS cells FROM typed
),
cell AS (
    SELECT partition_id, generate_subscripts(cells, 1)::USMALLINT AS feature_id, unnest(cells) AS "values" FROM listed
),
-- One NULL for a cell that is NULL, empty or no list.
number AS (
    SELECT partition_id, feature_id, unnest(CASE WHEN len("values") > 0 THEN "values" ELSE [NULL] END) AS "value" FROM cell
)
SELECT
    'list' AS form, _logic.place(partition_id, feature_id) AS place, _logic.number_bin("value", k, b) AS bin,
    count(*) AS occurrences
FROM number
JOIN feature_resolution USING (feature_id)
GROUP BY place, bin
