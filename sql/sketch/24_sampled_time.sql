-- a cell of the sample, of a column of times, in microseconds, after the number of its row
-- inlined: it is read once
WITH typed AS (
    SELECT "_modelhub row 5f1c", _logic.time_of(COLUMNS(* EXCLUDE "_modelhub row 5f1c")) FROM sample_row
),
listed AS (
    SELECT "_modelhub row 5f1c" AS row, [*COLUMNS(* EXCLUDE "_modelhub row 5f1c")] AS cells FROM typed
)
SELECT row, generate_subscripts(cells, 1)::USMALLINT AS feature_id, unnest(cells) AS "value"
FROM listed
