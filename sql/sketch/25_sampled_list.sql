-- one of about sixteen numbers of a cell of the sample, of a column of lists, after the number of its row
-- inlined: it is read once
WITH typed AS (
    SELECT "_modelhub place 5f1c", _logic.numbers_of(COLUMNS(* EXCLUDE "_modelhub place 5f1c")) FROM sample_row
),
listed AS (
    SELECT "_modelhub place 5f1c" AS place, [*COLUMNS(* EXCLUDE "_modelhub place 5f1c")] AS cells FROM typed
),
cell AS (
    SELECT _logic.cell_place(place, generate_subscripts(cells, 1)) AS place, unnest(cells) AS numbers FROM listed
)
SELECT
    (place >> 16)::BIGINT AS row, _logic.feature_at(place) AS feature_id,
    unnest(list_select(numbers, range(1, len(numbers) + 1, greatest(1, len(numbers) // 16)))) AS "value"
FROM cell
