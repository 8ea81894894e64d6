-- a bin of the numbers of a column of lists in a partition and its occurrences; bin NULL counts what is missing
-- inlined: it is read once
WITH typed AS (
    SELECT "_modelhub place 5f1c", _logic.numbers_of(COLUMNS(* EXCLUDE "_modelhub place 5f1c"))
    FROM partitioned_row
    WHERE (SELECT count(*) > 0 FROM typed_column WHERE form = 'list')
),
listed AS (
    SELECT "_modelhub place 5f1c" AS place, [*COLUMNS(* EXCLUDE "_modelhub place 5f1c")] AS cells FROM typed
),
cell AS (
    SELECT _logic.cell_place(place, generate_subscripts(cells, 1)) AS place, unnest(cells) AS "values" FROM listed
),
-- One NULL for a cell that is NULL, empty or no list.
number AS (
    SELECT place, unnest(CASE WHEN len("values") > 0 THEN "values" ELSE [NULL] END) AS "value" FROM cell
)
SELECT 'list' AS form, place, _logic.number_bin("value", k, b) AS bin, count(*) AS occurrences
FROM number
JOIN feature_resolution ON feature_id = _logic.feature_at(place)
GROUP BY place, bin
