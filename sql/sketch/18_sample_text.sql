-- a cell of the sample, of a column of texts, after the number of its row
WITH typed AS (
    SELECT "_modelhub row 5f1c", _logic.text_of(COLUMNS(* EXCLUDE "_modelhub row 5f1c"))
    FROM sample_row
    WHERE (SELECT count(*) > 0 FROM typed_column WHERE form = 'text')
),
listed AS (
    SELECT "_modelhub row 5f1c" AS row, [*COLUMNS(* EXCLUDE "_modelhub row 5f1c")] AS cells FROM typed
)
SELECT row, generate_subscripts(cells, 1)::USMALLINT AS feature_id, unnest(cells) AS text
FROM listed
