-- a bin of a column of times in a partition and its occurrences; bin NULL counts what is missing
-- inlined: it is read once
WITH typed AS (
    SELECT "_modelhub place 5f1c", _logic.time_of(COLUMNS(* EXCLUDE "_modelhub place 5f1c"))
    FROM partitioned_row
    WHERE (SELECT count(*) > 0 FROM typed_column WHERE form = 'time')
),
listed AS (
    SELECT "_modelhub place 5f1c" AS place, [*COLUMNS(* EXCLUDE "_modelhub place 5f1c")] AS cells FROM typed
),
cell AS (
    SELECT _logic.cell_place(place, generate_subscripts(cells, 1)) AS place, unnest(cells) AS "value" FROM listed
)
SELECT 'time' AS form, place, _logic.number_bin("value", k, b) AS bin, count(*) AS occurrences
FROM cell
JOIN feature_resolution ON feature_id = _logic.feature_at(place)
GROUP BY place, bin
