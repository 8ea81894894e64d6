-- a cell of the sample, of a column of numbers, after the number of its row
-- inlined: it is read once
WITH typed AS (
    SELECT "_modelhub place 5f1c", _logic.number_of(COLUMNS(* EXCLUDE "_modelhub place 5f1c")) FROM sample_row
),
listed AS (
    SELECT "_modelhub place 5f1c" AS place, [*COLUMNS(* EXCLUDE "_modelhub place 5f1c")] AS cells FROM typed
)
SELECT (place >> 16)::BIGINT AS row, _logic.feature_at(place) AS feature_id, "value"
FROM (SELECT _logic.cell_place(place, generate_subscripts(cells, 1)) AS place, unnest(cells) AS "value" FROM listed)
