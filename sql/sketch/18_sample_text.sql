-- a cell of the sample, of a column of texts, that is not missing, after the number of its row
WITH typed AS (
    SELECT "_modelhub place 5f1c", _logic.text_of(COLUMNS(* EXCLUDE "_modelhub place 5f1c"))
    FROM sample_row
    WHERE (SELECT count(*) > 0 FROM typed_column WHERE form = 'text')
),
listed AS (
    SELECT "_modelhub place 5f1c" AS place, [*COLUMNS(* EXCLUDE "_modelhub place 5f1c")] AS cells FROM typed
)
SELECT (place >> 16)::BIGINT AS row, _logic.feature_at(place) AS feature_id, text
FROM (SELECT _logic.cell_place(place, generate_subscripts(cells, 1)) AS place, unnest(cells) AS text FROM listed)
WHERE text IS NOT NULL AND NOT _logic.is_missing_text(text)
